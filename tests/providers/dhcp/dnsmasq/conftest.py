"""A real dnsmasq, and the proxy in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.clock import utc_now
from providers.dhcp.dnsmasq.provider import DnsmasqDHCP
from providers.ipam.local import LocalIPAM
from proxy.app import create_app
from proxy.settings import load
from tests.providers.desk import CALLER, description
from tests.providers.dhcp.dnsmasq.proxy import Proxy
from tests.providers.dhcp.dnsmasq.site import DnsmasqSite


@pytest.fixture
def site(tmp_path: Path) -> Iterator[DnsmasqSite]:
    """The dnsmasq of this machine, treated as one before 2.91, serving 10.0.1.0/28 and 10.0.2.0/24."""
    with DnsmasqSite(tmp_path, version="2.90") as running:
        yield running


@pytest.fixture
def proxies(site: DnsmasqSite, book: Book, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Proxy]:
    """Starts the proxy, as often as a test wants; the settings given differ from those of the site."""
    monkeypatch.chdir(site.directory)

    def start(**changed: object) -> Proxy:
        dhcp = DnsmasqDHCP(book, {**site.settings, **changed})
        made = AddressBook(book, LocalIPAM(book, {}), dhcp, lifetimes=Lifetimes(), clock=utc_now)
        return Proxy(create_app(made, load(environ={})), made)

    return start


@pytest.fixture
def proxy(proxies: Callable[..., Proxy]) -> Proxy:
    """The proxy with a book that has both subnets."""
    started = proxies()
    for network in ("10.0.1.0/28", "10.0.2.0/24"):
        started.book.add_subnet(description(network), CALLER)
    return started
