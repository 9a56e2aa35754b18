"""Tests of the IPAM providers."""
