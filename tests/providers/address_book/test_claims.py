"""Claims: one holder at a time, until it lets go, is forced, or does not renew."""

from __future__ import annotations

from datetime import timedelta

import pytest

from providers.errors import Claimed, Conflict, InvalidValue, NotFound
from providers.guests import Claim, GuestState
from providers.model import Caller
from tests.providers.desk import CALLER, Desk
from tests.providers.guest_site import CLUSTER, Site

HOUR = timedelta(hours=1)
IP = "10.0.1.5"


@pytest.fixture
def site(desk: Desk) -> Site:
    """A cluster with one subnet."""
    desk.add("10.0.1.0/24")
    return Site(desk)


def renew(site: Site, node: str) -> Claim:
    return site.book.renew_claim(CLUSTER, "web", node, CALLER)


def release(site: Site, node: str | None) -> Claim | None:
    return site.book.release_claim(CLUSTER, "web", node, CALLER)


def test_one_node_holds_it(site: Site):
    since = site.clock()
    assert site.claim("a", "web") == "a"
    site.clock.pass_(minutes=10)

    with pytest.raises(Claimed, match=r"web .*cluster east.*node a since 2026-01-02T03:04:05Z: ") as refused:
        site.claim("b", "web")

    assert (refused.value.claim.node, refused.value.claim.since) == ("a", since)
    assert [each.node for each in site.book.claims()] == ["a"]


def test_ours_already_is_success_and_keeps_since_when(site: Site):
    since = site.clock()
    site.claim("a", "web")
    site.clock.pass_(minutes=10)

    again = site.book.claim(CLUSTER, "web", "a", CALLER)

    assert (again.since, again.renewed_at, again.expires_at) == (since, site.clock(), None)


def test_each_guest_and_each_cluster_has_its_own(site: Site):
    site.claim("a", "web")
    assert site.claim("b", "db") == "b"
    assert site.book.claim("west", "web", "b", CALLER).node == "b"
    assert [(each.cluster, each.name, each.node) for each in site.book.claims()] == [
        ("east", "db", "b"), ("east", "web", "a"), ("west", "web", "b"),
    ]  # fmt: skip
    assert [each.name for each in site.book.claims(cluster="east", node="a")] == ["web"]


def test_they_are_listed_page_by_page_and_found(site: Site):
    for name in ("web2", "Web1", "db", "mail", "gone"):
        site.claim("a", name, lifetime=HOUR if name == "gone" else None)
    site.book.claim("west", "aweb", "b", CALLER)
    site.clock.pass_(hours=1)
    pages: list[list[str]] = []
    after: tuple[str, str] | None = None
    while found := site.book.claims(after=after, limit=2):
        pages.append([f"{each.cluster}/{each.name}" for each in found])
        after = found[-1].cluster, found[-1].name

    assert pages == [["east/Web1", "east/db"], ["east/mail", "east/web2"], ["west/aweb"]]
    assert [each.name for each in site.book.claims(text="WEB")] == ["Web1", "web2", "aweb"]
    assert [each.name for each in site.book.claims(text="web", cluster="east", limit=1)] == ["Web1"]
    assert site.book.claims(text="%") == []


def test_without_a_lifetime_it_lasts(site: Site):
    site.claim("a", "web")
    site.clock.pass_(days=1000)
    with pytest.raises(Claimed):
        site.claim("b", "web")


def test_with_a_lifetime_it_expires(site: Site):
    site.claim("a", "web", lifetime=HOUR)
    site.clock.pass_(minutes=59, seconds=59)
    with pytest.raises(Claimed, match="until"):
        site.claim("b", "web")
    site.clock.pass_(seconds=1)

    assert site.book.claims() == []
    assert site.claim("b", "web") == "b"
    assert [each["node"] for each in site.told("claim.expire")] == ["a"]


def test_whoever_renews_keeps_it(site: Site):
    site.claim("a", "web", lifetime=HOUR)
    for _ in range(5):
        site.clock.pass_(minutes=50)
        assert renew(site, "a").expires_at == site.clock() + HOUR
    with pytest.raises(Claimed):
        site.claim("b", "web")


def test_one_that_ended_is_renewed_unless_somebody_took_it(site: Site):
    """The guest still runs there: nobody else may, and this says so."""
    site.claim("a", "web", lifetime=HOUR)
    site.clock.pass_(hours=2)
    assert renew(site, "a").expires_at == site.clock() + HOUR
    site.clock.pass_(hours=2)
    site.claim("b", "web")
    with pytest.raises(Claimed):
        renew(site, "a")


@pytest.mark.parametrize("runs", ["starting", "running"])
def test_one_that_ended_is_not_renewed_while_another_node_runs_the_guest(site: Site, runs: str):
    """It was started there without a claim, which nothing forbade."""
    site.claim("a", "web", lifetime=HOUR)
    site.clock.pass_(hours=2)
    site.put("b", "web", [IP], state=GuestState(runs))

    with pytest.raises(Conflict, match=f"web .*cluster east.* node b runs the guest .{runs}") as refused:
        renew(site, "a")

    assert refused.value.owner == {"cluster": CLUSTER, "guest": "web", "node": "b"}
    assert site.book.claims() == []
    site.stop("b", "web")
    assert renew(site, "a").expires_at == site.clock() + HOUR


def test_one_that_lives_is_renewed_whoever_has_the_guest(site: Site):
    """As between the claim and the start, when a guest is moved."""
    site.start("b", "web", IP)
    site.claim("a", "web", lifetime=HOUR)
    assert renew(site, "a").node == "a"


def test_only_the_claim_that_is_meant_is_renewed(site: Site):
    first = site.clock()
    site.claim("a", "web", lifetime=HOUR)
    assert site.book.renew_claim(CLUSTER, "web", "a", CALLER, since=first).since == first
    release(site, "a")
    site.clock.pass_(minutes=1)
    site.claim("a", "web", lifetime=HOUR)
    site.clock.pass_(minutes=1)

    with pytest.raises(Claimed, match="not since 2026-01-02T03:04:05") as refused:
        site.book.renew_claim(CLUSTER, "web", "a", CALLER, since=first)

    assert refused.value.claim == site.book.claims()[0]
    assert refused.value.claim.renewed_at == first + timedelta(minutes=1)


@pytest.mark.parametrize("node", ["a", None])
def test_a_late_release_ends_no_newer_claim(site: Site, node: str | None):
    first = site.clock()
    site.claim("a", "web")
    release(site, "a")
    site.clock.pass_(minutes=1)
    second = site.clock()
    site.claim("a", "web")

    with pytest.raises(Claimed) as refused:
        site.book.release_claim(CLUSTER, "web", node, CALLER, since=first)

    assert (refused.value.claim.since, [each.since for each in site.book.claims()]) == (second, [second])
    assert site.book.release_claim(CLUSTER, "web", node, CALLER, since=second) is not None
    assert site.book.release_claim(CLUSTER, "web", node, CALLER, since=second) is None


def test_what_is_meant_is_told_apart_to_the_second(site: Site):
    """That is how exactly claims are told."""
    site.clock.pass_(milliseconds=700)
    site.claim("a", "web")
    told = site.clock().replace(microsecond=0)
    assert site.book.renew_claim(CLUSTER, "web", "a", CALLER, since=told).node == "a"


def test_nobody_renews_what_is_not_theirs(site: Site):
    with pytest.raises(NotFound):
        renew(site, "a")
    site.claim("b", "web")
    with pytest.raises(Claimed):
        renew(site, "a")


def test_renewing_is_no_event(site: Site):
    site.claim("a", "web", lifetime=HOUR)
    before = site.desk.actions()
    renew(site, "a")
    site.claim("a", "web", lifetime=HOUR)
    assert site.desk.actions() == before


def test_the_holder_releases_it(site: Site):
    site.claim("a", "web")
    released = release(site, "a")
    assert released is not None
    assert released.node == "a"
    assert release(site, "a") is None
    assert site.claim("b", "web") == "b"
    assert site.desk.actions()[-3:] == ["claim.take", "claim.release", "claim.take"]


def test_nobody_else_releases_it(site: Site):
    site.claim("a", "web")
    with pytest.raises(Claimed):
        release(site, "b")
    assert [each.node for each in site.book.claims()] == ["a"]


def test_an_operator_releases_it_whoever_holds_it(site: Site):
    site.claim("a", "web")
    released = release(site, None)
    assert released is not None
    assert site.book.claims() == []


def test_an_expired_one_of_another_node_is_none(site: Site):
    site.claim("a", "web", lifetime=HOUR)
    site.clock.pass_(hours=1)
    assert release(site, "b") is None


def test_force_takes_it_over_and_is_recorded(site: Site):
    site.claim("a", "web")
    site.clock.pass_(minutes=5)

    taken = site.book.claim(CLUSTER, "web", "b", Caller("anna"), force=True)

    assert (taken.node, taken.since, taken.forced_from) == ("b", site.clock(), "a")
    event = site.book.events(limit=1)[0]
    assert (event.action, event.actor, event.detail["forced_from"]) == ("claim.force", "anna", "a")
    with pytest.raises(Claimed):
        renew(site, "a")


def test_force_without_a_holder_is_just_a_claim(site: Site):
    assert site.book.claim(CLUSTER, "web", "a", CALLER, force=True).forced_from is None
    assert site.desk.actions()[-1] == "claim.take"


@pytest.mark.parametrize("seconds", [0, -1, 10**10])
def test_a_lifetime_that_is_none_is_refused(site: Site, seconds: int):
    with pytest.raises(InvalidValue, match="lifetime"):
        site.claim("a", "web", lifetime=timedelta(seconds=seconds))


@pytest.mark.parametrize(("lifetime", "interval", "fits"), [(299, 100, False), (300, 100, True), (100, 100, False)])
def test_a_lifetime_below_three_renewals_is_refused(site: Site, lifetime: int, interval: int, *, fits: bool):
    def ask() -> Claim:
        announced = {"lifetime": timedelta(seconds=lifetime), "renewal_interval": timedelta(seconds=interval)}
        return site.book.claim(CLUSTER, "web", "a", CALLER, **announced)

    if fits:
        assert ask().expires_at == site.clock() + timedelta(seconds=lifetime)
        return
    with pytest.raises(InvalidValue, match="three times"):
        ask()
    assert site.book.claims() == []


@pytest.mark.parametrize(
    ("cluster", "name", "node"),
    [("", "web", "a"), ("east", "", "a"), ("east", "web", ""), ("east", "w/b", "a"), ("east", "..", "a"),
     ("east", "x" * 256, "a"), ("east", "web", "a\nb"), ("e{ast", "web", "a")],
)  # fmt: skip
def test_names_that_cannot_be_kept_are_refused(site: Site, cluster: str, name: str, node: str):
    with pytest.raises(InvalidValue):
        site.book.claim(cluster, name, node, CALLER)


def test_a_guest_shows_its_claim(site: Site):
    site.create("a", "web", IP)
    site.claim("a", "web", lifetime=HOUR)
    assert site.book.guest(CLUSTER, "web").claim == site.book.claims()[0]
    assert site.book.guests()[0].claim is not None
    site.clock.pass_(hours=1)
    assert site.book.guest(CLUSTER, "web").claim is None


def test_removing_a_guest_ends_its_claim(site: Site):
    site.create("a", "web", IP)
    site.claim("a", "web")
    site.destroy("a", "web")
    assert site.book.claims() == []


def test_a_claim_goes_with_the_guest_when_it_is_renamed(site: Site):
    site.create("a", "web", IP)
    site.claim("a", "web")
    site.rename("a", "web", "www")
    assert [(each.name, each.node) for each in site.book.claims()] == [("www", "a")]


@pytest.mark.parametrize(("first", "second"), [(HOUR, None), (None, HOUR), (None, None)])
def test_of_two_claims_of_its_node_the_living_one_stays(
    site: Site, first: timedelta | None, second: timedelta | None
):
    site.create("a", "web", IP)
    site.claim("a", "web", lifetime=first)
    site.claim("a", "www", lifetime=second)
    site.clock.pass_(hours=1)
    site.rename("a", "web", "www")
    assert [(each.name, each.expires_at) for each in site.book.claims()] == [("www", None)]


@pytest.mark.parametrize("claimed", ["web", "www"])
def test_a_guest_is_not_renamed_over_the_claim_of_another_node(site: Site, claimed: str):
    site.create("a", "web", IP)
    site.claim("b", claimed)
    with pytest.raises(Claimed):
        site.rename("a", "web", "www")
    assert site.guests() == {"web": ("a", "created", [IP])}
    assert [(each.name, each.node) for each in site.book.claims()] == [(claimed, "b")]


def test_an_expired_claim_forbids_no_start(site: Site):
    site.claim("b", "web", lifetime=HOUR)
    site.clock.pass_(hours=1)
    assert site.start("a", "web", IP).accepted
