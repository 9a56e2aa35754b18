"""Knows addresses: the contracts, the address book and its rules, the book (SQL), the IPAM and DHCP providers.

Never imports :mod:`proxy`, Flask or anything else that speaks HTTP to callers.
"""
