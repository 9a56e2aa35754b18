"""Benchmarks of a real service and of the address book alone: ``make bench`` or ``python -m bench``.

=================  ===========================================================
``throughput``     ``unused_ip`` through HTTP beside a do-nothing endpoint
``allocation``     the address book without HTTP, in small, full and huge subnets
``footprint``      memory of the workers and time to start with a large book
``service``        the service under test; ``load`` are its clients
``seeding``        large books, made quickly
``ruby_proxy``     what the Ruby smart proxy needs for the same
``report``         the table, and the files in ``bench/results``
=================  ===========================================================
"""
