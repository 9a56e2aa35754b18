"""DHCP providers: who serves what the book says."""
