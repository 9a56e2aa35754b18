"""The lives of guests, one row each: what hooks report, in which order, and the book that it has to end in.

Every life is also led with every call made twice, and with every call made by two processes of the node at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from providers.errors import Claimed, Conflict, GuestNotFound, InvalidValue, LeaseholdError
from providers.guests import GuestState, Outcome
from providers.model import Use
from tests.providers.desk import Desk
from tests.providers.guest_site import CLUSTER, Site

Deed = Callable[[Site], object]
YES, NO = True, False


@dataclass(frozen=True)
class Step:
    """``ends`` is whether a report counts, or what is raised."""

    deed: Deed
    ends: bool | type[LeaseholdError] = YES


@dataclass(frozen=True)
class Life:
    """``guests``: name to node, state and addresses. ``served``: address to DHCP host; None: not looked at."""

    name: str
    steps: list[Step]
    guests: dict[str, tuple[str, str, list[str]]]
    reserved: dict[str, str] | None = None
    served: dict[str, str] | None = None
    events: list[str] = field(default_factory=list)


def yes(deed: Deed) -> Step:
    return Step(deed)


def no(deed: Deed) -> Step:
    return Step(deed, NO)


def raises(error: type[LeaseholdError], deed: Deed) -> Step:
    return Step(deed, error)


IP, OTHER, SIX, ABROAD, GATEWAY = "10.0.1.5", "10.0.1.6", "2001:db8::5", "192.0.2.7", "10.0.1.1"

CREATED = yes(lambda site: site.create("a", "web", IP, macs=[1]))
STARTED = yes(lambda site: site.start("a", "web", IP, macs=[1]))
STOPPED = yes(lambda site: site.stop("a", "web"))
MOVED = yes(lambda site: site.start("b", "web", IP, macs=[1]))
ON_B = [CREATED, STARTED, STOPPED, MOVED]
BOTH = "dhcp guest"

LIVES = [
    Life("create", [CREATED], {"web": ("a", "created", [IP])}, {IP: BOTH}, {IP: "web"}, ["guest.add"]),
    Life("create without a MAC", [yes(lambda site: site.create("a", "web", IP))], {"web": ("a", "created", [IP])},
         {IP: "guest"}, {}),
    Life("the MAC becomes known at the start", [yes(lambda site: site.create("a", "web", IP)), STARTED],
         {"web": ("a", "running", [IP])}, {IP: BOTH}, {IP: "web"}),
    Life("create consumes a hold of somebody else",
         [yes(lambda site: site.desk.ask(site.book.subnets()[0], 9, span=f"{IP}-{IP}")), CREATED],
         {"web": ("a", "created", [IP])}, {IP: BOTH}),
    Life("start", [CREATED, STARTED], {"web": ("a", "running", [IP])}, {IP: BOTH}, {IP: "web"}),
    Life("start without create", [STARTED], {"web": ("a", "running", [IP])}, {IP: BOTH}),
    Life("stop keeps everything", [CREATED, STARTED, STOPPED], {"web": ("a", "stopped", [IP])}, {IP: BOTH}),
    Life("a failed start", [CREATED, yes(lambda site: site.put("a", "web", [IP], state=GuestState.STARTING)), STOPPED],
         {"web": ("a", "stopped", [IP])}, {IP: BOTH}),
    Life("double stop", [CREATED, STARTED, STOPPED, STOPPED], {"web": ("a", "stopped", [IP])}, {IP: BOTH}),
    Life("migrate", ON_B, {"web": ("b", "running", [IP])}, {IP: BOTH}, {IP: "web"}, ["guest.move"]),
    Life("migrate there and back", [*ON_B, yes(lambda site: site.stop("b", "web")), STARTED],
         {"web": ("a", "running", [IP])}, {IP: BOTH}),
    Life("late stop from A", [*ON_B, no(lambda site: site.stop("a", "web", late=1.5))],
         {"web": ("b", "running", [IP])}, {IP: BOTH}, None, ["guest.ignored"]),
    Life("a stop from A that is not late, but not A's affair", [*ON_B, no(lambda site: site.stop("a", "web"))],
         {"web": ("b", "running", [IP])}, {IP: BOTH}),
    Life("late spooled start from A", [*ON_B, no(lambda site: site.start("a", "web", OTHER, late=3))],
         {"web": ("b", "running", [IP])}, {IP: BOTH}, None, ["guest.ignored"]),
    Life("A destroys its slave copy", [*ON_B, no(lambda site: site.destroy("a", "web"))],
         {"web": ("b", "running", [IP])}, {IP: BOTH}, None, ["guest.ignored"]),
    Life("the whole life",
         [*ON_B, no(lambda site: site.stop("a", "web", late=1.5)), no(lambda site: site.start("a", "web", IP, late=4)),
          no(lambda site: site.destroy("a", "web")), yes(lambda site: site.destroy("b", "web"))], {}, {}, {}),
    Life("a spooled start from A after B destroyed it",
         [*ON_B, yes(lambda site: site.destroy("b", "web")), no(lambda site: site.start("a", "web", IP, late=3.5))],
         {}, {}, {}, ["guest.ignored"]),
    Life("a spooled create of the same node after its destruction",
         [CREATED, yes(lambda site: site.destroy("a", "web")), no(lambda site: site.create("a", "web", IP, late=1.5))],
         {}, {}),
    Life("created again under the same name",
         [CREATED, yes(lambda site: site.destroy("a", "web")), yes(lambda site: site.create("b", "web", OTHER))],
         {"web": ("b", "created", [OTHER])}, {OTHER: "guest"}),
    Life("an older report of the same node", [STARTED, no(lambda site: site.create("a", "web", OTHER, late=1.5))],
         {"web": ("a", "running", [IP])}, {IP: BOTH}),
    Life("stop after remove",
         [STARTED, yes(lambda site: site.destroy("a", "web")),
          raises(GuestNotFound, lambda site: site.stop("a", "web"))], {}, {}),
    Life("a guest of that name is created on another node", [CREATED, no(lambda site: site.create("b", "web", OTHER))],
         {"web": ("a", "created", [IP])}, {IP: BOTH}),
    Life("destroyed by the operator, from no node", [*ON_B, yes(lambda site: site.destroy(None, "web"))], {}, {}, {}),
    Life("rename", [CREATED, yes(lambda site: site.rename("a", "web", "www"))], {"www": ("a", "created", [IP])},
         {IP: BOTH}, {IP: "www"}, ["guest.rename"]),
    Life("rename by a node that does not own it", [CREATED, no(lambda site: site.rename("b", "web", "www"))],
         {"web": ("a", "created", [IP])}, {IP: BOTH}, {IP: "web"}),
    Life("a late report under the old name",
         [CREATED, yes(lambda site: site.rename("a", "web", "www")),
          no(lambda site: site.start("a", "web", IP, late=1.5))],
         {"www": ("a", "created", [IP])}, {IP: BOTH}),
    Life("rename to a name that is taken",
         [CREATED, yes(lambda site: site.create("b", "www", OTHER)),
          raises(Conflict, lambda site: site.rename("a", "web", "www"))],
         {"web": ("a", "created", [IP]), "www": ("b", "created", [OTHER])}, {IP: BOTH, OTHER: "guest"}),
    Life("rename repeated when the guest is gone",
         [CREATED, yes(lambda site: site.rename("a", "web", "www")), yes(lambda site: site.destroy("a", "www")),
          no(lambda site: site.rename("a", "web", "www")),
          raises(GuestNotFound, lambda site: site.rename("a", "web", "other"))], {}, {}),
    Life("rename repeated when the guest has yet another name",
         [CREATED, yes(lambda site: site.rename("a", "web", "www")), yes(lambda site: site.rename("a", "www", "shop")),
          no(lambda site: site.rename("a", "web", "www"))], {"shop": ("a", "created", [IP])}, {IP: BOTH}),
    Life("rename of nobody", [raises(GuestNotFound, lambda site: site.rename("a", "web", "www"))], {}, {}),
    Life("a clone with the same IP", [STARTED, raises(Conflict, lambda site: site.create("a", "copy", IP, macs=[2])),
                                      raises(Conflict, lambda site: site.start("b", "copy", IP, macs=[2]))],
         {"web": ("a", "running", [IP])}, {IP: BOTH}, {IP: "web"}, ["guest.conflict"]),
    Life("a clone with one of two IPs",
         [STARTED, raises(Conflict, lambda site: site.create("a", "copy", OTHER, IP, macs=[2]))],
         {"web": ("a", "running", [IP])}, {IP: BOTH}, {IP: "web"}),
    Life("the clone gets an address of its own",
         [STARTED, raises(Conflict, lambda site: site.create("a", "copy", IP)),
          yes(lambda site: site.start("a", "copy", OTHER))],
         {"copy": ("a", "running", [OTHER]), "web": ("a", "running", [IP])}, {IP: BOTH, OTHER: "guest"}),
    Life("address changed while stopped", [STARTED, STOPPED, yes(lambda site: site.start("a", "web", OTHER, macs=[1]))],
         {"web": ("a", "running", [OTHER])}, {OTHER: BOTH}, {OTHER: "web"}),
    Life("address added", [STARTED, yes(lambda site: site.start("a", "web", IP, OTHER, macs=[1]))],
         {"web": ("a", "running", [IP, OTHER])}, {IP: BOTH, OTHER: "guest"}, {IP: "web"}),
    Life("addresses absent", [STARTED, yes(lambda site: site.put("a", "web", None, hostname="web.example.com"))],
         {"web": ("a", "running", [IP])}, {IP: BOTH}, {IP: "web"}),
    Life("addresses empty", [STARTED, yes(lambda site: site.put("a", "web", []))],
         {"web": ("a", "running", [])}, {}, {}),
    Life("the network card is changed", [STARTED, yes(lambda site: site.start("a", "web", IP, macs=[2]))],
         {"web": ("a", "running", [IP])}, {IP: BOTH}, {IP: "web"}),
    Life("the network cards are gone", [STARTED, yes(lambda site: site.start("a", "web", IP, macs=[]))],
         {"web": ("a", "running", [IP])}, {IP: "guest"}, {}),
    Life("equal MACs", [STARTED, yes(lambda site: site.start("b", "twin", OTHER, macs=[1]))],
         {"twin": ("b", "running", [OTHER]), "web": ("a", "running", [IP])}, {IP: BOTH, OTHER: "guest"}, {IP: "web"},
         ["guest.equal_mac"]),
    Life("the twin is served when the first one is gone",
         [STARTED, yes(lambda site: site.start("b", "twin", OTHER, macs=[1])),
          yes(lambda site: site.destroy("a", "web")), yes(lambda site: site.start("b", "twin", OTHER, macs=[1]))],
         {"twin": ("b", "running", [OTHER])}, {OTHER: BOTH}, {OTHER: "twin"}),
    Life("shared by both", [yes(lambda site: site.start("a", "one", IP, macs=[1], shared=True)),
                            yes(lambda site: site.start("b", "two", IP, macs=[2], shared=True))],
         {"one": ("a", "running", [IP]), "two": ("b", "running", [IP])}, {IP: "guest"}, {}),
    Life("shared by one only", [yes(lambda site: site.start("a", "one", IP, shared=True)),
                                raises(Conflict, lambda site: site.start("b", "two", IP))],
         {"one": ("a", "running", [IP])}, {IP: "guest"}),
    Life("not shared any more", [yes(lambda site: site.start("a", "one", IP, shared=True)),
                                 yes(lambda site: site.start("b", "two", IP, shared=True)),
                                 raises(Conflict, lambda site: site.start("b", "two", IP))],
         {"one": ("a", "running", [IP]), "two": ("b", "running", [IP])}, {IP: "guest"}),
    Life("the first of those who share is destroyed", [yes(lambda site: site.start("a", "one", IP, shared=True)),
                                                       yes(lambda site: site.start("b", "two", IP, shared=True)),
                                                       yes(lambda site: site.destroy("a", "one"))],
         {"two": ("b", "running", [IP])}, {IP: "guest"}),
    Life("all of those who share are destroyed", [yes(lambda site: site.start("a", "one", IP, shared=True)),
                                                  yes(lambda site: site.start("b", "two", IP, shared=True)),
                                                  yes(lambda site: site.destroy("a", "one")),
                                                  yes(lambda site: site.destroy("b", "two"))], {}, {}),
    Life("two families", [yes(lambda site: site.start("a", "web", IP, SIX, macs=[1]))],
         {"web": ("a", "running", [IP, SIX])}, {IP: BOTH, SIX: "guest"}, {IP: "web"}),
    Life("an address in no subnet", [yes(lambda site: site.start("a", "web", ABROAD, macs=[1]))],
         {"web": ("a", "running", [ABROAD])}, {}, {}),
    Life("a gateway", [raises(InvalidValue, lambda site: site.create("a", "web", OTHER, GATEWAY))], {}, {}),
    Life("a claim of another node refuses the start",
         [CREATED, yes(lambda site: site.claim("b", "web") == "b"),
          raises(Claimed, lambda site: site.start("a", "web", IP, macs=[1]))],
         {"web": ("a", "created", [IP])}, {IP: BOTH}, None, ["guest.conflict"]),
    Life("the holder of the claim takes over", [CREATED, yes(lambda site: site.claim("b", "web") == "b"), MOVED],
         {"web": ("b", "running", [IP])}, {IP: BOTH}),
    Life("a claim does not refuse a stop",
         [STARTED, yes(lambda site: site.claim("b", "web", force=True) == "b"), STOPPED],
         {"web": ("a", "stopped", [IP])}, {IP: BOTH}),
    Life("nobody destroys what another node has claimed",
         [CREATED, yes(lambda site: site.claim("b", "web") == "b"), no(lambda site: site.destroy("a", "web"))],
         {"web": ("a", "created", [IP])}, {IP: BOTH}),
    Life("an address of Foreman with the same MAC is joined",
         [yes(lambda site: site.desk.serve(site.book.subnets()[0], IP, 1)), CREATED,
          yes(lambda site: site.destroy("a", "web"))], {}, {IP: "dhcp"}, {IP: "host1"}),
    Life("an address of Foreman with another MAC is not",
         [yes(lambda site: site.desk.serve(site.book.subnets()[0], IP, 2)),
          raises(Conflict, lambda site: site.create("a", "web", IP, macs=[1]))], {}, {IP: "dhcp"}),
    Life("an address that was reserved for the guest by name",
         [yes(lambda site: site.desk.take(site.book.subnets()[0], IP, Use.GUEST, name="web")), CREATED],
         {"web": ("a", "created", [IP])}, {IP: BOTH}),
    Life("an address that was reserved for another guest by name",
         [yes(lambda site: site.desk.take(site.book.subnets()[0], IP, Use.GUEST, name="db")),
          raises(Conflict, lambda site: site.create("a", "web", IP, macs=[1]))], {}, {IP: "guest"}),
]  # fmt: skip


def furnished(desk: Desk) -> Site:
    """Three nodes of one cluster, and two subnets."""
    desk.add("10.0.1.0/24", gateway=GATEWAY)
    desk.add("2001:db8::/64")
    return Site(desk)


@pytest.fixture
def site(desk: Desk) -> Site:
    """Where every life begins."""
    return furnished(desk)


def lead(site: Site, life: Life, do: Callable[[Site, Step], None]) -> None:
    for step in life.steps:
        site.clock.pass_(minutes=1)
        do(site, step)
    assert site.guests() == life.guests
    assert life.reserved is None or site.reserved() == life.reserved
    assert life.served is None or site.served() == life.served
    for action in life.events:
        assert site.told(action), f"no event {action}"


def ended(step: Step, site: Site) -> bool | type[LeaseholdError]:
    """What became of a step; an answer that is no outcome is a yes."""
    try:
        answer = step.deed(site)
    except LeaseholdError as error:
        return type(error)
    return answer.accepted if isinstance(answer, Outcome) else bool(answer)


def once(site: Site, step: Step) -> None:
    assert ended(step, site) is step.ends


def twice(site: Site, step: Step) -> None:
    """As a hook that got no answer: it must not fail the second time, and must not do more than the first."""
    once(site, step)
    before = (site.guests(), site.reserved(), site.served())
    again = ended(step, site)
    assert again is step.ends or (step.ends is YES and again in (NO, Conflict))
    assert (site.guests(), site.reserved(), site.served()) == before


def at_once(site: Site, step: Step) -> None:
    """As two hooks of a node that run at the same time."""
    became: list[object] = []
    together = threading.Barrier(2, timeout=60)

    def run() -> None:
        together.wait()
        became.append(ended(step, site))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(became) == 2
    assert step.ends in became


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.name)
def test_a_life_ends_in_the_right_book(site: Site, life: Life):
    lead(site, life, once)
    assert list(site.book.check()) == []


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.name)
def test_a_life_with_every_call_repeated_ends_in_the_same_book(site: Site, life: Life):
    lead(site, life, twice)


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.name)
def test_a_life_with_every_call_made_twice_at_once_ends_in_the_same_book(site: Site, life: Life):
    lead(site, life, at_once)


def test_an_event_names_the_guest_its_node_and_the_caller(site: Site):
    site.create("a", "web", IP)
    event = site.book.events(limit=1)[0]
    assert (event.action, event.actor, event.request_id) == ("guest.add", "test", "request-1")
    assert (event.detail["cluster"], event.detail["guest"], event.detail["node"]) == (CLUSTER, "web", "a")


def test_a_report_that_changes_nothing_is_no_event(site: Site):
    site.start("a", "web", IP, macs=[1])
    before = site.desk.actions()
    site.clock.pass_(minutes=5)
    site.put("a", "web", [IP], macs=[1], state=GuestState.RUNNING)
    assert site.desk.actions() == before
    assert site.book.guest(CLUSTER, "web").event_at == site.clock()
    assert site.book.guest(CLUSTER, "web").changed_at < site.clock()


def test_a_conflict_names_the_owner(site: Site):
    site.create("a", "web", IP, macs=[1])
    with pytest.raises(Conflict, match=r"10\.0\.1\.5 .*guest web of cluster east, on node a") as refused:
        site.create("b", "copy", IP)
    assert refused.value.owner is not None
    assert (refused.value.owner["cluster"], refused.value.owner["guest"], refused.value.owner["node"]) == (
        CLUSTER, "web", "a",
    )  # fmt: skip
