"""A site and a Foreman in front of it, in each of the modes in which Foreman uses a subnet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.clock import Clock
from proxy.app import create_app
from proxy.settings import load
from tests.foreman.orchestration import Foreman
from tests.foreman.phpipam_site import PhpIPAMSite, WatchedPhpIPAM
from tests.foreman.site import MODES, Mode, NotingIPAM, NotingServer, Site
from tests.foreman.wire import Wire
from tests.phpipam import Double
from tests.phpipam.application import Response
from tests.phpipam.asked import Request
from tests.phpipam.server import served


@pytest.fixture(params=MODES, ids=lambda mode: mode.name)
def mode(request: pytest.FixtureRequest) -> Mode:
    """With the DHCP proxy, with External IPAM, with both in both orders; a test may choose some of them."""
    chosen: Mode = request.param
    return chosen


class Switchboard:
    """Stands for whichever phpIPAM the current test has: one server for all of them."""

    double: Double

    def answer(self, request: Request) -> Response:
        """What that one answers."""
        return self.double.answer(request)


@pytest.fixture(scope="session")
def switchboard() -> Iterator[tuple[Switchboard, str]]:
    """The server and its URL."""
    board = Switchboard()
    with served(board.answer) as url:
        yield board, url


@pytest.fixture(params=["noting", "phpipam"])
def truth(request: pytest.FixtureRequest) -> str:
    """Where the truth is: in an IPAM that takes whatever it is told, or in phpIPAM."""
    chosen: str = request.param
    return chosen


@pytest.fixture
def site(
    request: pytest.FixtureRequest, book: Book, clock: Clock, mode: Mode, truth: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Site:  # fmt: skip
    """The faces, and what is behind them."""
    monkeypatch.chdir(tmp_path)
    server = NotingServer(book)
    upstream: NotingIPAM | WatchedPhpIPAM = NotingIPAM(book)
    if truth == "phpipam":
        monkeypatch.setattr("providers.ipam.remote.sealed._COST", 2)
        board, url = request.getfixturevalue("switchboard")
        board.double = Double(clock=clock)
        upstream = WatchedPhpIPAM(book, board.double, url, clock)
    address_book = AddressBook(book, upstream, server, lifetimes=Lifetimes(), clock=clock)
    kind = PhpIPAMSite if truth == "phpipam" else Site
    made = kind(create_app(address_book, load(environ={})), address_book, server, upstream, mode)  # type: ignore[arg-type]
    made.furnish()
    return made


@pytest.fixture
def wire(site: Site) -> Iterator[Wire]:
    """The way from Foreman to the site, on which every prepared trouble must have happened."""
    made = Wire(site.app)
    yield made
    assert made.troubled, "a trouble that the test prepared never happened"


@pytest.fixture
def foreman(wire: Wire, mode: Mode) -> Foreman:
    """A Foreman."""
    return Foreman(wire, ipam_first=mode.ipam_first)


@pytest.fixture
def other_foreman(site: Site, mode: Mode) -> Callable[[], Foreman]:
    """Another user of the same Foreman, whose requests have nothing to do with those of the first."""
    return lambda: Foreman(Wire(site.app), ipam_first=mode.ipam_first)
