"""Tests of the provider for dnsmasq."""
