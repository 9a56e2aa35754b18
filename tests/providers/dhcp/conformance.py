"""What every DHCP provider has to bear: the rules of the address book, on top of it.

A provider's own test inherits ``DHCPConformance``, one that tells a server ``PublishingConformance`` too, and one
that sees leases ``LeasesConformance`` too, and says how it is built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
from netaddr import IPAddress
from sqlalchemy import update

from providers.address_book import AddressBook, Lifetimes
from providers.book import free_space, pending, taken
from providers.book.database import Book
from providers.book.tables import dhcp_hosts
from providers.dhcp.contract import DHCPProvider
from providers.errors import Conflict, Exhausted, InvalidValue, Unavailable
from providers.ipam.local import LocalIPAM
from providers.model import DHCPHost, Pending, Subnet, Use
from tests.conftest import HandClock
from tests.providers.desk import CALLER, Desk, host, mac
from tests.providers.guest_conformance import GuestsOnDHCP
from tests.providers.soundness import assert_sound, dump

HOSTILE = {
    "quote": 'a"b',
    "closing string": '", "hostname": "evil',
    "single quote": "a'b",
    "newline": "a\nb",
    "carriage return": "a\rb",
    "NUL": "a\0b",
    "braces": "a{b}c",
    "closing": "a\"; } host evil { hardware ethernet 52:54:00:00:66:66; fixed-address 10.0.1.6; } #",
    "semicolon": "a;b",
    "hash": "a#b",
    "comma": "a,b",
    "comment": "a/*b*/ //c",
    "include": '<?include "/etc/passwd"?>',
    "include without quotes": "<?include /etc/passwd ?>",
    "backslash": "a\\b",
    "backslash at the end": "a\\",
    "octal escape": "a\\012b",
    "template": "${config} `id` $(id)",
    "percent": "%s%n%x",
    "blank": "a b",
    "unicode": "h\u00f6st-\u4e3b\u673a-\U0001f4bb",
    "right to left": "a\u202eb",
    "line separator": "a\u2028b",
    "tag": "tag:known,set:evil",
    "10 kB": "x" * 10_000,
    "limit of the field": "x" * 128,
}
"""What callers try in names, files and options, to have it read as configuration."""

_FIELDS: dict[str, Callable[[DHCPHost, str], DHCPHost]] = {
    "name": lambda host, text: replace(host, name=text),
    "hostname": lambda host, text: replace(host, hostname=text),
    "filename": lambda host, text: replace(host, filename=text),
    "next_server": lambda host, text: replace(host, next_server=text),
    "sun option": lambda host, text: replace(host, options={"root_path_name": text, "vendor": "sun"}),
    "ztp option": lambda host, text: replace(host, options={"ztp_vendor": text}),
}


class DHCPConformance:
    """Inherit this, and write ``build``."""

    def build(self, book: Book) -> DHCPProvider:
        """A provider on ``book``; the second one of a test meets what the first one left behind."""
        raise NotImplementedError

    def open(self, book: Book, clock: HandClock) -> Desk:
        """A desk with an address book as it is after a start."""
        address_book = AddressBook(book, LocalIPAM(book, {}), self.build(book), lifetimes=Lifetimes(), clock=clock)
        return Desk(address_book, clock)

    @pytest.fixture
    def desk(self, book: Book, clock: HandClock) -> Iterator[Desk]:
        """A desk on an empty book; the book has to be sound when the test is over."""
        yield self.open(book, clock)
        assert_sound(book)

    @pytest.fixture
    def subnet(self, desk: Desk) -> Subnet:
        """10.0.1.0/28 of the group Lab, with its gateway at the end."""
        return desk.add("10.0.1.0/28", gateway="10.0.1.14")

    def test_names_itself(self, desk: Desk):
        assert desk.address_book.dhcp.name.startswith("dhcp_")

    def test_tells_foreman_what_it_can(self, desk: Desk):
        features = desk.address_book.dhcp.capabilities.features
        assert set(features) <= {"dhcp_filename_hostname", "dhcp_filename_ipv4"}

    def test_a_reserved_host_is_found(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        found = desk.address_book.host_of(subnet, mac(1))
        assert (found.name, str(found.address)) == ("host1", "10.0.1.3")

    def test_reserving_twice_is_no_error(self, desk: Desk, subnet: Subnet):
        assert desk.serve(subnet, "10.0.1.3", 1) == desk.serve(subnet, "10.0.1.3", 1)

    def test_releasing_twice_is_no_error(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        assert len(desk.release(subnet, number=1, use=Use.DHCP)) == 1
        assert desk.release(subnet, number=1, use=Use.DHCP) == []

    def test_a_rename_is_a_delete_and_a_create(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1, name="old")
        desk.release(subnet, "10.0.1.3", use=Use.DHCP)
        desk.serve(subnet, "10.0.1.3", 1, name="new")
        assert [each.name for each in desk.address_book.hosts(subnet)] == ["new"]

    def test_a_bond_is_served_until_its_last_mac_goes(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        desk.serve(subnet, "10.0.1.3", 2, related=[1])
        desk.release(subnet, number=1, use=Use.DHCP)
        assert [each.mac for each in desk.address_book.hosts(subnet)] == [mac(2)]

    def test_every_address_is_suggested_once_and_then_none(self, desk: Desk, subnet: Subnet):
        assert len({desk.ask(subnet) for _ in range(13)}) == 13
        with pytest.raises(Exhausted):
            desk.ask(subnet)

    def test_ipv6_is_suggested_and_reserved_as_ever(self, desk: Desk):
        elsewhere = desk.add("2001:db8:1::/64")
        address = desk.ask(elsewhere, 1, use=Use.IPAM)
        assert address == "2001:db8:1::1"
        desk.take(elsewhere, address)
        assert desk.ask(elsewhere, 2, use=Use.IPAM) == "2001:db8:1::2"

    def test_no_leases_where_nobody_was_given_any(self, desk: Desk, subnet: Subnet):
        assert list(desk.address_book.leases(subnet)) == []
        assert desk.address_book.lease_of(subnet, mac(1)) is None
        assert desk.address_book.lease_at(subnet, IPAddress("10.0.1.3")) is None

    def test_hosts_survive_a_restart(self, desk: Desk, subnet: Subnet, clock: HandClock):
        desk.serve(subnet, "10.0.1.3", 1)
        again = self.open(desk.book, clock)
        assert [each.mac for each in again.address_book.hosts(subnet)] == [mac(1)]
        assert len(again.release(subnet, "10.0.1.3", use=Use.DHCP)) == 1


class PublishingConformance(GuestsOnDHCP, DHCPConformance):
    """For a provider with a server that has to be told; write how it is looked at, and how it goes away."""

    def served(self, subnet: Subnet) -> dict[str, str]:
        """What the server serves: MAC to address."""
        raise NotImplementedError

    def go_away(self) -> None:
        """From now on the server does not answer."""
        raise NotImplementedError

    def come_back(self) -> None:
        """The server answers again."""
        raise NotImplementedError

    def test_rule_13_what_is_reserved_is_served(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        assert self.served(subnet) == {mac(1): "10.0.1.3"}

    def test_each_mac_of_a_bond_is_served(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        desk.serve(subnet, "10.0.1.3", 2, related=[1])
        assert self.served(subnet) == {mac(1): "10.0.1.3", mac(2): "10.0.1.3"}

    def test_publishing_and_withdrawing_twice_is_no_error(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        (there,) = desk.address_book.hosts(subnet)
        desk.address_book.dhcp.publish(subnet, there)
        assert self.served(subnet) == {mac(1): "10.0.1.3"}
        self.lose(desk, subnet, there)
        assert self.served(subnet) == {}
        self.lose(desk, subnet, there)
        assert self.served(subnet) == {}

    def test_what_is_released_is_not_served(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        desk.serve(subnet, "10.0.1.4", 2)
        desk.release(subnet, "10.0.1.3", use=Use.DHCP)
        assert self.served(subnet) == {mac(2): "10.0.1.4"}

    def test_an_address_without_host_is_not_served(self, desk: Desk, subnet: Subnet):
        desk.take(subnet, "10.0.1.3")
        desk.ask(subnet, 1)
        assert self.served(subnet) == {}

    def test_a_removed_subnet_serves_nobody(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        desk.address_book.remove_subnet(subnet, CALLER, force=True)
        assert self.served(subnet) == {}

    def test_rule_13_when_publishing_fails_the_book_is_as_before(self, desk: Desk, subnet: Subnet):
        address = desk.ask(subnet, 1)
        before = dump(desk.book, without=("events",))
        self.go_away()
        with pytest.raises(Unavailable):
            desk.serve(subnet, address, 1)
        assert dump(desk.book, without=("events",)) == before
        assert desk.held() == {address: f"mac:{mac(1)}"}
        self.come_back()
        desk.serve(subnet, address, 1)
        assert self.served(subnet) == {mac(1): address}

    def test_rule_13_when_publishing_fails_a_joined_use_stays(self, desk: Desk, subnet: Subnet):
        desk.take(subnet, "10.0.1.3")
        before = dump(desk.book, without=("events",))
        self.go_away()
        with pytest.raises(Unavailable):
            desk.serve(subnet, "10.0.1.3", 1)
        assert dump(desk.book, without=("events",)) == before

    def test_rule_13_when_publishing_fails_the_bond_stays(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        before = dump(desk.book, without=("events",))
        self.go_away()
        with pytest.raises(Unavailable):
            desk.serve(subnet, "10.0.1.3", 2, related=[1])
        assert dump(desk.book, without=("events",)) == before

    def test_rule_10_when_withdrawing_fails_it_can_be_repeated(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        before = dump(desk.book)
        self.go_away()
        with pytest.raises(Unavailable):
            desk.release(subnet, number=1, use=Use.DHCP)
        assert dump(desk.book) == before
        self.come_back()
        assert len(desk.release(subnet, number=1, use=Use.DHCP)) == 1
        assert self.served(subnet) == {}

    def test_publishing_is_not_needed_for_what_has_no_host(self, desk: Desk, subnet: Subnet):
        address = desk.ask(subnet, 1)
        self.go_away()
        desk.take(subnet, address)
        desk.release(subnet, address)

    def test_rule_13_what_is_served_is_read_back(self, desk: Desk, subnet: Subnet):
        booting = host(1, filename="pxelinux.0", name="web1.example.com")
        wanted = replace(booting, next_server="10.0.1.2", address=IPAddress("10.0.1.3"))
        desk.address_book.reserve(subnet, IPAddress("10.0.1.3"), Use.DHCP, CALLER, host=wanted)
        desk.serve(subnet, "10.0.1.2", 2)
        dhcp = desk.address_book.dhcp
        found = list(dhcp.served(subnet))
        assert found == [
            dhcp.as_served(subnet, replace(host(2), address=IPAddress("10.0.1.2"))),
            dhcp.as_served(subnet, wanted),
        ]
        assert (found[1].filename, found[1].next_server) == ("pxelinux.0", "10.0.1.2")

    def test_nothing_is_pending_once_it_is_confirmed(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        with desk.book.read() as connection:
            assert pending.marked(connection, subnet) == []
        assert list(desk.address_book.differences()) == []

    def test_many_at_once_are_all_served(self, desk: Desk, subnet: Subnet):
        wide = desk.add("10.0.2.0/24")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: desk.serve(wide, f"10.0.2.{number}", number), range(10, 50)))
            list(pool.map(lambda number: desk.release(wide, f"10.0.2.{number}"), range(10, 30)))
        assert self.served(wide) == {mac(number): f"10.0.2.{number}" for number in range(30, 50)}

    def test_replace_serves_exactly_what_the_book_has(self, desk: Desk, subnet: Subnet):
        for number in (1, 2, 3):
            desk.serve(subnet, f"10.0.1.{number}", number)
        self.forget(desk, subnet, mac(1))
        _change(desk, subnet, 2, filename="other.0")
        wanted = [each for each in desk.address_book.hosts(subnet) if each.mac != mac(1)]
        desk.address_book.dhcp.replace(subnet, wanted)
        assert self.served(subnet) == {mac(2): "10.0.1.2", mac(3): "10.0.1.3"}
        assert {each.filename for each in desk.address_book.dhcp.served(subnet)} == {"other.0", None}

    def test_sync_adds_what_the_server_lacks(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        (there,) = desk.address_book.hosts(subnet)
        self.lose(desk, subnet, there)
        (difference,) = desk.address_book.differences()
        assert difference.missing == (there,)
        desk.address_book.sync(CALLER, most_percent=0)
        assert self.served(subnet) == {mac(1): "10.0.1.3"}
        assert list(desk.address_book.differences()) == []

    def test_sync_changes_what_the_server_has_otherwise(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        _change(desk, subnet, 1, filename="other.0")
        (difference,) = desk.address_book.differences()
        assert [(was.filename, becomes.filename) for was, becomes in difference.changed] == [(None, "other.0")]
        desk.address_book.sync(CALLER, most_percent=20)
        assert [each.filename for each in desk.address_book.dhcp.served(subnet)] == ["other.0"]

    def test_sync_removes_what_the_book_does_not_have(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        self.forget(desk, subnet, mac(1))
        desk.address_book.sync(CALLER, most_percent=20)
        assert self.served(subnet) == {}

    def test_sync_that_would_remove_much_is_refused_unless_forced(self, desk: Desk, subnet: Subnet):
        for number in range(1, 12):
            desk.serve(subnet, f"10.0.1.{number}", number)
        for number in range(1, 12):
            self.forget(desk, subnet, mac(number))
        with pytest.raises(Conflict, match="11 would go"):
            desk.address_book.sync(CALLER, most_percent=20)
        assert len(self.served(subnet)) == 11
        desk.address_book.sync(CALLER, most_percent=20, force=True)
        assert self.served(subnet) == {}

    def test_a_crash_before_publishing_is_healed(self, desk: Desk, subnet: Subnet, monkeypatch: pytest.MonkeyPatch):
        with monkeypatch.context() as patch:
            patch.setattr(desk.address_book, "_serve", lambda *_: True)
            desk.serve(subnet, "10.0.1.3", 1)
        assert self.served(subnet) == {}
        desk.address_book.sync(CALLER, most_percent=20)
        assert self.served(subnet) == {mac(1): "10.0.1.3"}
        assert list(desk.address_book.differences()) == []

    def test_a_crash_while_withdrawing_is_healed(self, desk: Desk, subnet: Subnet, clock: HandClock):
        desk.serve(subnet, "10.0.1.3", 1)
        with desk.book.engine.begin() as connection:
            pending.mark(connection, subnet, mac(1), Pending.WITHDRAW, clock())
        desk.address_book.sync(CALLER, most_percent=20)
        assert desk.at(subnet, "10.0.1.3") is not None
        clock.pass_(minutes=3)
        assert desk.address_book.has_abandoned()
        desk.address_book.sync(CALLER, most_percent=20)
        assert desk.at(subnet, "10.0.1.3") is None
        assert self.served(subnet) == {}

    def test_it_says_how_it_is(self, desk: Desk, subnet: Subnet):
        assert desk.address_book.dhcp.health().ok
        self.go_away()
        health = desk.address_book.dhcp.health()
        assert not health.ok
        assert health.detail
        self.come_back()
        assert desk.address_book.dhcp.health().ok

    @pytest.mark.parametrize("field", _FIELDS)
    def test_nothing_of_a_caller_becomes_configuration(self, desk: Desk, subnet: Subnet, field: str):
        """Each text is refused, or served to that host as it is and read back; the others go on being served."""
        desk.serve(subnet, "10.0.1.3", 1)
        dhcp = desk.address_book.dhcp
        for number, (what, text) in enumerate(HOSTILE.items(), 100):
            wanted = replace(_FIELDS[field](host(number), text), address=IPAddress("10.0.1.5"))
            with suppress(InvalidValue):
                desk.address_book.reserve(subnet, IPAddress("10.0.1.5"), Use.DHCP, CALLER, host=wanted)
                there = {each.mac: each for each in dhcp.served(subnet)}
                assert there.get(wanted.mac) == dhcp.as_served(subnet, wanted), what
                assert set(there) == {mac(1), wanted.mac}, what
                desk.release(subnet, "10.0.1.5")
            assert self.served(subnet) == {mac(1): "10.0.1.3"}, what

    def forget(self, desk: Desk, subnet: Subnet, unknown: str) -> None:
        """Let the book know nothing of a host that is served."""
        with desk.book.engine.begin() as connection:
            there = taken.host_of(connection, subnet, unknown)
            assert there is not None
            assert there.address is not None
            taken.remove(connection, subnet, there.address)
            free_space.give(connection, subnet.id, there.address)

    def lose(self, desk: Desk, subnet: Subnet, host: DHCPHost) -> None:
        """Let the server know nothing of a host that is in the book."""
        with desk.book.engine.begin() as connection:
            pending.mark(connection, subnet, host.mac, Pending.WITHDRAW, desk.clock())
        desk.address_book.dhcp.withdraw(subnet, host)
        with desk.book.engine.begin() as connection:
            pending.clear(connection, subnet, host.mac)


def _change(desk: Desk, subnet: Subnet, number: int, **values: str) -> None:
    """Change a host in the book alone."""
    where = (dhcp_hosts.c.subnet_id == subnet.id, dhcp_hosts.c.mac == mac(number))
    with desk.book.engine.begin() as connection:
        connection.execute(update(dhcp_hosts).where(*where).values(values))


class LeasesConformance(DHCPConformance):
    """For a provider that sees what its server gives out on its own; write how the server does that."""

    def give_lease(self, subnet: Subnet, address: str, mac: str) -> None:
        """The server gives an address out, and the provider has noticed."""
        raise NotImplementedError

    def test_leases_are_listed_by_address(self, desk: Desk, subnet: Subnet):
        for number in (3, 1, 2):
            self.give_lease(subnet, f"10.0.1.{number}", mac(number))
        assert [str(each.address) for each in desk.address_book.leases(subnet)] == ["10.0.1.1", "10.0.1.2", "10.0.1.3"]

    def test_leases_are_found_by_mac_and_by_address(self, desk: Desk, subnet: Subnet):
        self.give_lease(subnet, "10.0.1.3", mac(1))
        assert str(desk.address_book.lease_of(subnet, mac(1)).address) == "10.0.1.3"
        assert desk.address_book.lease_at(subnet, IPAddress("10.0.1.3")).mac == mac(1)

    def test_leases_are_those_of_the_subnet(self, desk: Desk, subnet: Subnet):
        other = desk.add("10.0.2.0/28")
        self.give_lease(other, "10.0.2.3", mac(1))
        assert list(desk.address_book.leases(subnet)) == []
        assert desk.address_book.lease_of(subnet, mac(1)) is None

    def test_rule_8_active_leases_are_not_suggested_to_others(self, desk: Desk, subnet: Subnet):
        for last in (1, 2, 4):
            self.give_lease(subnet, f"10.0.1.{last}", mac(last))
        assert desk.ask(subnet, 77) == "10.0.1.3"
        assert desk.ask(subnet, 78) == "10.0.1.5"

    def test_rule_8_nothing_is_left_when_everything_is_leased(self, desk: Desk, subnet: Subnet):
        for last in range(1, 14):
            self.give_lease(subnet, f"10.0.1.{last}", mac(last))
        with pytest.raises(Exhausted):
            desk.ask(subnet, 77)

    def test_rule_8_the_callers_own_lease_is_returned(self, desk: Desk, subnet: Subnet):
        self.give_lease(subnet, "10.0.1.3", mac(1))
        assert desk.ask(subnet, 1) == "10.0.1.3"
        assert desk.held() == {"10.0.1.3": f"mac:{mac(1)}"}

    def test_rule_8_the_callers_own_lease_counts_inside_the_range_only(self, desk: Desk, subnet: Subnet):
        self.give_lease(subnet, "10.0.1.3", mac(1))
        assert desk.ask(subnet, 1, span="10.0.1.5-10.0.1.9") == "10.0.1.5"

    def test_rule_8_the_callers_own_lease_is_not_returned_when_somebody_reserved_it(self, desk: Desk, subnet: Subnet):
        self.give_lease(subnet, "10.0.1.3", mac(1))
        desk.serve(subnet, "10.0.1.3", 2)
        assert desk.ask(subnet, 1) == "10.0.1.1"

    def test_rule_4_a_leased_address_may_be_reserved_by_naming_it(self, desk: Desk, subnet: Subnet):
        self.give_lease(subnet, "10.0.1.3", mac(1))
        assert desk.serve(subnet, "10.0.1.3", 2).hosts[0].mac == host(2).mac

    def test_the_own_host_goes_before_the_own_lease(self, desk: Desk, subnet: Subnet):
        self.give_lease(subnet, "10.0.1.3", mac(1))
        desk.serve(subnet, "10.0.1.9", 1)
        assert desk.ask(subnet, 1) == "10.0.1.9"
