"""The sample that ``make run`` fills an empty book with: two groups, IPv4 and IPv6."""

from __future__ import annotations

from providers.addresses import Range, parse_address, parse_network
from providers.model import Options, SubnetSpec

SAMPLE = (
    SubnetSpec(
        network=parse_network("10.0.1.0/24"),
        group="Lab",
        description="Sample: machines of the lab",
        dynamic=Range.parse("10.0.1.200-10.0.1.250"),
        options=Options(
            gateway=parse_address("10.0.1.1"),
            dns=(parse_address("10.0.1.2"), parse_address("10.0.1.3")),
            ntp=(parse_address("10.0.1.2"),),
            domain="lab.example.com",
        ),
    ),
    SubnetSpec(
        network=parse_network("10.0.2.0/24"),
        group="Production",
        description="Sample: servers",
        options=Options(
            gateway=parse_address("10.0.2.1"),
            dns=(parse_address("10.0.2.2"),),
            domain="example.com",
        ),
    ),
    SubnetSpec(
        network=parse_network("2001:db8:1::/64"),
        group="Production",
        description="Sample: servers, IPv6",
        options=Options(gateway=parse_address("2001:db8:1::1"), domain="example.com"),
    ),
)
