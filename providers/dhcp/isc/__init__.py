"""ISC dhcpd: telling it about hosts, and understanding its configuration and its leases file, which it writes itself.

================  =============================================================================
``provider``      the DHCP provider ``dhcp_isc``: publish, withdraw, read back
``settings``      its settings file
``omapi``         speaking to a running dhcpd
``statements``    what a client is told, as dhcpd's statements and back
``known_hosts``   what dhcpd has, and what of that is in a reservation's way
``declared``      the hosts of dhcpd.conf, as its files are now
``leases_file``   following the leases file
``leases_state``  what it says: hosts made through OMAPI, active leases
================  =============================================================================

and what the import reads, once and as a whole:

================  =============================================================================
``grammar``       statements and blocks of dhcpd.conf(5) and dhcpd.leases(5), with includes
``values``        addresses, MACs, texts and numbers out of the words of a statement
``leases``        what dhcpd wrote on its own: leases, hosts made and deleted through OMAPI
``survey``        declarations within declarations, and what all of it means
``described``     one subnet, one host
``bonds``         hosts that share an address on purpose
================  =============================================================================
"""
