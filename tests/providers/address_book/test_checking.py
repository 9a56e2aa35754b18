"""Checking and mending: damage of every kind is planted into the tables, found, and repaired where that is promised."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass

import pytest
from netaddr import IPAddress

from providers.address_book import AddressBook, Lifetimes
from providers.book.columns import Address
from providers.book.database import Book
from providers.book.soundness.finding import Finding
from providers.dhcp.none import NoDHCP
from providers.ipam.local import LocalIPAM
from providers.model import Use
from tests.conftest import HandClock
from tests.providers.desk import CALLER, Desk
from tests.providers.ipam.remote_double import RemoteIPAM, Upstream
from tests.providers.soundness import assert_sound, dump

NOW = 1_767_323_045_000_000
OUTER, INNER, OTHER, SIX = 1, 2, 3, 4


def x(address: str) -> str:
    """An address as the tables have it, for SQL."""
    octets = Address().process_bind_param(IPAddress(address), None)
    return f"X'{octets.hex()}'"


def reserve(subnet: int, address: str, use: str | None = "manual") -> list[str]:
    """Statements that take an address, but not out of the free space."""
    columns = "subnet_id, address, name, created_at, changed_at"
    taken = [f"INSERT INTO reservations ({columns}) VALUES ({subnet}, {x(address)}, 'n', {NOW}, {NOW})"]
    return taken + ([f"INSERT INTO uses VALUES ({subnet}, {x(address)}, '{use}', {NOW})"] if use else [])


def host(subnet: int, mac: str, address: str, name: str) -> str:
    columns = "subnet_id, mac, address, name, hostname, options"
    return f"INSERT INTO dhcp_hosts ({columns}) VALUES ({subnet}, '{mac}', {x(address)}, '{name}', '{name}', '{{}}')"


def hold(subnet: int, address: str, key: str, until: int = NOW * 2) -> str:
    return f"INSERT INTO holds VALUES ({subnet}, {x(address)}, '{key}', NULL, {NOW}, {until})"


def rest(subnet: int, address: str) -> str:
    return f"INSERT INTO rests VALUES ({subnet}, {x(address)}, NULL, {NOW * 2})"


def bare(table: str) -> list[str]:
    """The table without its keys and constraints, as after an index was lost."""
    return [f"CREATE TABLE bare AS SELECT * FROM {table}", f"DROP TABLE {table}", f"ALTER TABLE bare RENAME TO {table}"]


@dataclass(frozen=True)
class Damage:
    """``plant`` makes it; a finding of ``kind`` has to say ``says``; ``mended`` is whether a repair is promised."""

    name: str
    plant: list[str]
    kind: str
    says: str
    mended: bool = True


def guest(number: int, *, state: str = "running") -> str:
    columns = "id, revision, cluster, name, node, state, event_at, created_at, changed_at"
    row = f"{number}, 1, 'east', 'guest{number}', 'a', '{state}', {NOW}, {NOW}, {NOW}"
    return f"INSERT INTO guests ({columns}) VALUES ({row})"


def of_guest(number: int, subnet: int, address: str, *, shared: bool = False) -> str:
    columns = "guest_id, address, position, subnet_id, shared, told, leaving"
    return f"INSERT INTO guest_addresses ({columns}) VALUES ({number}, {x(address)}, 0, {subnet}, {shared:d}, 1, 0)"


FREE = "UPDATE free_space SET"
DAMAGES = [
    Damage("run missing", ["DELETE FROM free_space WHERE subnet_id = 3"], "free_space", "nothing is written"),
    Damage("run too long", [f"{FREE} first = {x('10.0.1.1')} WHERE subnet_id = 1 AND last = (SELECT MIN(last) FROM "
                            "free_space WHERE subnet_id = 1)"], "free_space", "10.0.1.1-10.0.1.6 is written"),
    Damage("run too short", [f"{FREE} last = {x('10.0.3.200')} WHERE subnet_id = 3"], "free_space", "10.0.3.200"),
    Damage("run upside down", [f"INSERT INTO free_space VALUES (3, {x('10.0.3.9')}, {x('10.0.3.50')})"],
           "free_space", "10.0.3.50-10.0.3.9"),
    Damage("runs overlap", [f"INSERT INTO free_space VALUES (3, {x('10.0.3.9')}, {x('10.0.3.1')})"],
           "free_space", "10.0.3.1-10.0.3.9"),
    Damage("runs touch", [f"{FREE} first = {x('10.0.3.10')} WHERE subnet_id = 3",
                          f"INSERT INTO free_space VALUES (3, {x('10.0.3.9')}, {x('10.0.3.1')})"],
           "free_space", "10.0.3.1-10.0.3.9 is written"),
    Damage("run out of bounds", [f"{FREE} last = {x('10.0.4.9')} WHERE subnet_id = 3"], "free_space", "10.0.4.9"),
    Damage("run of the other family", [f"INSERT INTO free_space VALUES (3, {x('::9')}, {x('::1')})"],
           "free_space", "::1-::9"),
    Damage("run in a subnet inside", [f"INSERT INTO free_space VALUES (1, {x('10.0.1.150')}, {x('10.0.1.140')})"],
           "free_space", "10.0.1.140-10.0.1.150"),
    Damage("IPv6 run", [f"{FREE} first = {x('2001:db8::')} WHERE subnet_id = 4"], "free_space", "2001:db8::-"),
    Damage("reservation without use", ["DELETE FROM uses WHERE use = 'ipam'"], "use", "10.0.1.9 is reserved"),
    Damage("host without use", ["DELETE FROM uses WHERE use = 'dhcp'"], "use", "10.0.1.7 has a DHCP host"),
    Damage("use without host", ["DELETE FROM dhcp_hosts"], "use", "10.0.1.7 has the use dhcp"),
    Damage("one use of two without host", ["DELETE FROM dhcp_hosts",
                                           f"INSERT INTO uses VALUES (1, {x('10.0.1.7')}, 'ipam', {NOW})"],
           "use", "10.0.1.7 has the use dhcp"),
    Damage("unknown use", ["UPDATE uses SET use = 'party' WHERE use = 'ipam'"], "use", "party"),
    Damage("use without reservation", [f"INSERT INTO uses VALUES (3, {x('10.0.3.9')}, 'ipam', {NOW})"],
           "orphan", "10.0.3.9 has the use ipam"),
    Damage("host without reservation", [host(3, "52:54:00:00:00:77", "10.0.3.9", "lost")], "orphan", "lost"),
    Damage("everything but the reservation", [f"DELETE FROM reservations WHERE address = {x('10.0.1.7')}"],
           "orphan", "10.0.1.7 has the DHCP host"),
    Damage("uses of no subnet", [f"INSERT INTO uses VALUES (99, {x('10.9.9.9')}, 'ipam', {NOW})"], "orphan", "uses"),
    Damage("hosts of no subnet", [host(99, "52:54:00:00:00:77", "10.9.9.9", "lost")], "orphan", "dhcp_hosts"),
    Damage("reservation of no subnet", reserve(99, "10.9.9.9"), "orphan", "reservations"),
    Damage("hold of no subnet", [hold(99, "10.9.9.9", "key:b")], "orphan", "holds"),
    Damage("rest of no subnet", [rest(99, "10.9.9.9")], "orphan", "rests"),
    Damage("runs of no subnet", [f"INSERT INTO free_space VALUES (99, {x('10.0.3.9')}, {x('10.0.3.1')})"],
           "orphan", "free_space"),
    Damage("address of no guest", [of_guest(9, 3, "10.0.3.9")], "orphan", "guest_addresses"),
    Damage("card of no guest", ["INSERT INTO guest_nics VALUES (9, 0, NULL, NULL, NULL)"], "orphan", "guest_nics"),
    Damage("address of a guest in no subnet", [guest(9), of_guest(9, 99, "10.9.9.9")], "orphan", "addresses of guests"),
    Damage("state that is none", [guest(9, state="asleep")], "guest", "asleep"),
    Damage("address of a guest not reserved", [guest(9), of_guest(9, 3, "10.0.3.9")], "guest", "10.0.3.9 belongs to"),
    Damage("address of a guest reserved for another use",
           [*reserve(3, "10.0.3.9"), guest(9), of_guest(9, 3, "10.0.3.9")], "guest", "10.0.3.9 belongs to"),
    Damage("address of two guests", [*reserve(3, "10.0.3.9", "guest"), guest(8), of_guest(8, 3, "10.0.3.9"), guest(9),
                                     of_guest(9, 3, "10.0.3.9", shared=True)],
           "guest", "east/guest8, east/guest9", mended=False),
    Damage("label of nothing", [f"INSERT INTO labels VALUES (3, {x('10.0.3.9')}, 'alice', 2)"],
           "orphan", "10.0.3.9 has"),
    Damage("labels of no subnet", [f"INSERT INTO labels VALUES (99, {x('10.9.9.9')}, 'alice', 2)"], "orphan", "labels"),
    Damage("upstream subnet of no subnet", ["INSERT INTO upstream_subnets (subnet_id, key, \"full\") "
                                            "VALUES (99, '7', FALSE)"], "orphan", "upstream_subnets"),
    Damage("doubt of no subnet", [f"INSERT INTO upstream_doubts VALUES (99, {x('10.9.9.9')}, {NOW})"],
           "orphan", "upstream_doubts"),
    Damage("upstream group of no group", ["INSERT INTO upstream_groups VALUES (77, '3')"], "orphan", "group 77"),
    Damage("mark that is none", ["UPDATE dhcp_hosts SET pending = 'maybe'"], "dhcp", "in a way that does not exist"),
    Damage("mark of no time", ["UPDATE dhcp_hosts SET pending = 'publish'"], "dhcp", "in a way that does not exist"),
    Damage("a subnet gone", ["DELETE FROM subnets WHERE id = 3"], "orphan", "subnet 3"),
    Damage("a group gone", ["UPDATE subnets SET group_id = 77 WHERE id = 3"], "orphan", "group 77"),
    Damage("outside its subnet", reserve(3, "10.7.7.7"), "place", "outside its subnet", mended=False),
    Damage("outside, but inside another", reserve(3, "10.0.1.9"), "place", "reserved too", mended=False),
    Damage("outside, for another", reserve(3, "10.0.1.50"), "place", "belongs to 10.0.1.0/24"),
    Damage("hold outside", [hold(3, "10.7.7.7", "key:b")], "place", "10.7.7.7 is held outside"),
    Damage("rest outside", [rest(3, "2001:db8::7")], "place", "2001:db8::7 is resting outside"),
    Damage("in the subnet around", reserve(1, "10.0.1.200"), "place", "belongs to 10.0.1.128/25"),
    Damage("in the subnet around, with a hold inside", [*reserve(1, "10.0.1.200"), hold(2, "10.0.1.200", "key:b")],
           "place", "belongs to 10.0.1.128/25"),
    Damage("in both", [*reserve(1, "10.0.1.140"), *reserve(2, "10.0.1.140")], "place", "reserved too", mended=False),
    Damage("MAC in both", [*reserve(1, "10.0.1.200", "dhcp"), host(1, "52:54:00:00:00:55", "10.0.1.200", "a"),
                           *reserve(2, "10.0.1.141", "dhcp"), host(2, "52:54:00:00:00:55", "10.0.1.141", "b")],
           "place", "b has 10.0.1.141", mended=False),
    Damage("hold in the subnet around", [hold(1, "10.0.1.200", "key:b")], "place", "held in the wrong subnet"),
    Damage("network address", reserve(3, "10.0.3.0"), "special", "network or broadcast", mended=False),
    Damage("broadcast address", reserve(3, "10.0.3.255"), "special", "network or broadcast", mended=False),
    Damage("gateway", reserve(1, "10.0.1.1"), "special", "gateway", mended=False),
    Damage("IPv6 anycast", reserve(4, "2001:db8::"), "special", "network or broadcast", mended=False),
    Damage("MAC twice", [*bare("dhcp_hosts"), host(1, "52:54:00:00:00:01", "10.0.1.7", "again")],
           "double", "52:54:00:00:00:01", mended=False),
    Damage("MAC twice, in capitals", [host(1, "52:54:00:00:00:AA", "10.0.1.7", "b"),
                                      host(1, "52:54:00:00:00:aa", "10.0.1.7", "a")], "double", "aa", mended=False),
    Damage("name twice", [*bare("dhcp_hosts"), host(1, "52:54:00:00:00:99", "10.0.1.7", "host1")],
           "double", "host1", mended=False),
    Damage("address twice", [*bare("reservations"), *reserve(1, "10.0.1.9", None)], "file", "mismatch", mended=False),
    Damage("network twice", [*bare("subnets"), "CREATE UNIQUE INDEX by_id ON subnets (id)",
                             "INSERT INTO subnets SELECT 5, 1, group_id, network, prefix, '', 0, "
                             "strategy, ranges, options FROM subnets WHERE id = 3"],
           "double", "10.0.3.0/24 is in group Lab twice", mended=False),
    Damage("group twice", ["INSERT INTO groups VALUES (9, 'LAB', '')"], "double", "LAB", mended=False),
    Damage("overlap", [f"UPDATE subnets SET network = {x('10.0.1.64')} WHERE id = 3"],
           "unreadable", "host bits", mended=False),
    Damage("hold on reserved", [hold(1, "10.0.1.9", "key:b")], "promise", "is held, but reserved"),
    Damage("rest on reserved", [rest(1, "10.0.1.9")], "promise", "rests, but is reserved"),
    Damage("rest on held", [rest(1, "10.0.1.20")], "promise", "rests, but is held"),
    Damage("two holds of a key", [*bare("holds"), hold(1, "10.0.1.21", "key:a")], "promise", "key:a has 2 holds"),
    Damage("/dhcp in two groups", ["INSERT INTO groups VALUES (9, 'Else', '')",
                                   "INSERT INTO subnets SELECT 5, 1, 9, network, 23, '', 1, strategy, ranges, options "
                                   "FROM subnets WHERE id = 3",
                                   f"UPDATE subnets SET network = {x('10.0.2.0')} WHERE id = 5"],
           "dhcp", "10.0.2.0/23 of group Else", mended=False),
    Damage("/dhcp for IPv6", ["UPDATE subnets SET dhcp = 1 WHERE id = 4"], "dhcp", "IPv4 only", mended=False),
    Damage("directory gone", ["DELETE FROM directory"], "directory", "missing"),
    Damage("directory twice", ["INSERT INTO directory VALUES (2, 9)"], "directory", "2 rows"),
    Damage("ranges no JSON", ["UPDATE subnets SET ranges = '{' WHERE id = 3"], "unreadable", "Subnet 3", mended=False),
    Damage("options no object", ["UPDATE subnets SET options = '[]' WHERE id = 3"],
           "unreadable", "Subnet 3", mended=False),
    Damage("options no address", ["UPDATE subnets SET options = '{\"gateway\": \"here\"}' WHERE id = 3"],
           "unreadable", "here", mended=False),
    Damage("prefix too long", ["UPDATE subnets SET prefix = 77 WHERE id = 3"], "unreadable", "Subnet 3", mended=False),
    Damage("strategy unknown", ["UPDATE subnets SET strategy = 'luck' WHERE id = 3"],
           "unreadable", "luck", mended=False),
    Damage("host options no JSON", ["UPDATE dhcp_hosts SET options = 'oh'"], "unreadable", "dhcp_hosts"),
    Damage("event no JSON", ["UPDATE events SET detail = 'oh' WHERE id = 1"], "unreadable", "events"),
    Damage("short address of a hold", ["UPDATE holds SET address = X'0a'"], "unreadable", "holds"),
    Damage("address of an event", ["UPDATE events SET address = 'text' WHERE id = 1"], "unreadable", "events"),
    Damage("short address", ["UPDATE reservations SET address = X'0a' WHERE name IS NULL"],
           "unreadable", "reservations", mended=False),
]  # fmt: skip


@pytest.fixture
def checked(address_book: AddressBook, clock: HandClock) -> Desk:
    """A book with something of everything."""
    desk = Desk(address_book, clock)
    outer = desk.add("10.0.1.0/24", gateway="10.0.1.1")
    inner = desk.add("10.0.1.128/25")
    other = desk.add("10.0.3.0/24")
    six = desk.add("2001:db8::/64")
    assert [each.id for each in (outer, inner, other, six)] == [OUTER, INNER, OTHER, SIX]
    desk.serve(outer, "10.0.1.7", 1)
    desk.take(outer, "10.0.1.9")
    desk.ask(outer, key="a", span="10.0.1.20-10.0.1.20")
    desk.take(outer, "10.0.1.30", number=3)
    desk.release(outer, "10.0.1.30")
    desk.ask(six, 4)
    return desk


def plant(book: Book, statements: list[str]) -> None:
    """Run SQL past the program, without foreign keys."""
    with sqlite3.connect(str(book.url.database)) as connection:
        for statement in statements:
            connection.execute(statement)


def found(desk: Desk) -> list[Finding]:
    return list(desk.address_book.check())


def test_a_sound_book_has_no_finding(checked: Desk):
    assert found(checked) == []


@pytest.mark.race
def test_a_check_during_a_write_load_sees_one_moment(checked: Desk):
    lab, failures = checked.address_book.subnets()[2], []

    def ask(number: int) -> None:
        try:
            for turn in range(30):
                checked.ask(lab, key=f"{number}.{turn}")
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    seen = []
    for _ in range(8):
        seen += found(checked)
    for thread in threads:
        thread.join(60)

    assert (seen, failures) == ([], [])


def test_an_empty_book_has_no_finding(address_book: AddressBook):
    assert list(address_book.check()) == []


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_damage_is_found(checked: Desk, damage: Damage):
    plant(checked.book, damage.plant)

    findings = found(checked)

    told = [finding for finding in findings if finding.kind == damage.kind and damage.says in finding.what]
    assert told, findings
    assert (told[0].repair is not None) is damage.mended
    assert told[0].repair is not None or told[0].advice


@pytest.mark.parametrize("damage", [each for each in DAMAGES if each.mended], ids=lambda damage: damage.name)
def test_damage_is_repaired(checked: Desk, damage: Damage):
    plant(checked.book, damage.plant)

    while checked.address_book.repair(CALLER):
        pass

    assert found(checked) == []
    assert_sound(checked.book)


@pytest.mark.parametrize("damage", [each for each in DAMAGES if not each.mended], ids=lambda damage: damage.name)
def test_what_a_person_has_to_decide_is_left_alone(checked: Desk, damage: Damage):
    plant(checked.book, damage.plant)

    checked.address_book.repair(CALLER)

    assert any(finding.kind == damage.kind and damage.says in finding.what for finding in found(checked))


@pytest.mark.parametrize("damage", [each for each in DAMAGES if each.mended], ids=lambda damage: damage.name)
def test_a_repair_never_frees_what_somebody_has(checked: Desk, damage: Damage):
    plant(checked.book, damage.plant)

    while checked.address_book.repair(CALLER):
        pass

    outer = checked.address_book.subnets()[0]
    assert checked.uses(outer, "10.0.1.7")
    assert checked.uses(outer, "10.0.1.9")


def test_each_repair_is_an_event(checked: Desk):
    plant(checked.book, ["DELETE FROM uses WHERE use = 'ipam'"])

    (done,) = checked.address_book.repair(CALLER)

    event = checked.address_book.events(limit=1)[0]
    assert (event.action, event.actor, str(event.address), event.subnet) == (
        "check.repair", "test", "10.0.1.9", "10.0.1.0/24",
    )  # fmt: skip
    assert event.detail["what"] == done.what


def test_a_repair_of_a_sound_book_changes_nothing(checked: Desk):
    before = dump(checked.book)

    assert checked.address_book.repair(CALLER) == []

    assert dump(checked.book) == before


def test_a_repair_that_fails_half_way_changes_nothing(checked: Desk, monkeypatch: pytest.MonkeyPatch):
    plant(checked.book, ["DELETE FROM uses WHERE use = 'ipam'", "DELETE FROM free_space"])
    before = dump(checked.book)
    monkeypatch.setattr(checked.address_book, "_measure", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        checked.address_book.repair(CALLER)

    assert dump(checked.book) == before


def test_a_reservation_that_moves_takes_uses_and_hosts_along(checked: Desk):
    plant(checked.book, [*reserve(1, "10.0.1.200", "dhcp"), host(1, "52:54:00:00:00:55", "10.0.1.200", "moved")])

    checked.address_book.repair(CALLER)

    moved = checked.at(checked.address_book.subnets()[1], "10.0.1.200")
    assert moved is not None
    assert [each.name for each in moved.hosts] == ["moved"]
    assert found(checked) == []


def test_a_damaged_index_is_built_anew(checked: Desk):
    file = str(checked.book.url.database)
    checked.book.close()
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = 'CREATE INDEX ix_dhcp_hosts_mac ON dhcp_hosts (name)' "
            "WHERE name = 'ix_dhcp_hosts_mac'"
        )
    assert {finding.kind for finding in found(checked)} == {"file"}

    checked.address_book.repair(CALLER)

    assert found(checked) == []


def test_a_damaged_file_is_a_finding(checked: Desk):
    checked.book.close()
    with open(str(checked.book.url.database), "r+b") as file:
        content = file.read()
        file.seek(len(content) - 8192)
        file.write(b"\xff" * 8192)

    findings = found(checked)

    assert {finding.kind for finding in findings} == {"file"}
    assert all(finding.repair is None and "restore" in finding.advice for finding in findings)


@pytest.fixture
def upstream() -> Upstream:
    """What the IPAM has."""
    return Upstream()


@pytest.fixture
def remote(book: Book, clock: HandClock, upstream: Upstream) -> Desk:
    """A desk with an IPAM elsewhere, which has what the book has."""
    ipam = RemoteIPAM(book, {"upstream": upstream})
    desk = Desk(AddressBook(book, ipam, NoDHCP(book, {}), lifetimes=Lifetimes(), clock=clock), clock)
    subnet = desk.add("10.0.1.0/24")
    desk.take(subnet, "10.0.1.9", name="web1")
    return desk


def test_an_ipam_that_agrees_gives_no_finding(remote: Desk):
    assert found(remote) == []


def test_a_row_deleted_upstream_is_found(remote: Desk, upstream: Upstream):
    upstream.rows.clear()

    assert [(each.kind, str(each.address)) for each in found(remote)] == [("upstream", "10.0.1.9")]


def test_a_row_of_somebody_else_upstream_is_found(remote: Desk, upstream: Upstream):
    upstream.rows.clear()
    upstream.add_foreign(remote.address_book.subnets()[0], "10.0.1.9", name="printer")

    assert ["printer" in each.what for each in found(remote)] == [True]


def test_an_upstream_use_that_ended_is_found(remote: Desk, upstream: Upstream):
    subnet = remote.address_book.subnets()[0]
    remote.take(subnet, "10.0.1.50", Use.UPSTREAM)
    upstream.rows.clear()

    assert "which it has not any more" in found(remote)[-1].what


def test_an_ipam_that_does_not_answer_is_told(remote: Desk, upstream: Upstream):
    upstream.broken.add("record")

    with pytest.raises(type(upstream.error)):
        found(remote)


def test_the_book_on_postgresql(postgresql_book: Book, clock: HandClock):
    """The same questions, and a repair."""
    ipam = LocalIPAM(postgresql_book, {})
    dhcp = NoDHCP(postgresql_book, {})
    desk = Desk(AddressBook(postgresql_book, ipam, dhcp, lifetimes=Lifetimes(), clock=clock), clock)
    subnet = desk.add("10.0.1.0/24")
    desk.serve(subnet, "10.0.1.7", 1)
    desk.ask(subnet, 2)
    assert found(desk) == []
    with postgresql_book.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM uses")
        connection.exec_driver_sql("DELETE FROM free_space")
        connection.exec_driver_sql("UPDATE events SET detail = '[]'")

    while desk.address_book.repair(CALLER):
        pass

    assert found(desk) == []
    assert_sound(postgresql_book)
