"""A Kea that is stopped, hangs or refuses in the middle of a request: the caller hears it, and both agree again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from netaddr import IPAddress

from providers.address_book import AddressBook
from providers.dhcp.kea.control import Answer, Control
from providers.dhcp.kea.provider import KeaDHCP
from providers.errors import InvalidValue, LeaseholdError, Unavailable, Unreached
from providers.model import Subnet, Use
from tests.providers.desk import CALLER, Desk, host, mac
from tests.providers.dhcp.kea.running_kea import Kea, kea_directory
from tests.providers.soundness import dump


@pytest.fixture
def kea() -> Iterator[Kea]:
    """A running Kea with one subnet, which insists that an address has one MAC."""
    with kea_directory() as directory:
        server = Kea(directory)
        server.add_subnet(1, "10.0.1.0/28")
        server.more["ip-reservations-unique"] = True
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def address_book(address_book: AddressBook, kea: Kea) -> AddressBook:
    """The address book of every test here has that Kea."""
    address_book.dhcp = KeaDHCP(address_book.book, kea.settings)
    return address_book


@pytest.fixture
def subnet(desk: Desk) -> Subnet:
    """10.0.1.0/28 with a host that is served."""
    subnet = desk.add("10.0.1.0/28")
    desk.serve(subnet, "10.0.1.3", 1)
    return subnet


def served(kea: Kea) -> dict[str, str]:
    return kea.served("10.0.1.0/28")


def hang(desk: Desk, kea: Kea) -> None:
    """Let Kea hang, and the address book not wait for it long."""
    kea.hang()
    desk.address_book.dhcp._control._seconds = 0.5


def go_on(desk: Desk, kea: Kea) -> None:
    """Let it go on, and the address book be patient again."""
    desk.address_book.dhcp._control._seconds = kea.settings["timeout"]
    kea.go_on()


def when(monkeypatch: pytest.MonkeyPatch, command: str, happens: Callable[[], object]) -> None:
    """Let something happen just before the next ``command``."""
    real = Control.command

    def with_trouble(self: Control, name: str, *arguments: object, **more: object) -> object:
        if name == command:
            monkeypatch.setattr(Control, "command", real)
            happens()
        return real(self, name, *arguments, **more)

    monkeypatch.setattr(Control, "command", with_trouble)


@pytest.mark.parametrize("command", ["config-get", "config-test", "config-reload"])
class TestInMidRequest:
    """Whatever Kea was asked last: the caller gets Unavailable, and nothing is kept."""

    def test_it_hangs(self, desk: Desk, subnet: Subnet, kea: Kea, monkeypatch, command):
        before = dump(desk.book, without=("events", "rests"))
        when(monkeypatch, command, lambda: hang(desk, kea))
        with pytest.raises(Unavailable, match="has not answered"):
            desk.serve(subnet, "10.0.1.4", 2)
        assert dump(desk.book, without=("events", "rests")) == before
        go_on(desk, kea)
        desk.address_book.sync(CALLER, most_percent=20)
        assert served(kea) == {mac(1): "10.0.1.3"}
        assert list(desk.address_book.differences()) == []

    def test_it_is_killed(self, desk: Desk, subnet: Subnet, kea: Kea, monkeypatch, command):
        when(monkeypatch, command, kea.stop)
        with pytest.raises(Unavailable, match="cannot be reached"):
            desk.serve(subnet, "10.0.1.4", 2)
        assert desk.at(subnet, "10.0.1.4") is None
        kea.start()
        assert served(kea) == {mac(1): "10.0.1.3"}
        desk.serve(subnet, "10.0.1.4", 2)
        assert served(kea) == {mac(1): "10.0.1.3", mac(2): "10.0.1.4"}

    def test_it_hangs_while_a_host_goes(self, desk: Desk, subnet: Subnet, kea: Kea, monkeypatch, command):
        before = dump(desk.book)
        when(monkeypatch, command, lambda: hang(desk, kea))
        with pytest.raises(Unavailable):
            desk.release(subnet, "10.0.1.3", use=Use.DHCP)
        assert dump(desk.book) == before
        go_on(desk, kea)
        desk.address_book.sync(CALLER, most_percent=20)
        assert served(kea) == {mac(1): "10.0.1.3"}
        assert len(desk.release(subnet, "10.0.1.3", use=Use.DHCP)) == 1
        assert served(kea) == {}


def test_one_that_stops_after_somebody_elses_reload_brought_the_host_in_was_told_something(desk, subnet, kea):
    """It serves that when it is started again."""
    (there,) = desk.address_book.hosts(subnet)
    kea.stop()
    for known, unreached in ((there, False), (replace(there, mac=mac(2)), True)):
        with pytest.raises(Unavailable, match="cannot be reached") as caught:
            desk.address_book.dhcp.publish(subnet, known)
        assert isinstance(caught.value, Unreached) is unreached


def test_somebody_broke_its_configuration_file(desk: Desk, subnet: Subnet, kea: Kea):
    whole = kea.configuration.read_text()
    kea.configuration.write_text(whole.replace("interfaces-config", "interfaces-confusion"))
    with pytest.raises(Unavailable, match="refused config-reload"):
        desk.serve(subnet, "10.0.1.4", 2)
    assert desk.at(subnet, "10.0.1.4") is None
    assert served(kea) == {mac(1): "10.0.1.3"}
    assert mac(2) not in (kea.includes / "10.0.1.0-28.json").read_text()
    kea.configuration.write_text(whole)
    desk.serve(subnet, "10.0.1.4", 2)
    assert served(kea) == {mac(1): "10.0.1.3", mac(2): "10.0.1.4"}


@pytest.mark.parametrize(("result", "text"), [(1, "no current lease manager is available"), (2, "not supported")])
def test_a_kea_without_leases_is_given_the_configuration_it_had(desk, subnet, kea, monkeypatch, result, text):
    """As 3.0.3 is after a refused config-reload, for as long as its file is broken."""
    real = Control.command
    asked = []

    def without_leases(self: Control, name: str, *arguments: object, **more: object) -> object:
        asked.append(name)
        return Answer(result, text) if name == "lease4-get" else real(self, name, *arguments, **more)

    monkeypatch.setattr(Control, "command", without_leases)
    whole = kea.configuration.read_text()
    kea.configuration.write_text(whole.replace("interfaces-config", "interfaces-confusion"))
    with pytest.raises(Unavailable, match="refused config-reload"):
        desk.serve(subnet, "10.0.1.4", 2)
    assert asked[-1] == "config-set"
    assert served(kea) == {mac(1): "10.0.1.3"}
    kea.configuration.write_text(whole)
    desk.serve(subnet, "10.0.1.4", 2)
    assert served(kea) == {mac(1): "10.0.1.3", mac(2): "10.0.1.4"}


def test_its_configuration_does_not_include_the_file(desk: Desk, subnet: Subnet, kea: Kea):
    text = kea.configuration.read_text()
    kea.configuration.write_text(text.replace(f'<?include "{kea.includes}/10.0.1.0-28.json"?>', "[]"))
    with pytest.raises(Unavailable, match=r'needs "reservations": <\?include ".*/10\.0\.1\.0-28\.json"\?>'):
        desk.serve(subnet, "10.0.1.4", 2)
    assert desk.at(subnet, "10.0.1.4") is None


def test_it_does_not_know_the_subnet(desk: Desk):
    unknown = desk.add("10.0.9.0/24")
    with pytest.raises(InvalidValue, match=r"Kea has no subnet 10\.0\.9\.0/24"):
        desk.serve(unknown, "10.0.9.3", 9)
    assert desk.at(unknown, "10.0.9.3") is None
    assert list(desk.address_book.differences()) == []


class TestBondWhereAddressesAreUnique:
    """Kea takes one MAC for an address, unless its configuration says otherwise."""

    def test_the_second_mac_is_refused_and_what_to_do_is_said(self, desk: Desk, subnet: Subnet, kea: Kea):
        with pytest.raises(InvalidValue, match='"ip-reservations-unique": false'):
            desk.serve(subnet, "10.0.1.3", 2, related=[1])
        assert [each.mac for each in desk.at(subnet, "10.0.1.3").hosts] == [mac(1)]
        assert served(kea) == {mac(1): "10.0.1.3"}

    def test_others_at_the_same_time_are_served(self, desk: Desk, subnet: Subnet, kea: Kea, monkeypatch):
        """What Kea refuses is left out, and the one who asks with it in the book gets what it wants."""
        with monkeypatch.context() as patch:
            patch.setattr(desk.address_book, "_serve", lambda *_: True)
            desk.serve(subnet, "10.0.1.3", 2, related=[1])
        desk.serve(subnet, "10.0.1.5", 5)
        assert served(kea) == {mac(1): "10.0.1.3", mac(5): "10.0.1.5"}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"filename": "x" * 128}, "at most 127"),
        ({"filename": "böot"}, "ASCII"),
        ({"next_server": "tftp.example.com"}, "IPv4 address"),
        ({"hostname": "web 1"}, "host name"),
        ({"hostname": "-web"}, "host name"),
        ({"hostname": f"{'x' * 64}.example.com"}, "host name"),
        ({"options": {"ztp_vendor": "cisco"}}, "ztp_vendor"),
    ],
    ids=str,
)
def test_what_it_can_never_serve_is_refused_beforehand(desk: Desk, subnet: Subnet, values, reason):
    wanted = replace(host(7), **values)
    before = dump(desk.book)
    with pytest.raises(InvalidValue, match=reason):
        desk.address_book.reserve(subnet, IPAddress("10.0.1.7"), Use.DHCP, CALLER, host=wanted)
    assert dump(desk.book) == before


class TestSomebodyElseConfiguresIt:
    """Within the second in which Leasehold let it read its configuration, which Kea cannot tell apart."""

    def test_a_new_subnet_is_found(self, desk: Desk, subnet: Subnet, kea: Kea):
        kea.add_subnet(2, "10.0.2.0/24")
        self._read(kea)
        added = desk.add("10.0.2.0/24")
        desk.serve(added, "10.0.2.3", 2)
        assert kea.served("10.0.2.0/24") == {mac(2): "10.0.2.3"}

    def test_what_it_takes_now_is_taken(self, desk: Desk, subnet: Subnet, kea: Kea, monkeypatch):
        kea.more["ip-reservations-unique"] = False
        self._read(kea)
        with monkeypatch.context() as patch:
            patch.setattr(desk.address_book, "_serve", lambda *_: True)
            desk.serve(subnet, "10.0.1.3", 2, related=[1])
        desk.address_book.dhcp.replace(subnet, ())
        assert served(kea) == {mac(1): "10.0.1.3", mac(2): "10.0.1.3"}

    def test_what_it_takes_no_longer_is_refused(self, desk: Desk, subnet: Subnet, kea: Kea):
        kea.more["ip-reservations-unique"] = False
        self._read(kea)
        desk.serve(subnet, "10.0.1.4", 4)
        kea.more["ip-reservations-unique"] = True
        self._read(kea)
        with pytest.raises(LeaseholdError):
            desk.serve(subnet, "10.0.1.4", 5, related=[4])
        assert served(kea) == {mac(1): "10.0.1.3", mac(4): "10.0.1.4"}
        desk.serve(subnet, "10.0.1.6", 6)
        assert served(kea) == {mac(1): "10.0.1.3", mac(4): "10.0.1.4", mac(6): "10.0.1.6"}

    def _read(self, kea: Kea) -> None:
        kea.write()
        kea.command("config-reload")
