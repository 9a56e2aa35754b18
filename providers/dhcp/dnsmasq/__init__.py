"""dnsmasq: hosts and options files that it reads again when told to, and its leases file.

==============  ==================================================================================
``provider``    what the address book calls
``settings``    the keys of dhcp_dnsmasq.yml
``boot_sets``   boot file and boot server of a host: one tag for each distinct pair
``host_lines``  one reserved address as a line, and what can never be one
``sections``    the whole hosts and options files, subnet by subnet
``daemon``      the running dnsmasq: told to read again, or restarted where that would end it
``reading``     sees that a file was read by somebody else
``confirmed``   what is known of the files that dnsmasq has read
``leases``      what dnsmasq gave out on its own
``grammar``     dnsmasq.conf(5) as words, with the files that it names
``own_hosts``   the hosts and ranges that the operator wrote into dnsmasq.conf
``ranges``      dhcp-range: a network, and what dnsmasq gives out in it on its own
``told``        dhcp-option, dhcp-boot and domain: what clients are told, by their tags
``survey``      what a configuration means as subnets and hosts, for the import
==============  ==================================================================================
"""
