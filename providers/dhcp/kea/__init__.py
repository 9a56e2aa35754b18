"""ISC Kea, the DHCPv4 server, through its control channel.

====================  ====================================================================
``provider``          what the address book calls
``settings``          ``dhcp_kea.yml``
``control``           commands over a Unix socket or HTTP(S), and their answers
``configuration``     what the running Kea is configured to: subnets, reservations, back ends
``configured``        the same, kept as long as Kea has not read another one
``reservation``       a DHCP host as Kea writes a reservation, and back
``include_files``     reservations in a file for each subnet, for every Kea
``host_commands``     reservations one by one, for a Kea with ``host_cmds``
``catching_up``       all reservations of a subnet, by those
``saving``            what those changed in Kea's memory, saved once for all who wait
``leases``            leases by ``lease_cmds``, or from the ``lease_file``
``lease_table``       what such a file says, kept in memory
``grammar``           Kea's configuration files: JSON with comments and includes
``survey``            what such a file means as subnets and hosts, for the import
====================  ====================================================================
"""
