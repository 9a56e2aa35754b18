"""What the Ruby smart proxy needs for the same, for comparison.

Measured for this project: smart-proxy 3.11.0-develop (e8fe59f8) with dhcp_isc on isc-dhcpd 4.4.3-P1, Ruby 3.1.2,
WEBrick 1.8.1, log level INFO, ping_free_ip off; a machine with two virtual CPUs; medians of three, a new connection
per request unless noted. Its unused_ip remembers an address for 30 minutes in the memory of one process and writes
nothing to a disk.
"""

from __future__ import annotations

SOURCE = "smart-proxy 3.11.0-develop with dhcp_isc, measured on 2 vCPU"
NONE = "-"

FEATURES = {
    (1, False): "1546/s, p50 0.57 ms, p99 1.9 ms",
    (8, False): "1570/s, p50 4.9 ms, p99 13 ms",
    (1, True): "23/s, p50 44 ms, p99 44 ms",
    (8, True): "182/s, p50 44 ms, p99 48 ms",
}
"""``GET /features`` by number of clients and whether they keep their connection."""

UNUSED_IP = {
    (1, False): "786/s, p50 1.2 ms, p99 3.3 ms (/24, 100 res.)",
    (8, False): "792/s, p50 8.7 ms, p99 24 ms (/24, 100 res.)",
}
"""``unused_ip`` in a /24 with 100 reservations."""

ALONE_100 = "1.2 ms through HTTP (/24, 100 res.)"
ALONE_10K = "65 ms through HTTP (/16, 10,000 res.), 7.6 s (60,000)"
POST_OMAPI = "13 ms with dhcp_isc"
LISTING_60K = "7.7 s"
MEMORY_AT_START = "235 MiB"
MEMORY_60K = "550 MiB after 60 s of unused_ip"
START_60K = "8.5 s, the start of dhcpd included"
