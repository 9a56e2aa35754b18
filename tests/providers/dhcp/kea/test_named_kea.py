"""The suites on a Kea with host_cmds, where the environment names one: see ``named_kea``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from netaddr import IPAddress
from sqlalchemy import make_url

from providers.book.database import Book
from providers.dhcp.contract import DHCPProvider
from providers.dhcp.kea.control import Control, Result
from providers.dhcp.kea.provider import KeaDHCP
from providers.errors import Conflict, InvalidValue, Unavailable
from providers.model import Subnet
from tests.providers.desk import CALLER, Desk, host, mac
from tests.providers.dhcp.conformance import LeasesConformance, PublishingConformance
from tests.providers.dhcp.kea.named_kea import NamedKea, kea_database, named_root
from tests.providers.dhcp.kea.running_kea import kea_directory
from tests.providers.soundness import dump

SUBNETS = {"10.0.1.0/28": 11, "10.0.2.0/24": 12, "10.0.2.0/28": 13}
FOREIGN = {"hw-address": mac(90), "ip-address": "10.0.1.9", "hostname": "theirs"}


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """A database with Kea's tables."""
    with kea_database() as url:
        yield url


class _Named(PublishingConformance, LeasesConformance):
    """How the suites look at such a Kea."""

    # Not skipped without one, but not there: Debian 12 has none.
    __test__ = False

    kea: NamedKea

    def running(self, **how: object) -> Iterator[None]:
        with kea_directory() as directory:
            self.kea = NamedKea(directory, **how)  # type: ignore[arg-type]
            for cidr, number in SUBNETS.items():
                self.kea.add_subnet(number, cidr)
            self.kea.start()
            try:
                yield
            finally:
                self.kea.stop()

    def build(self, book: Book) -> DHCPProvider:
        return KeaDHCP(book, self.kea.settings)

    def served(self, subnet: Subnet) -> dict[str, str]:
        return self.kea.served(str(subnet))

    def go_away(self) -> None:
        self.kea.stop()

    def come_back(self) -> None:
        self.kea.start()

    def give_lease(self, subnet: Subnet, address: str, mac: str) -> None:
        ends = int(time.time()) + 3600
        number = SUBNETS[str(subnet)]
        lease = {"ip-address": address, "hw-address": mac, "subnet-id": number, "expire": ends, "valid-lft": 3600}
        self.kea.command("lease4-add", lease)

    def test_what_is_served_survives_a_restart_of_kea(self, desk: Desk, subnet: Subnet):
        for number in (1, 2):
            desk.serve(subnet, f"10.0.1.{number}", number)
        desk.release(subnet, "10.0.1.1")
        self.kea.stop()
        self.kea.start()
        assert self.served(subnet) == {mac(2): "10.0.1.2"}


class TestFiles(_Named):
    """Without host_cmds loaded."""

    __test__ = named_root() is not None

    @pytest.fixture(autouse=True)
    def _a_server(self) -> Iterator[None]:
        yield from self.running(host_commands=False)

    def test_it_goes_on_when_somebody_broke_its_configuration_file(self, desk: Desk, subnet: Subnet):
        """3.0.3 has no leases after a config-reload refused for what it means, and would answer nobody."""
        desk.serve(subnet, "10.0.1.3", 1)
        self.give_lease(subnet, "10.0.1.9", mac(9))
        whole = self.kea.configuration.read_text()
        self.kea.configuration.write_text(whole.replace('"id": 13', '"id": 12'))
        with pytest.raises(Unavailable, match="refused config-reload"):
            desk.serve(subnet, "10.0.1.4", 2)
        assert self.kea.command("lease4-get", {"ip-address": "10.0.1.9"})["hw-address"] == mac(9)
        assert self.served(subnet) == {mac(1): "10.0.1.3"}
        self.kea.configuration.write_text(whole)
        desk.serve(subnet, "10.0.1.4", 2)
        assert self.served(subnet) == {mac(1): "10.0.1.3", mac(2): "10.0.1.4"}


class _Commands(_Named):
    """With host_cmds."""

    def test_it_is_told_by_commands(self, desk: Desk):
        assert desk.address_book.dhcp.health().detail.endswith("told by reservation-add")

    def test_an_address_that_somebody_else_reserved_is_a_conflict(self, desk: Desk, subnet: Subnet):
        self.kea.command("reservation-add", {"reservation": {"subnet-id": 11, **FOREIGN}, "operation-target": "memory"})
        with pytest.raises(Conflict, match=f"somebody else for 10.0.1.9: {mac(90)}"):
            desk.serve(subnet, "10.0.1.9", 1)
        assert desk.at(subnet, "10.0.1.9") is None
        assert self.served(subnet) == {mac(90): "10.0.1.9"}
        assert list(desk.address_book.differences()) == []

    def test_a_mac_that_somebody_else_reserved_is_a_conflict(self, desk: Desk, subnet: Subnet):
        foreign = {"subnet-id": 11, **FOREIGN, "hw-address": mac(1)}
        self.kea.command("reservation-add", {"reservation": foreign, "operation-target": "memory"})
        with pytest.raises(Conflict, match=f"somebody else for {mac(1)}"):
            desk.serve(subnet, "10.0.1.3", 1)
        assert self.served(subnet) == {mac(1): "10.0.1.9"}

    def test_a_bond_is_refused_with_advice_where_addresses_are_unique(self, desk: Desk, subnet: Subnet):
        self.kea.command("config-set", self._changed({"ip-reservations-unique": True}))
        desk.serve(subnet, "10.0.1.3", 1)
        with pytest.raises(InvalidValue, match='"ip-reservations-unique": false'):
            desk.serve(subnet, "10.0.1.3", 2, related=[1])
        assert self.served(subnet) == {mac(1): "10.0.1.3"}

    def test_a_subnet_with_another_number_is_found(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        changed = self._changed({})
        for each in changed["Dhcp4"]["subnet4"]:
            each["id"] += 100
        self.kea.command("config-set", changed)
        desk.serve(subnet, "10.0.1.4", 2)
        there = self.kea.command("reservation-get-all", {"subnet-id": 111})["hosts"]
        assert mac(2) in {each["hw-address"] for each in there}

    def _changed(self, values: dict[str, object]) -> dict[str, dict]:
        dhcp4 = self.kea.command("config-get")["Dhcp4"]
        return {"Dhcp4": dhcp4 | values}


class TestInMemory(_Commands):
    """Over the Unix socket; reservations are saved into the configuration file."""

    __test__ = named_root() is not None

    @pytest.fixture(autouse=True)
    def _a_server(self) -> Iterator[None]:
        yield from self.running()

    def test_what_could_not_be_saved_is_not_told_as_served(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        away = self.kea.configuration.rename(self.kea.directory / "away")
        self.kea.configuration.mkdir()
        with pytest.raises(Unavailable, match="config-write"):
            desk.serve(subnet, "10.0.1.4", 2)
        with pytest.raises(Unavailable, match="config-write"):
            desk.release(subnet, "10.0.1.3")
        self.kea.configuration.rmdir()
        away.rename(self.kea.configuration)
        desk.release(subnet, "10.0.1.3")
        self.kea.stop()
        self.kea.start()
        assert self.served(subnet) == {}


class TestInDatabase(_Commands):
    """Over HTTP; reservations are in PostgreSQL."""

    __test__ = named_root() is not None

    @pytest.fixture(autouse=True)
    def _a_server(self, database: str) -> Iterator[None]:
        url = make_url(database)
        self.administrator = {"host": str(url.query["host"]), "user": url.username}
        self._administer(str(url.database), "TRUNCATE hosts CASCADE")
        yield from self.running(database=database, over_http=True)

    def test_the_configuration_file_stays_as_it_is(self, desk: Desk, subnet: Subnet):
        before = self.kea.configuration.read_text()
        desk.serve(subnet, "10.0.1.3", 1)
        desk.release(subnet, "10.0.1.3")
        assert self.kea.configuration.read_text() == before

    def test_nothing_is_taken_for_gone_while_kea_has_lost_its_database(self, desk: Desk, subnet: Subnet):
        desk.serve(subnet, "10.0.1.3", 1)
        before = dump(desk.book, without=("events",))
        with self._without_database():
            for _ in range(2):
                # At first Kea says that it lost it, and afterwards that there is no such host.
                with pytest.raises(Unavailable):
                    desk.release(subnet, "10.0.1.3")
                with pytest.raises(Unavailable):
                    desk.serve(subnet, "10.0.1.4", 2)
            with pytest.raises(Unavailable):
                list(desk.address_book.differences())
            assert dump(desk.book, without=("events",)) == before
        assert self.served(subnet) == {mac(1): "10.0.1.3"}
        desk.release(subnet, "10.0.1.3")
        assert self.served(subnet) == {}

    def test_ours_of_the_time_before_the_database_are_changed_and_deleted_too(self, desk: Desk, subnet: Subnet):
        for number in (1, 2):
            desk.serve(subnet, f"10.0.1.{number}", number)
            self._move_into_memory(number)
        desk.release(subnet, "10.0.1.1")
        changed = replace(host(2, filename="other.0"), address=IPAddress("10.0.1.2"))
        desk.address_book.dhcp.publish(subnet, changed)
        assert [each.filename for each in desk.address_book.dhcp.served(subnet)] == ["other.0"]
        self.kea.stop()
        self.kea.start()
        assert self.served(subnet) == {mac(2): "10.0.1.2"}
        desk.address_book.sync(CALLER, most_percent=100)

    def _move_into_memory(self, number: int) -> None:
        named = {"subnet-id": 11, "identifier-type": "hw-address", "identifier": mac(number)}
        there = self.kea.command("reservation-get", named)
        self.kea.command("reservation-del", {**named, "operation-target": "database"})
        self.kea.command("reservation-add", {"reservation": there, "operation-target": "memory"})

    @contextmanager
    def _without_database(self) -> Iterator[None]:
        """Kea is without it inside, and has it again afterwards."""
        self._allow(False)
        try:
            yield
        finally:
            self._allow(True)
        control = Control(self.kea.settings)
        named = {"subnet-id": 11, "identifier-type": "hw-address", "identifier": mac(99)}
        nobody = {**named, "operation-target": "database"}
        deadline = time.monotonic() + 30
        while control.command("reservation-del", nobody, bear=(Result.ERROR, Result.EMPTY)).result != Result.EMPTY:
            assert time.monotonic() < deadline, self.kea.log.read_text()
            time.sleep(0.05)

    def _allow(self, connections: bool) -> None:
        self._administer(
            "template1",
            f"ALTER DATABASE postgres ALLOW_CONNECTIONS {str(connections).lower()}",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres'",
        )

    def _administer(self, database: str, *statements: str) -> None:
        # Not above: whoever names no Kea does not need the driver.
        import psycopg

        with psycopg.connect(**self.administrator, dbname=database, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)
