"""Benchmarks of a real service and of the address book alone: ``make bench`` or ``python -m bench``.

=================  ===========================================================
``throughput``     ``unused_ip`` through HTTP beside a do-nothing endpoint
``allocation``     the address book without HTTP, in small, full and huge subnets
``searching``      pages and searches of a large book
``footprint``      memory of the workers and time to start with a large book
``phpipam``        next address and reserve with phpIPAM as the truth
``hooks``          a hook from the start of its process to its end
``publishing``     reservations of which ``kea``, ``dnsmasq`` or ``dhcpd`` is told
``service``        the service under test; ``load`` are its clients
``seeding``        large books, made quickly
``ruby_proxy``     what the Ruby smart proxy needs for the same
``report``         the table, and the files in ``bench/results``
=================  ===========================================================
"""
