"""Bringing in a site: planned, applied, applied again, clashing, interrupted."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from netaddr import IPAddress, IPNetwork

from providers.address_book import AddressBook, Lifetimes
from providers.address_book.incoming import Incoming, IncomingAddress, IncomingSubnet, Plan
from providers.book.database import Book
from providers.clock import utc_now
from providers.dhcp.isc.grammar import read
from providers.dhcp.isc.leases import written
from providers.dhcp.isc.survey import survey
from providers.dhcp.none import NoDHCP
from providers.errors import Conflict, InvalidValue, Unavailable
from providers.ipam.contract import IPAMCapabilities, Picture
from providers.ipam.local import LocalIPAM
from providers.model import Asker, Caller, DHCPHost, Subnet, Use
from tests.conftest import HandClock
from tests.made_isc_site import HOSTS, NOW_ACTIVE, Site, write
from tests.providers.desk import CALLER, Desk, description, host, mac
from tests.providers.dhcp.recording_double import RecordingDHCP, Server
from tests.providers.processes import CONTEXT
from tests.providers.soundness import assert_sound, dump


def incoming_subnet(cidr: str, origin: str = "c:1", **described) -> IncomingSubnet:
    """A subnet of group Lab."""
    return IncomingSubnet(description(cidr, **described), origin)


def incoming_host(address: str, number: int, origin: str = "c:2", **changes) -> IncomingAddress:
    """Machine ``number`` as a DHCP host of group Lab."""
    entry = IncomingAddress(IPAddress(address), origin, frozenset({Use.DHCP}), "Lab", host=host(number))
    return replace(entry, **changes)


def bring_in(desk: Desk, *things: IncomingSubnet | IncomingAddress, whole: bool = False) -> Plan:
    """Apply an import of these."""
    return desk.address_book.apply_import(incoming(*things), CALLER, whole=whole)


def incoming(*things: IncomingSubnet | IncomingAddress) -> Incoming:
    """These, sorted into subnets and addresses."""
    return Incoming(
        tuple(each for each in things if isinstance(each, IncomingSubnet)),
        tuple(each for each in things if isinstance(each, IncomingAddress)),
    )


def clashes(plan: Plan) -> list[str]:
    """What cannot come in."""
    return [f"{clash.origin}: {clash.text}" for clash in plan.clashes]


def of_site(site: Site) -> Incoming:
    """The made site as it comes in."""
    found = written(read(site.leases, torn=True), datetime(2026, 1, 2, tzinfo=UTC))
    return survey(read(site.configuration), found, group="Lab").incoming


@pytest.fixture
def lab(desk):
    """10.0.1.0/24 with its gateway at .1."""
    return desk.add("10.0.1.0/24", gateway="10.0.1.1")


def test_a_plan_changes_nothing(desk):
    before = dump(desk.book)

    plan = desk.address_book.plan_import(incoming(incoming_subnet("10.0.1.0/24"), incoming_host("10.0.1.5", 1)))

    assert (len(plan.new_subnets), len(plan.new_addresses), plan.changes) == (1, 1, True)
    assert dump(desk.book) == before


def test_what_comes_in_is_as_if_reserved_one_by_one(desk, lab):
    other = desk.add("10.0.2.0/24", gateway="10.0.2.1")
    bring_in(desk, incoming_host("10.0.1.5", 1))
    desk.serve(other, "10.0.2.5", 1)
    ours, theirs = desk.at(lab, "10.0.1.5"), desk.at(other, "10.0.2.5")

    assert ours is not None
    assert theirs is not None
    hosts = tuple(replace(each, address=IPAddress("10.0.2.5")) for each in ours.hosts)
    assert replace(ours, subnet=other, address=theirs.address, hosts=hosts) == theirs


def test_the_second_time_changes_nothing(desk):
    things = (incoming_subnet("10.0.1.0/24"), incoming_host("10.0.1.5", 1))
    bring_in(desk, *things)
    before = dump(desk.book)

    plan = bring_in(desk, *things)

    assert (plan.changes, plan.same_subnets, plan.same_addresses, plan.clashes) == (False, 1, 1, ())
    assert dump(desk.book) == before


def test_what_is_released_through_the_api_comes_in_again_just_the_same(desk):
    things = (incoming_subnet("10.0.1.0/24"), incoming_host("10.0.1.5", 1), incoming_host("10.0.1.6", 2))
    bring_in(desk, *things)
    before = dump(desk.book, without=("events",))
    subnet = desk.address_book.dhcp_subnet(IPAddress("10.0.1.0"))
    for number in (1, 2):
        desk.release(subnet, number=number, use=Use.DHCP)
    assert desk.uses(subnet, "10.0.1.5") == set()

    bring_in(desk, *things)

    assert dump(desk.book, without=("events",)) == before


def test_holds_and_rests_end(desk, lab):
    held = desk.ask(lab, 7)
    desk.serve(lab, "10.0.1.9", 9)
    desk.release(lab, "10.0.1.9")

    bring_in(desk, incoming_host(held, 1), incoming_host("10.0.1.9", 2))

    assert (desk.held(), desk.uses(lab, held), desk.uses(lab, "10.0.1.9")) == ({}, {Use.DHCP}, {Use.DHCP})


def test_what_came_in_is_not_suggested(desk):
    plan = bring_in(desk, incoming_subnet("10.0.1.0/29"), *(incoming_host(f"10.0.1.{n}", n) for n in (1, 2, 4)))
    subnet = desk.address_book.dhcp_subnet(IPAddress("10.0.1.0"))

    assert len(plan.new_addresses) == 3
    assert [desk.ask(subnet, n) for n in (11, 12, 13)] == ["10.0.1.3", "10.0.1.5", "10.0.1.6"]


def test_each_address_is_an_event_that_names_its_origin(desk, lab):
    bring_in(desk, incoming_host("10.0.1.5", 1, "c:17"))
    event = desk.address_book.events()[0]

    assert (event.action, event.actor, event.detail["origin"]) == ("address.reserve", CALLER.actor, "c:17")


def test_a_new_subnet_takes_what_is_in_its_range(desk):
    outer = desk.add("10.0.0.0/16")
    desk.serve(outer, "10.0.1.5", 1)

    both = (incoming_subnet("10.0.1.128/25"), incoming_subnet("10.0.1.0/24"))
    plan = bring_in(desk, *both, incoming_host("10.0.1.5", 1))

    assert (plan.same_addresses, len(plan.new_subnets)) == (1, 2)
    inner = desk.address_book.subnet(IPNetwork("10.0.1.0/24"))
    assert desk.address_book.occupancy(inner).reserved == 1


def test_a_bond_shares_its_address(desk, lab):
    both = frozenset({mac(1), mac(2)})
    members = [incoming_host("10.0.1.5", number, related_macs=both) for number in (1, 2)]

    bring_in(desk, *members)

    assert [each.mac for each in desk.address_book.hosts_at(lab, IPAddress("10.0.1.5"))] == sorted(both)
    assert bring_in(desk, *members).same_addresses == 2


def test_a_host_joins_what_ipam_has_not(desk, lab):
    desk.take(lab, "10.0.1.5", Use.MANUAL, number=1)

    bring_in(desk, incoming_host("10.0.1.5", 1))

    assert desk.uses(lab, "10.0.1.5") == {Use.DHCP, Use.MANUAL}


def test_several_uses_come_in_at_once(desk, lab):
    bring_in(desk, incoming_host("10.0.1.5", 1, uses=frozenset({Use.DHCP, Use.IPAM}), note="until May"))
    found = desk.at(lab, "10.0.1.5")

    assert found is not None
    assert (set(found.uses), found.note) == ({Use.DHCP, Use.IPAM}, "until May")


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (incoming_host("10.0.1.5", 2, "c:9"), "host1 (52:54:00:00:00:01) has it (c:2)"),
        (incoming_host("10.0.1.6", 1, "c:9"), "MAC 52:54:00:00:00:01 has 10.0.1.5 in 10.0.1.0/24"),
        (incoming_host("10.0.1.6", 2, "c:9", host=host(2, name="host1")), "the name host1 has 10.0.1.5 in"),
        (incoming_host("10.0.1.5", 1, "c:9", host=host(1, filename="x")), "already exists with other values"),
        (incoming_host("10.0.1.1", 2, "c:9"), "10.0.1.1 is the gateway"),
        (incoming_host("10.0.1.0", 2, "c:9"), "10.0.1.0 is the network address"),
        (incoming_host("10.9.0.1", 2, "c:9"), "is not in any subnet of group Lab"),
        (incoming_host("10.0.1.6", 2, "c:9", group="Other"), "is not in any subnet of group Other"),
        (incoming_host("10.0.1.6", 2, "c:9", network=IPNetwork("10.0.0.0/16")), "is not in 10.0.0.0/16"),
        (incoming_host("10.0.1.6", 2, "c:9", host=DHCPHost(mac(2), 'a"b', "a")), "Invalid name"),
        (incoming_host("10.9.0.1", 2, "c:9", host=DHCPHost(mac(2), "a\x1b[1m", "a")), "10.9.0.1 of a?[1m"),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_what_clashes_is_left_out_and_told_with_both_sides(desk, lab, second, why, together):
    first = incoming_host("10.0.1.5", 1)
    if not together:
        bring_in(desk, first)

    (told,) = clashes(bring_in(desk, first, second))

    assert told.startswith("c:9: ")
    assert (why if together else why.replace("c:2", "in the book already")) in told
    assert desk.uses(lab, "10.0.1.5") == {Use.DHCP}
    assert desk.uses(lab, "10.0.1.6") == set()


def test_with_whole_one_clash_keeps_everything_out(desk, lab):
    before = dump(desk.book)

    with pytest.raises(Conflict, match="c:9: "):
        bring_in(desk, incoming_host("10.0.1.5", 1), incoming_host("10.0.1.1", 2, "c:9"), whole=True)

    assert dump(desk.book) == before


def test_a_subnet_that_is_there_with_other_values_stays_as_it_is(desk, lab):
    plan = bring_in(desk, incoming_subnet("10.0.1.0/24", gateway="10.0.1.2", dynamic="10.0.1.50-10.0.1.59"))

    assert clashes(plan) == [
        "c:1: 10.0.1.0/24 is in the book already and stays as it is: dynamic none in the book, "
        "10.0.1.50-10.0.1.59 here; gateway 10.0.1.1 in the book, 10.0.1.2 here"
    ]
    assert desk.address_book.subnets() == [lab]


def test_a_subnet_that_is_declared_twice_comes_in_once(desk):
    plan = bring_in(desk, incoming_subnet("10.0.1.0/24", "c:1"), incoming_subnet("10.0.1.0/24", "c:7"))

    assert (len(plan.new_subnets), clashes(plan)) == (1, ["c:7: 10.0.1.0/24 is declared at c:1 too: that one counts"])


def test_a_subnet_whose_description_does_not_fit_is_left_out(desk):
    plan = bring_in(desk, incoming_subnet("10.0.1.0/24", dynamic="10.0.2.1-10.0.2.5"))

    assert (desk.address_book.subnets(), len(plan.clashes)) == ([], 1)


def test_a_network_that_another_group_has_on_dhcp_comes_in_without(desk):
    desk.add("10.0.1.0/24", group="Other")

    (told,) = clashes(bring_in(desk, incoming_subnet("10.0.1.0/24")))

    assert "comes in without /dhcp, which has 10.0.1.0/24 of group Other" in told
    assert [each.dhcp for each in desk.address_book.subnets(group="Lab")] == [False]


@pytest.mark.parametrize("before", ["in the book", "in the import"])
def test_a_network_that_begins_where_another_on_dhcp_does_comes_in_without(desk, before):
    if before == "in the book":
        desk.add("10.0.0.0/16")
        (told,) = clashes(bring_in(desk, incoming_subnet("10.0.0.0/24")))
    else:
        (told,) = clashes(bring_in(desk, incoming_subnet("10.0.0.0/16"), incoming_subnet("10.0.0.0/24")))

    assert "10.0.0.0/24 comes in without /dhcp, which has 10.0.0.0/16 of group Lab" in told
    assert [(str(each), each.dhcp) for each in desk.address_book.subnets()] == [
        ("10.0.0.0/16", True),
        ("10.0.0.0/24", False),
    ]


def test_subnets_are_not_made_where_the_ipam_has_them(desk, monkeypatch):
    upstream = IPAMCapabilities(remote=True, edits_subnets=False)
    monkeypatch.setattr(type(desk.address_book.ipam), "capabilities", upstream)
    monkeypatch.setattr(type(desk.address_book.ipam), "picture", lambda _: Picture((), ()))

    assert "make it there" in clashes(bring_in(desk, incoming_subnet("10.0.1.0/24")))[0]


def test_what_the_dhcp_server_was_not_told_is_in_the_book_and_said(desk, lab, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise Unavailable("no answer")

    monkeypatch.setattr(type(desk.address_book.ipam), "capabilities", IPAMCapabilities(remote=True, edits_subnets=True))
    monkeypatch.setattr(desk.address_book.ipam, "create", refuse)

    with pytest.raises(Unavailable, match=r"not told of 1 addresses, the first being 10\.0\.1\.5"):
        bring_in(desk, incoming_host("10.0.1.5", 1))

    assert desk.uses(lab, "10.0.1.5") == {Use.DHCP}


@pytest.fixture
def choosy(desk: Desk) -> Server:
    """A DHCP server that never serves machine 7, and one of whose limits nobody knows just now that of machine 8."""

    def refuse(_: Subnet, unfit: DHCPHost) -> None:
        assert unfit.address is not None
        if unfit.mac == mac(7):
            raise InvalidValue(f"{unfit.hostname} is no host name")
        if unfit.mac == mac(8):
            raise Unavailable("no answer")

    server = Server()
    desk.address_book.dhcp = RecordingDHCP(desk.book, {"server": server})
    desk.address_book.dhcp.refuse_unfit = refuse
    return server


class TestWhatTheDHCPServerCanNeverServe:
    """As when it is reserved by itself."""

    entries = (incoming_host("10.0.1.5", 7, "hosts:3"), incoming_host("10.0.1.6", 8), incoming_host("10.0.1.9", 9))
    told = f"hosts:3: 10.0.1.5 of host7 ({mac(7)}) cannot be served: host7.example.com is no host name"

    def test_it_is_left_out_and_told_with_its_place(self, desk, lab, choosy):
        assert clashes(desk.address_book.plan_import(incoming(*self.entries))) == [self.told]
        assert clashes(bring_in(desk, *self.entries)) == [self.told]
        assert desk.at(lab, "10.0.1.5") is None
        assert {each for _, each in choosy.served} == {mac(8), mac(9)}

    def test_it_is_left_out_of_a_new_subnet_too(self, desk, choosy):
        assert clashes(bring_in(desk, incoming_subnet("10.0.1.0/24"), *self.entries)) == [self.told]
        assert {each for _, each in choosy.served} == {mac(8), mac(9)}

    @pytest.mark.usefixtures("choosy")
    def test_what_comes_after_it_may_have_its_address(self, desk, lab):
        bring_in(desk, self.entries[0], incoming_host("10.0.1.5", 1, "hosts:4"))
        assert [each.mac for each in desk.at(lab, "10.0.1.5").hosts] == [mac(1)]

    @pytest.mark.usefixtures("choosy")
    def test_what_nobody_serves_comes_in(self, desk):
        desk.add("10.0.2.0/24", dhcp=False)
        assert clashes(bring_in(desk, incoming_host("10.0.2.5", 7))) == []


@pytest.mark.usefixtures("lab")
def test_progress_goes_up_to_everything(desk):
    steps: list[tuple[int, int]] = []
    everything = incoming(*(incoming_host(f"10.0.1.{number}", number) for number in range(5, 9)))

    desk.address_book.apply_import(everything, CALLER, progress=lambda *step: steps.append(step))

    assert steps[-1] == (4, 4)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    """The made site."""
    return write(tmp_path_factory.mktemp("site"))


def test_the_made_site_comes_in(desk, site):
    plan = bring_in(desk, *of_site(site).subnets, *of_site(site).addresses)
    book = desk.address_book
    found = {each.name: each for subnet in book.subnets() for each in book.hosts(subnet)}

    assert [str(each.network) for each in book.subnets()] == site.networks
    assert len(site.hosts) == HOSTS
    assert set(found) == {*site.hosts, "first"}
    for name, wanted in site.hosts.items():
        there = found[name]
        assert (there.mac, str(there.address)) == (wanted.mac, wanted.address)
        assert (there.hostname, there.filename, there.next_server) == (
            wanted.hostname,
            wanted.filename,
            wanted.next_server,
        )
    assert len(plan.clashes) == len(site.clashing)


def test_the_made_site_comes_into_postgresql_too(postgresql_book: Book, clock: HandClock, site):
    book = postgresql_book
    there = AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=clock)

    plan = there.apply_import(of_site(site), CALLER)

    assert (len(plan.new_subnets), len(plan.new_addresses)) == (len(site.networks), HOSTS + 1)
    assert not there.apply_import(of_site(site), CALLER).changes
    assert_sound(book)


def test_what_dhcpd_leased_is_never_suggested(desk, site):
    bring_in(desk, *of_site(site).subnets)
    for address in map(IPAddress, NOW_ACTIVE):
        subnet = desk.address_book.dhcp_subnet(address)
        free = desk.address_book.occupancy(subnet).free
        assert address not in [
            desk.address_book.suggest(subnet, Asker(key=str(number)), CALLER) for number in range(free)
        ]


@pytest.mark.race
@pytest.mark.parametrize("moment", [0, 0.5, 1])
def test_killed_in_the_middle_the_book_is_as_before(book: Book, site, moment):
    before = dump(book)
    book.close()
    process = CONTEXT.Process(target=_import_and_die, args=(str(book.url.database), str(site.configuration), moment))
    process.start()
    process.join(60)

    assert process.exitcode == -signal.SIGKILL
    assert dump(book) == before


@pytest.mark.race
def test_killed_afterwards_the_book_is_new(book: Book, site):
    book.close()
    process = CONTEXT.Process(target=_import_and_die, args=(str(book.url.database), str(site.configuration), 2))
    process.start()
    process.join(60)

    assert process.exitcode == -signal.SIGKILL
    assert_sound(book)
    assert len(dump(book)["subnets"]) == len(site.networks)


def _import_and_die(file: str, configuration: str, moment: float) -> None:
    """Import the site and be killed when ``moment`` of it is written: 0 at the first, 1 at the last, 2 after all."""
    book = Book(f"sqlite:///{file}")
    address_book = AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=utc_now)

    def die(done: int, total: int) -> None:
        if done >= moment * total:
            os.kill(os.getpid(), signal.SIGKILL)

    found = survey(read(Path(configuration)), group="Lab").incoming
    address_book.apply_import(found, Caller("test"), progress=die)
    os.kill(os.getpid(), signal.SIGKILL)
