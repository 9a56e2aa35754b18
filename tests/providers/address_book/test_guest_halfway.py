"""A process that is killed at any step of a report about a guest: another one goes on with it, and all agree again."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from datetime import timedelta

import pytest
from netaddr import IPAddress
from sqlalchemy import select

from providers.address_book import AddressBook, Lifetimes, guest_finishing
from providers.book.database import Book
from providers.book.tables import guest_addresses, guests
from providers.clock import utc_now
from providers.errors import Conflict, Unavailable
from providers.ipam.contract import our_record
from tests.providers.desk import CALLER, Desk
from tests.providers.dhcp.recording_double import RecordingDHCP, Server
from tests.providers.guest_site import Site
from tests.providers.ipam.remote_double import RemoteIPAM, Upstream, place
from tests.providers.processes import CONTEXT
from tests.providers.soundness import assert_sound

FIRST, SECOND, THIRD = "10.0.1.5", "10.0.2.6", "10.0.1.7"
MACS = [1, 2]
LATER = timedelta(minutes=3)


class Killed(BaseException):
    """Nobody goes on after this."""


def made(address_book: AddressBook) -> Site:
    """Two subnets, and a guest with an address and a DHCP host in each; everybody has to be told."""
    address_book.ipam = RemoteIPAM(address_book.book, {"upstream": Upstream()})
    address_book.dhcp = RecordingDHCP(address_book.book, {"server": Server()})
    desk = Desk(address_book, address_book.clock)
    desk.add("10.0.1.0/24")
    desk.add("10.0.2.0/24")
    site = Site(desk)
    site.create("a", "web", FIRST, SECOND, macs=MACS)
    return site


@pytest.fixture
def site(address_book: AddressBook) -> Site:
    """The guest is there for a minute."""
    site = made(address_book)
    site.clock.pass_(minutes=1)
    return site


def doubles(site: Site) -> tuple[Upstream, Server]:
    return site.book.ipam.upstream, site.book.dhcp.server


def before_step(site: Site, call: str, number: int, happens: Callable[[], object]) -> None:
    """Let something happen when the ``number``-th such call from now on begins."""
    upstream, server = doubles(site)
    double = server if call in ("publish", "withdraw") else upstream

    def count(left: int) -> None:
        if left == 1:
            happens()
        double.meanwhile[call] = lambda: count(left - 1)

    double.meanwhile[call] = lambda: count(number)


def killed(site: Site, deed: Callable[[Site], object], monkeypatch) -> None:
    """Do it, be killed, and leave no trace of how."""
    with monkeypatch.context() as patch:
        patch.setattr(site.book, "_take_all_back", lambda *_: None)
        with pytest.raises(Killed):
            deed(site)
    for double in doubles(site):
        double.meanwhile.clear()


def gone_on(site: Site) -> list[str]:
    """As the service does it a few minutes later."""
    site.clock.pass_(minutes=3)
    done = site.book.finish_guests(CALLER)
    site.book.sync(CALLER, most_percent=100)
    return done


def all_agree(site: Site) -> None:
    """Book, IPAM and DHCP server, and nothing is halfway."""
    upstream, server = doubles(site)
    assert {address for _, address in upstream.rows} == set(site.reserved())
    assert {str(host.address): host.name for host in server.served.values()} == site.served()
    assert list(site.book.check()) == []
    assert_sound(site.book.book)
    with site.book.book.read() as connection:
        assert connection.execute(select(guests.c.name).where(guests.c.telling_since.is_not(None))).all() == []
        left = guest_addresses.c.leaving | ~guest_addresses.c.told
        assert connection.execute(select(guest_addresses.c.address).where(left)).all() == []


def stop() -> None:
    raise Killed


def end(site: Site, number: int) -> Callable[[Site], object]:
    """Be killed at the ``number``-th transaction of what comes: the last step of all."""
    write, left = site.book.book.write, [number]

    def count(work):
        left[0] -= 1
        if not left[0]:
            stop()
        return write(work)

    site.book.book.write = count
    return lambda _: setattr(site.book.book, "write", write)


STEPS = [("withdraw", 1), ("withdraw", 2), ("delete", 1), ("delete", 2)]


@pytest.mark.parametrize(("call", "number"), STEPS)
@pytest.mark.parametrize("node", ["a", None])
def test_a_removal_is_finished(site: Site, call: str, number: int, node: str | None, monkeypatch):
    before_step(site, call, number, stop)
    killed(site, lambda site: site.destroy(node, "web"), monkeypatch)
    assert set(site.reserved()) == {FIRST, SECOND}

    assert gone_on(site) == ["east/web"]

    assert (site.guests(), site.reserved()) == ({}, {})
    all_agree(site)
    assert len(site.told("guest.remove")) == 1
    assert site.put("a", "web", [FIRST], late=5).accepted is False
    assert site.book.finish_guests(CALLER) == []


def test_a_removal_is_finished_when_only_the_book_was_left(site: Site, monkeypatch):
    restore = end(site, 2)
    killed(site, lambda site: site.destroy("a", "web"), monkeypatch)
    restore(site)
    upstream, server = doubles(site)
    assert (upstream.rows, server.served, set(site.reserved())) == ({}, {}, {FIRST, SECOND})

    assert gone_on(site) == ["east/web"]

    assert (site.guests(), site.reserved()) == ({}, {})
    all_agree(site)


@pytest.mark.parametrize(("call", "number"), STEPS)
def test_so_is_giving_addresses_back(site: Site, call: str, number: int, monkeypatch):
    before_step(site, call, number, stop)
    killed(site, lambda site: site.put("a", "web", []), monkeypatch)

    assert gone_on(site) == ["east/web"]

    assert (site.guests(), site.reserved()) == ({"web": ("a", "created", [])}, {})
    all_agree(site)


@pytest.mark.parametrize(("call", "number"), [("create", 1), ("publish", 1), ("withdraw", 1), ("delete", 1)])
def test_so_is_a_change_of_addresses(site: Site, call: str, number: int, monkeypatch):
    before_step(site, call, number, stop)
    killed(site, lambda site: site.start("a", "web", THIRD, SECOND, macs=MACS), monkeypatch)

    assert gone_on(site) == ["east/web"]

    assert site.guests() == {"web": ("a", "starting", [THIRD, SECOND])}
    assert set(site.reserved()) == {SECOND, THIRD}
    all_agree(site)


def test_whoever_is_at_it_now_is_left_alone(site: Site, monkeypatch):
    before_step(site, "delete", 1, stop)
    killed(site, lambda site: site.destroy("a", "web"), monkeypatch)
    site.clock.pass_(minutes=1)
    assert site.book.finish_guests(CALLER) == []
    assert set(site.reserved()) == {FIRST, SECOND}


def test_a_report_that_came_since_counts(site: Site, monkeypatch):
    """The node has made the guest anew: it is not removed again."""
    before_step(site, "delete", 1, stop)
    killed(site, lambda site: site.destroy("a", "web"), monkeypatch)
    site.start("a", "web", FIRST, SECOND, macs=MACS)

    assert gone_on(site) == []

    assert site.guests() == {"web": ("a", "running", [FIRST, SECOND])}
    assert set(site.reserved()) == {FIRST, SECOND}
    all_agree(site)


def test_what_fails_is_tried_again(site: Site, monkeypatch):
    before_step(site, "delete", 1, stop)
    killed(site, lambda site: site.destroy("a", "web"), monkeypatch)
    upstream, _ = doubles(site)
    upstream.broken = {"delete"}
    assert gone_on(site) == []
    upstream.broken = set()

    assert gone_on(site) == ["east/web"]
    assert (site.guests(), site.reserved()) == ({}, {})
    all_agree(site)


class Picky(Upstream):
    """Answers for all addresses but some."""

    refused: tuple[str, ...] = ()

    def enter(self, call: str, address: IPAddress) -> None:
        super().enter(call, address)
        if str(address) in self.refused:
            raise self.error


def left_halfway(site: Site, *names: str, monkeypatch) -> Picky:
    """Guests whose removals were cut off, one after the other; each has an address of its own, from 10.0.1.21 on."""
    upstream, _ = doubles(site)
    site.book.ipam.upstream = picky = Picky(upstream.rows)
    for number, name in enumerate(names):
        site.clock.pass_(minutes=1)
        site.create("a", name, f"10.0.1.{21 + number}")
        before_step(site, "delete", 1, stop)
        killed(site, lambda site, name=name: site.destroy("a", name), monkeypatch)
    return picky


@pytest.mark.parametrize("error", [Unavailable("The IPAM does not answer"), Conflict("Somebody has it")])
def test_those_that_fail_hold_up_nobody(site: Site, error: Exception, monkeypatch):
    monkeypatch.setattr(guest_finishing, "_AT_ONCE", 2)
    upstream = left_halfway(site, "app1", "app2", "app3", monkeypatch=monkeypatch)
    upstream.error, upstream.refused = error, ("10.0.1.21", "10.0.1.22")
    assert gone_on(site) + gone_on(site) == ["east/app3"]

    upstream.refused = ()

    assert gone_on(site) == ["east/app1", "east/app2"]
    all_agree(site)


def test_where_nobody_answers_not_all_of_them_are_tried_at_once(site: Site, monkeypatch):
    names = [f"app{number}" for number in range(5)]
    upstream = left_halfway(site, *names, monkeypatch=monkeypatch)
    upstream.broken = {"delete"}
    for tried in (["10.0.1.21", "10.0.1.22", "10.0.1.23"], ["10.0.1.24", "10.0.1.25"]):
        upstream.calls.clear()
        gone_on(site)
        assert [address for call, address in upstream.calls if call == "delete"] == tried
    upstream.broken = set()
    assert gone_on(site) == [f"east/{name}" for name in names]


def test_why_they_fail_is_logged_once(site: Site, monkeypatch, caplog):
    upstream = left_halfway(site, "app1", "app2", monkeypatch=monkeypatch)
    upstream.broken = {"delete"}
    for _ in range(5):
        gone_on(site)
    assert caplog.text.count("is not finished, which is tried again") == 1
    upstream.error = Unavailable("The IPAM is shut down")
    gone_on(site)
    assert caplog.text.count("is not finished, which is tried again: The IPAM is shut down") == 1


def test_a_report_of_the_time_before_does_not_stop_a_removal(site: Site, monkeypatch):
    before_step(site, "delete", 1, stop)
    killed(site, lambda site: site.destroy("a", "web"), monkeypatch)

    late = site.put("a", "web", [FIRST, SECOND], late=0.5)

    assert (late.accepted, late.reason) == (
        False,
        "the guest is being removed, as of 2026-01-02T03:05:05.000Z, after what is reported",
    )
    assert gone_on(site) == ["east/web"]
    assert (site.guests(), site.reserved()) == ({}, {})
    all_agree(site)


def test_a_claim_that_another_node_got_since_stays(site: Site, monkeypatch):
    site.claim("a", "web", lifetime=timedelta(seconds=30))
    before_step(site, "delete", 1, stop)
    killed(site, lambda site: site.destroy("a", "web"), monkeypatch)
    site.clock.pass_(minutes=1)
    site.claim("b", "web")

    assert gone_on(site) == ["east/web"]

    assert [(each.name, each.node) for each in site.book.claims()] == [("web", "b")]
    assert site.guests() == {}


def test_who_shares_an_address_since_is_told_when_it_is_finished(site: Site, monkeypatch):
    shared = "10.0.1.30"
    site.create("a", "one", shared, shared=True)
    before_step(site, "delete", 1, stop)
    killed(site, lambda site: site.put("a", "one", []), monkeypatch)
    site.create("a", "two", shared, shared=True)

    assert gone_on(site) == ["east/one"]

    upstream, _ = doubles(site)
    assert upstream.rows["Lab", shared].owner == "east/two"
    all_agree(site)


def test_a_failure_that_was_taken_back_leaves_no_mark(site: Site):
    upstream, _ = doubles(site)
    upstream.broken = {"delete"}
    with pytest.raises(Unavailable):
        site.destroy("a", "web")
    assert gone_on(site) == []
    assert site.guests() == {"web": ("a", "created", [FIRST, SECOND])}


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        (lambda site: site.destroy("a", "web"), "removed at 2026-01-02T03:05:05.*run leasehold guest remove east/web"),
        (lambda site: site.put("a", "web", []), "reported at 2026-01-02T03:05:05.*let its node report it again"),
    ],
)
def test_check_names_what_nobody_has_finished(site: Site, deed, told: str, monkeypatch):
    before_step(site, "delete", 1, stop)
    killed(site, deed, monkeypatch)
    assert [each for each in site.book.check() if each.kind == "guest"] == []
    site.clock.pass_(minutes=10)

    (found,) = [each for each in site.book.check() if each.kind == "guest"]

    assert found.repair is None
    assert re.search(told, f"{found.what} {found.advice}")


def test_where_nobody_has_to_be_told_a_removal_is_one_step(desk: Desk, monkeypatch):
    desk.add("10.0.1.0/24")
    site = Site(desk)
    site.create("a", "web", FIRST, macs=[1])
    written, write = [], site.book.book.write
    monkeypatch.setattr(site.book.book, "write", lambda work: written.append(1) or write(work))

    site.destroy("a", "web")

    assert (len(written), site.guests(), site.reserved()) == (1, {}, {})


@pytest.fixture(params=["book", "postgresql_book"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty book on either database."""
    book: Book = request.getfixturevalue(request.param)
    return book.url.render_as_string(hide_password=False)


def opened(url: str) -> AddressBook:
    book = Book(url)
    nobody: dict[str, object] = {"upstream": Upstream()}
    served: dict[str, object] = {"server": Server()}
    providers = RemoteIPAM(book, nobody), RecordingDHCP(book, served)
    return AddressBook(book, *providers, lifetimes=Lifetimes(), clock=utc_now)


def remove_and_die(url: str, call: str, number: int) -> None:
    """Make the guest, and be killed while it is removed."""
    site = made(opened(url))
    before_step(site, call, number, lambda: os.kill(os.getpid(), signal.SIGKILL))
    site.destroy("a", "web")


@pytest.mark.parametrize(("call", "number"), [STEPS[0], STEPS[-1]])
def test_another_process_goes_on_after_a_kill(url: str, call: str, number: int):
    process = CONTEXT.Process(target=remove_and_die, args=(url, call, number))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    address_book = opened(url)
    site = Site(Desk(address_book, utc_now))
    upstream, server = doubles(site)
    for each in address_book.reservations():
        # What the IPAM and the DHCP server had went with the process: they still have all of it.
        upstream.rows[place(each.subnet, each.address)] = our_record(each)
        server.served.update({(each.subnet.id, host.mac): host for host in each.hosts})
    assert set(site.reserved()) == {FIRST, SECOND}

    address_book.clock = lambda: utc_now() + LATER
    assert address_book.finish_guests(CALLER) == ["east/web"]

    assert (site.guests(), site.reserved(), upstream.rows, server.served) == ({}, {}, {}, {})
    assert list(address_book.check()) == []
    address_book.close()
