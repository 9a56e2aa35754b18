"""What an ISC dhcpd knows: its configuration and its leases file, read and never written.

==============  ==============================================================================
``grammar``     statements and blocks of dhcpd.conf(5) and dhcpd.leases(5), with includes
``values``      addresses, MACs, texts and numbers out of the words of a statement
``leases``      what dhcpd wrote on its own: leases, hosts made and deleted through OMAPI
``survey``      declarations within declarations, and what all of it means
``described``   one subnet, one host
``bonds``       hosts that share an address on purpose
==============  ==============================================================================
"""
