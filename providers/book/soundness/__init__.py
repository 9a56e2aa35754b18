"""What is true of every book, and finding where one is damaged: one module per kind of truth.

====================  ====================================================================
``finding``           what a check says: what is wrong, where, what a repair would do
``storage``           the file itself, unreadable values, the row of the directory
``shelving``          groups and subnets among each other
``orphans``           rows whose reservation, subnet or group is gone
``belonging``         uses and DHCP hosts that do not go together
``places``            addresses in the wrong subnet
``doubles``           what may be there once and is there twice
``guests``            guests without their reservations, addresses of two of them
``promised``          holds and rests on addresses that somebody has
``free_runs``         the free space, compared run by run with what it has to be
====================  ====================================================================

Every check looks by SQL or in pages; none of them holds a large table in memory. A repair never frees an address that
somebody may be using.
"""
