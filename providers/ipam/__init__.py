"""IPAM providers: who keeps the truth about addresses."""
