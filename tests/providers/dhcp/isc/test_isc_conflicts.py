"""Hosts that dhcpd has already: of its configuration, of somebody else, left over."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from netaddr import IPAddress

from providers.dhcp.isc.statements import told_to
from providers.errors import Conflict, InvalidValue, Unavailable
from providers.model import DHCPHost, Use
from tests.providers.desk import CALLER, host, mac

DECLARED = DHCPHost("52:54:00:99:00:01", "declared", "declared", "declared.0", None, {}, IPAddress("10.77.0.9"))


def made_elsewhere(provider, number, address, name=None):
    """Make a host past the book, as another client of OMAPI would."""
    made = host(number, name=name)
    told = f'filename = "{made.name}.0"; option host-name = "{made.hostname}";'
    provider._omapi.create(made.name, made.mac, IPAddress(address), told, time.monotonic() + 60)


def in_book(desk, subnet):
    return [(each.name, str(each.address)) for each in desk.address_book.hosts(subnet)]


def test_an_address_that_dhcpd_has_for_another_is_refused_though_dhcpd_itself_would_take_it(desk, subnet, provider):
    made_elsewhere(provider, 1, "10.77.0.20")

    with pytest.raises(Conflict, match=r"10\.77\.0\.20: dhcpd has the host host1 .*leasehold sync"):
        desk.serve(subnet, "10.77.0.20", 2)

    assert in_book(desk, subnet) == []


@pytest.mark.parametrize(
    ("number", "name", "address"), [(2, "host1", "10.77.0.21"), (1, "host1", "10.77.0.21"), (1, "new", "10.77.0.20")]
)
def test_a_name_of_another_is_refused_and_an_old_host_of_the_mac_replaced(
    desk, subnet, provider, number, name, address
):
    made_elsewhere(provider, 1, "10.77.0.20")

    if number == 2:
        with pytest.raises(Conflict, match="host1"):
            desk.serve(subnet, address, number, name=name)
    else:
        desk.serve(subnet, address, number, name=name)
        assert [(each.name, str(each.address)) for each in provider.served(subnet)] == [(name, address)]


def test_hosts_of_others_are_left_alone_by_sync(desk, subnet, provider, dhcpd):
    made_elsewhere(provider, 1, "10.77.0.20")

    assert list(provider.served(subnet)) == list(desk.address_book.differences()) == []
    desk.address_book.sync(CALLER, most_percent=0)

    assert str(dhcpd.network.discover(mac(1)).yiaddr) == "10.77.0.20"


def test_hosts_of_others_are_left_alone_when_a_reservation_fails(desk, subnet, provider):
    made_elsewhere(provider, 1, "10.77.0.20")

    with pytest.raises(Conflict):
        desk.serve(subnet, "10.77.0.30", 1, name="declared")

    assert provider._omapi.mac_of("host1", time.monotonic() + 60) == mac(1)


def test_hosts_of_others_are_ours_once_the_book_has_them(desk, subnet, provider):
    made_elsewhere(provider, 1, "10.77.0.20")
    as_made = replace(host(1), filename="host1.0")
    desk.address_book.reserve(subnet, IPAddress("10.77.0.20"), Use.DHCP, CALLER, host=as_made)
    assert [each.name for each in provider.served(subnet)] == ["host1"]
    assert list(desk.address_book.differences()) == []

    desk.release(subnet, "10.77.0.20")

    assert provider._known.now(lambda state: state.hosts_of(mac(1))) == []


def test_a_mac_in_another_subnet_is_refused(desk, subnet, provider):
    desk.add("10.78.0.0/24")
    made_elsewhere(provider, 1, "10.78.0.20")

    with pytest.raises(Conflict, match=r"10\.78\.0\.20"):
        desk.serve(subnet, "10.77.0.20", 1)


@pytest.mark.parametrize(
    ("number", "name", "address"),
    [(1, "declared", "10.77.0.20"), (None, "other", "10.77.0.20"), (1, "other", "10.77.0.9")],
)
def test_what_dhcpd_conf_declares_is_in_the_way_of_others(desk, subnet, dhcpd, number, name, address):
    wanted = host(number or 1, name=name)
    wanted = wanted if number else replace(wanted, mac=DECLARED.mac)

    with pytest.raises(Conflict, match=r"dhcpd\.conf:\d+ declares the host declared .*restart dhcpd"):
        desk.address_book.reserve(subnet, IPAddress(address), Use.DHCP, CALLER, host=wanted)

    assert in_book(desk, subnet) == []
    assert dhcpd.network.discover(DECLARED.mac).boot_file == "declared.0"


def test_a_declared_host_that_is_in_the_book_counts_as_served(desk, subnet, provider):
    assert list(provider.served(subnet)) == []

    desk.address_book.reserve(subnet, DECLARED.address, Use.DHCP, CALLER, host=DECLARED)

    assert list(provider.served(subnet)) == [DECLARED]
    assert list(desk.address_book.differences()) == []


def test_a_declared_host_is_not_deleted_and_the_caller_told_where_it_is(desk, subnet, dhcpd):
    desk.address_book.reserve(subnet, DECLARED.address, Use.DHCP, CALLER, host=DECLARED)

    with pytest.raises(InvalidValue, match=r"10\.77\.0\.9 is declared for 52:54:00:99:00:01 in .*dhcpd\.conf:\d+"):
        desk.release(subnet, "10.77.0.9", use=Use.DHCP)

    assert in_book(desk, subnet) == [("declared", "10.77.0.9")]
    dhcpd.configuration.write_text(dhcpd.configuration.read_text().replace("host declared", "host renamed"))
    dhcpd.restart()
    assert str(dhcpd.network.discover(DECLARED.mac).yiaddr) == "10.77.0.9"


def test_a_declared_host_is_deleted_once_it_is_gone_from_dhcpd_conf(desk, subnet, dhcpd, provider):
    desk.address_book.reserve(subnet, DECLARED.address, Use.DHCP, CALLER, host=DECLARED)
    without = dhcpd.configuration.read_text().split("host declared")
    dhcpd.configuration.write_text(without[0] + without[1].split("}\n", 1)[1])
    dhcpd.restart()
    provider._known.declared._looked = float("-inf")

    desk.release(subnet, "10.77.0.9", use=Use.DHCP)

    assert in_book(desk, subnet) == []


def test_addresses_that_dhcpd_has_for_others_are_not_suggested(desk, subnet, provider):
    made_elsewhere(provider, 1, "10.77.0.8")
    provider._known.now(lambda state: None)

    assert desk.ask(subnet, 7, span="10.77.0.8-10.77.0.20") == "10.77.0.10"
    assert desk.ask(subnet, 1, span="10.77.0.5-10.77.0.20") == "10.77.0.8"
    assert provider.lease_at(subnet, IPAddress("10.77.0.9")).mac == DECLARED.mac


def test_what_another_process_has_just_published_is_published(desk, subnet, dhcpd, provider, book):
    desk.serve(subnet, "10.77.0.20", 1)
    (there,) = desk.address_book.hosts(subnet)
    other = dhcpd.provider(book)
    # As if the other one had looked into the leases file before.
    other._known.leases.ask = lambda question, now=False: provider._known.leases.ask(question, now=now)

    other._create(there, told_to(there, None), time.monotonic() + 60)

    assert [each.mac for each in provider.served(subnet)] == [mac(1)]
    other.close()


def test_a_leases_file_of_another_dhcpd_is_noticed(subnet, desk, dhcpd, book, tmp_path, monkeypatch):
    monkeypatch.setattr("providers.dhcp.isc.provider._READ_BACK_SECONDS", 0.1)
    wrong = tmp_path / "other.leases"
    wrong.touch()
    mistaken = dhcpd.provider(book, leases=str(wrong))

    with pytest.raises(Unavailable, match=r"does not show it: does :leases: in dhcp_isc\.yml name"):
        mistaken.publish(subnet, replace(host(1), address=IPAddress("10.77.0.20")))

    assert mistaken._omapi.mac_of("host1", time.monotonic() + 60) is None
    mistaken.close()


def test_a_host_that_is_somebody_elses_by_now_is_not_deleted(desk, subnet, provider):
    """Between looking for the name and deleting it somebody may have given it to another MAC."""
    made_elsewhere(provider, 1, "10.77.0.20")

    provider._omapi.delete("host1", mac(2), time.monotonic() + 60)

    assert provider._omapi.mac_of("host1", time.monotonic() + 60) == mac(1)


def test_an_address_in_no_subnet_of_dhcpd_conf_is_refused_though_dhcpd_would_take_it(desk, provider):
    other = desk.add("10.78.0.0/24")

    with pytest.raises(InvalidValue, match=r"10\.78\.0\.20 is in no subnet of .*dhcpd\.conf: add it there"):
        desk.serve(other, "10.78.0.20", 1)

    assert provider._known.now(lambda state: state.host("host1")) is None
