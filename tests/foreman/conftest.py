"""A site and a Foreman in front of it, in each of the modes in which Foreman uses a subnet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.clock import Clock
from proxy.app import create_app
from proxy.settings import load
from tests.foreman.orchestration import Foreman
from tests.foreman.site import MODES, Mode, NotingIPAM, NotingServer, Site
from tests.foreman.wire import Wire


@pytest.fixture(params=MODES, ids=lambda mode: mode.name)
def mode(request: pytest.FixtureRequest) -> Mode:
    """With the DHCP proxy, with External IPAM, with both in both orders; a test may choose some of them."""
    chosen: Mode = request.param
    return chosen


@pytest.fixture
def site(book: Book, clock: Clock, mode: Mode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The faces, and what is behind them."""
    monkeypatch.chdir(tmp_path)
    server, upstream = NotingServer(book), NotingIPAM(book)
    address_book = AddressBook(book, upstream, server, lifetimes=Lifetimes(), clock=clock)
    made = Site(create_app(address_book, load(environ={})), address_book, server, upstream, mode)
    made.furnish()
    return made


@pytest.fixture
def wire(site: Site) -> Wire:
    """The way from Foreman to the site."""
    return Wire(site.app)


@pytest.fixture
def foreman(wire: Wire, mode: Mode) -> Foreman:
    """A Foreman."""
    return Foreman(wire, ipam_first=mode.ipam_first)


@pytest.fixture
def other_foreman(site: Site, mode: Mode) -> Callable[[], Foreman]:
    """Another user of the same Foreman, whose requests have nothing to do with those of the first."""
    return lambda: Foreman(Wire(site.app), ipam_first=mode.ipam_first)
