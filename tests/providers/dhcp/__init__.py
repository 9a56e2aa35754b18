"""Tests of the DHCP providers."""
