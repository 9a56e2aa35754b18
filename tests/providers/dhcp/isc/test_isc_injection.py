"""Nothing that a caller writes is read as dhcpd's grammar, neither by dhcpd as it runs nor by its next start.

dhcpd writes texts into its leases file without escaping anything; what is accepted here has to survive that.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from netaddr import IPAddress

from providers.errors import InvalidValue
from providers.model import Use
from tests.providers.desk import CALLER, host, mac
from tests.providers.dhcp.conformance import HOSTILE

CANARY, FIRST = 1, 1000


@pytest.fixture
def wide(desk):
    """A subnet with room for all of them."""
    return desk.add("10.77.0.0/24", dynamic="10.77.0.100-10.77.0.120")


def check_after_restart(dhcpd, provider, subnet, expected):
    """dhcpd starts without a complaint, and tells each of ``expected`` what it was to be told."""
    before = list(provider.served(subnet))
    for _ in range(2):
        dhcpd.restart()
        assert dhcpd.complaints() == []
        assert list(provider.served(subnet)) == before
    for each in expected:
        offer = dhcpd.network.discover(each.mac)
        assert offer is not None, each
        assert str(offer.yiaddr) == str(each.address), each
        assert offer.hostname == each.hostname
        assert offer.file == (each.filename or "").encode(), each


def test_what_the_address_book_lets_through(desk, wide, dhcpd, provider):
    accepted = []
    number = FIRST
    for text in HOSTILE.values():
        for field in ("name", "hostname", "filename"):
            number += 1
            wanted = replace(host(number), **{field: text}, address=IPAddress("10.77.0.10") + (number - FIRST))
            with suppress(InvalidValue):
                desk.address_book.reserve(wide, wanted.address, Use.DHCP, CALLER, host=wanted)
                accepted.append(wanted)
    canary = desk.serve(wide, "10.77.0.250", CANARY).hosts

    assert len(accepted) > 20
    check_after_restart(dhcpd, provider, wide, [*accepted, *canary])


@pytest.mark.parametrize("field", ["hostname", "filename"])
def test_what_nobody_checked_before(desk, wide, dhcpd, provider, field):
    """The provider alone, without the address book's own rules in front of it."""
    texts = [text for text in HOSTILE.values() if 0 < len(text.encode()) <= 128 and "\0" not in text]
    texts += [f"x{chr(octet)}y" for octet in range(1, 128)]
    served = [
        replace(host(FIRST + number), **{field: text}, address=IPAddress("10.77.0.10") + number)
        for number, text in enumerate(texts)
    ]
    for wanted in served:
        provider.publish(wide, wanted)

    check_after_restart(dhcpd, provider, wide, served)


@pytest.mark.parametrize("what", HOSTILE)
def test_names_of_hosts(desk, wide, dhcpd, provider, what):
    wanted = replace(host(FIRST, name="x"), name=HOSTILE[what], address=IPAddress("10.77.0.20"))

    if what == "limit of the field":
        provider.publish(wide, wanted)
    else:
        with pytest.raises(InvalidValue, match="cannot be the name of a host of dhcpd"):
            provider.publish(wide, wanted)
    assert [each.mac for each in provider.served(wide)] == ([mac(FIRST)] if what == "limit of the field" else [])


def test_an_address_that_would_be_written_as_a_text_with_quotes(desk, wide, dhcpd, provider):
    """34.92.34.92 is the text "\\"\\ in ASCII."""
    wanted = replace(host(FIRST), next_server="34.92.34.92", address=IPAddress("10.77.0.20"))
    provider.publish(wide, wanted)

    check_after_restart(dhcpd, provider, wide, [wanted])
    assert str(dhcpd.network.discover(wanted.mac).siaddr) == "34.92.34.92"


def test_a_value_that_dhcpd_does_not_keep_is_noticed_and_taken_back(desk, wide, dhcpd, provider, monkeypatch):
    """As the smart proxy's form of a next server was, which dhcpd takes and drops."""
    monkeypatch.setattr("providers.dhcp.isc.provider.statements", lambda told: "next-server = 10.9.0.1;")
    wanted = replace(host(FIRST), next_server="10.9.0.1", address=IPAddress("10.77.0.20"))

    with pytest.raises(InvalidValue, match=r"dhcpd does not keep this of host1000: host-name, server\.next-server"):
        provider.publish(wide, wanted)

    assert list(provider.served(wide)) == []


def test_options_of_solaris_and_switches_arrive(desk, wide, dhcpd, provider):
    sun = replace(
        host(FIRST),
        options={"root_path_name": '/x"\\', "install_server_ip": "10.9.0.7", "vendor": "sun"},
        address=IPAddress("10.77.0.20"),
    )
    switch = replace(
        host(FIRST + 1),
        filename="ztp.cfg",
        next_server="10.9.0.1",
        options={"ztp_vendor": "huawei", "ztp_firmware": {"core": "core.cc", "web": "w"}},
        address=IPAddress("10.77.0.21"),
    )
    provider.publish(wide, sun)
    provider.publish(wide, switch)

    check_after_restart(dhcpd, provider, wide, [sun, switch])
    client = dhcpd.network.raw_client()
    assert client.discover(sun.mac, parameters=(43,)).options[43] == b'\x04\x04/x"\\\x0a\x04\n\t\0\7'
    told = client.discover(switch.mac, parameters=(143, 150)).options
    assert (told[143], told[150]) == (b"vrpfile=core.cc;webfile=w;", b"\n\t\0\1")
