import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from netaddr import IPAddress, IPNetwork

from providers.addresses import Range
from providers.model import DHCPHost, Group, Lease, Options, Strategy, Subnet
from proxy.api.records import lease_record, reservation_record, subnet_record, written

PLACE = "192.168.10.0/255.255.255.0"
STARTS = datetime(2024, 1, 3, 10, tzinfo=UTC)


def subnet(dynamic=None, **options):
    return Subnet(
        id=1,
        revision=1,
        network=IPNetwork("192.168.10.0/24"),
        group=Group(1, "Lab"),
        description="",
        dhcp=True,
        strategy=Strategy.FIRST,
        pool=None,
        dynamic=dynamic,
        exclusions=(),
        options=Options(**options),
    )


def host(number=1, **changes):
    values = {"mac": f"52:54:00:00:00:{number:02x}", "name": f"h{number}", "hostname": f"h{number}.example.com"}
    return DHCPHost(**{**values, "address": IPAddress("192.168.10.0") + number, **changes})


def lease(**changes):
    values = {"address": IPAddress("192.168.10.150"), "mac": "52:54:00:bb:00:01", "starts": STARTS, "ends": None}
    return Lease(**{**values, "state": "active", **changes})


def test_a_bare_subnet():
    assert subnet_record(subnet()) == {"network": "192.168.10.0", "netmask": "255.255.255.0", "options": {}}


def test_all_options_of_a_subnet_in_their_order():
    found = subnet_record(
        subnet(
            dynamic=Range.parse("192.168.10.100-192.168.10.200"),
            gateway=IPAddress("192.168.10.1"),
            dns=(IPAddress("192.168.10.2"), IPAddress("192.168.10.3")),
            ntp=(IPAddress("192.168.10.4"),),
            domain="example.com",
            mtu=1500,
            next_server="192.168.10.5",
        )
    )
    assert list(found["options"].items()) == [
        ("routers", ["192.168.10.1"]),
        ("domain_name", [["example.com"]]),
        ("domain_name_servers", ["192.168.10.2", "192.168.10.3"]),
        ("ntp_servers", [["192.168.10.4"]]),
        ("interface_mtu", 1500),
        ("range", ["192.168.10.100", "192.168.10.200"]),
    ]


def test_a_bare_reservation():
    assert list(reservation_record(host(), PLACE).items()) == [
        ("name", "h1"),
        ("ip", "192.168.10.1"),
        ("mac", "52:54:00:00:00:01"),
        ("subnet", PLACE),
        ("type", "reservation"),
        ("deleteable", True),
        ("hostname", "h1.example.com"),
        ("hardware_type", "ethernet"),
    ]


def test_further_options_come_last():
    options = {"root_path_name": "/a", "vendor": "sun"}
    found = reservation_record(host(filename="pxelinux.0", next_server="192.168.10.5", options=options), PLACE)
    assert list(found)[8:] == ["filename", "nextServer", "root_path_name", "vendor"]


def test_what_only_a_dhcp_server_needs_is_not_shown():
    options = {"ztp_vendor": "huawei", "ztp_firmware": {"core": "c"}}
    assert reservation_record(host(options=options), PLACE) == reservation_record(host(), PLACE)


def test_a_full_lease_in_its_order():
    ends = STARTS + timedelta(hours=1)
    found = lease_record(lease(ends=ends, next_state="free", uid="\\001RT", hostname="leased1"), PLACE)
    assert list(found.items()) == [
        ("name", "lease-525400bb0001"),
        ("ip", "192.168.10.150"),
        ("mac", "52:54:00:bb:00:01"),
        ("subnet", PLACE),
        ("starts", "2024-01-03 10:00:00 UTC"),
        ("ends", "2024-01-03 11:00:00 UTC"),
        ("state", "active"),
        ("type", "lease"),
        ("next_state", "free"),
        ("hardware_type", "ethernet"),
        ("uid", '"\\001RT"'),
        ("client_hostname", '"leased1"'),
    ]


def test_a_lease_without_end_ends_with_dhcpds_clock():
    assert lease_record(lease(), PLACE)["ends"] == "2038-01-19 03:14:07 UTC"


@pytest.mark.parametrize("key", ["next_state", "uid", "client_hostname"])
def test_what_a_lease_has_not_is_absent(key):
    assert key not in lease_record(lease(), PLACE)


def test_times_are_told_in_utc():
    starts = datetime(2024, 1, 3, 12, tzinfo=timezone(timedelta(hours=2)))
    assert lease_record(lease(starts=starts), PLACE)["starts"] == "2024-01-03 10:00:00 UTC"


@pytest.mark.parametrize(("hosts", "leases"), [(0, 0), (1, 0), (0, 1), (3, 2)])
def test_the_listing_is_json(hosts, leases):
    pieces = written(subnet(), [host(number + 1) for number in range(hosts)], [lease()] * leases)
    found = json.loads(b"".join(pieces))
    assert list(found) == ["reservations", "leases"]
    assert (len(found["reservations"]), len(found["leases"])) == (hosts, leases)


def test_a_long_listing_comes_in_pieces():
    pieces = list(written(subnet(), (host(number % 250 + 1) for number in range(2000)), ()))
    assert len(pieces) > 2
    assert all(len(piece) < 70_000 for piece in pieces)
    assert len(json.loads(b"".join(pieces))["reservations"]) == 2000


def test_nothing_is_read_ahead():
    def hosts():
        yield from (host(number % 250 + 1) for number in range(1000))
        raise AssertionError("read too far")

    assert next(written(subnet(), hosts(), ()))
