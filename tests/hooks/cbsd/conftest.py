"""A real service, shared by the tests of a module, and nodes on which everything is installed."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from netaddr import IPNetwork

from hooks.install.cbsd import cbsd_changes
from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.clock import utc_now
from providers.dhcp.none import NoDHCP
from providers.ipam.local import LocalIPAM
from providers.model import Caller, SubnetSpec
from tests.hooks.cbsd.node import Node
from tests.service.running import Service

SUBNETS = ("10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/30", "10.0.4.0/30", "10.0.8.0/28", "2001:db8:1::/64")


class Known:
    """What the service knows, asked over HTTP."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.url = f"http://127.0.0.1:{service.port}"

    def get(self, path: str, **query: str) -> Any:
        """An answer of the API."""
        with urllib.request.urlopen(f"{self.url}/api/v1{path}?{urllib.parse.urlencode(query)}", timeout=60) as answer:
            return json.load(answer)

    def guest(self, name: str, cluster: str = "east") -> dict[str, Any] | None:
        """A guest; None when it is not known."""
        found = self.get("/guests", cluster=cluster, text=name)["items"]
        return next((each for each in found if each["name"] == name), None)

    def addresses(self, name: str, cluster: str = "east") -> list[str]:
        """The addresses of a guest."""
        found = self.guest(name, cluster)
        return [each["address"] for each in found["addresses"]] if found else []

    def uses(self, address: str) -> list[str]:
        """What an address is reserved for; empty when it is free."""
        return [use for row in self.get("/addresses", ip=address)["items"] for use in row["uses"]]

    def held(self, address: str) -> str | None:
        """The key by which an address is held; None when it is not."""
        return next((each["key"] for each in self.get("/holds", ip=address)["items"]), None)

    def events(self, action: str) -> list[dict[str, Any]]:
        """What happened."""
        return [each for each in self.get("/events", limit="1000")["items"] if each["action"] == action]

    def reserve(self, address: str) -> None:
        """Let somebody have an address."""
        self._send("PUT", f"/addresses/{address}", {"name": "printer"})

    def hold(self, subnet: str, key: str) -> str:
        """Let somebody hold an address."""
        return str(self._send("POST", f"/subnets/{subnet}/next", {"key": key})["address"])

    def _send(self, method: str, path: str, body: dict[str, str]) -> Any:
        url, headers = f"{self.url}/api/v1{path}", {"Content-Type": "application/json"}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory, empty_book_file: Path) -> Iterator[Known]:
    """A service with a few subnets; one with two addresses, one with none that is free."""
    place = tmp_path_factory.mktemp("service")
    (place / "leasehold.db").write_bytes(empty_book_file.read_bytes())
    book = Book(f"sqlite:///{place}/leasehold.db")
    address_book = AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=utc_now)
    for network in SUBNETS:
        address_book.add_subnet(SubnetSpec(IPNetwork(network), "Lab"), Caller("test"))
    address_book.close()
    service = Service(place)
    service.start()
    found = Known(service)
    for address in ("10.0.4.1", "10.0.4.2"):
        found.reserve(address)
    yield found
    service.stop()


@pytest.fixture
def make_node(known: Known, tmp_path: Path) -> Callable[..., Node]:
    """Makes a node of cluster ``east`` on which everything is installed."""

    def make(name: str = "sun", url: str = known.url, **settings: Any) -> Node:
        node = Node(tmp_path, name, url, **{"cluster": "east", "claims": False, **settings})
        # What install does, without a process of its own for each test.
        for change in cbsd_changes(str(node.workdir), str(node.program), existing=True):
            change.make()
        return node

    return make


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    """A node."""
    return make_node()
