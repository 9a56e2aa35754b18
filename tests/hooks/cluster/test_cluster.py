"""Three nodes, one service that is killed now and then, and guests to which everything happens.

In the end, after one ``sync`` on each node, the service knows exactly what the nodes have.
"""

from __future__ import annotations

import multiprocessing
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import pytest

from hooks.service import Call
from hooks.service import Service as Asking
from hooks.settings import Settings
from hooks.spool import Spool
from tests.hooks.cbsd.node import Guest, Node
from tests.hooks.cluster.acting import act
from tests.hooks.running_service import running_service
from tests.service.running import Service

WORLDS = 3
GUESTS = 100
ACTIONS = 330
NODES = ("sun", "moon", "mars")
OUTAGES = 5


class Busy(NamedTuple):
    """A node in a process of its own, which does one thing after the other."""

    orders: Connection
    busy: Lock


class World:
    """A third of all guests, and what should be so: which of them is where."""

    def __init__(self, name: str, nodes: dict[str, Busy], seed: int) -> None:
        self.name = name
        self.nodes = nodes
        self.chance = random.Random(seed)
        self.guests: dict[str, tuple[str, Guest]] = {}
        self.copies: list[tuple[str, Guest]] = []
        self.clones = 0
        self.untold: list[tuple[str, Guest, str]] = []
        self.step = 0
        self.numbers = iter(range(1, 1_000_000))

    def order(self, node: str, name: str, *arguments: Any) -> Any:
        """Have a node do something, and wait for it."""
        with self.nodes[node].busy:
            self.nodes[node].orders.send((name, arguments))
            return self.nodes[node].orders.recv()

    def play(self) -> None:
        """Let things happen."""
        rare = [self.migrate, self.remove_copy, self.remove, self.rename, self.clone]
        for step in range(ACTIONS):
            self.step = step
            self.settle()
            if not self.guests or (len(self.guests) < GUESTS and (step < GUESTS or self.chance.random() < 0.2)):
                self.new()
            elif self.chance.random() < 0.5:
                self.switch()
            else:
                self.chance.choice(rare)()

    def new(self) -> None:
        """Create a guest, unless no address can be had now: then CBSD gives up too."""
        node = self.chance.choice(NODES)
        address = self.order(node, "address")
        if address is None:
            return
        number = next(self.numbers)
        emulator = self.chance.choice(["jail", "jail", "bhyve"])
        macs = (f"02:00:00:{ord(self.name):02x}:{number >> 8:02x}:{number & 0xFF:02x}",) if emulator == "bhyve" else ()
        guest = Guest(f"{self.name}-guest{number}", emulator, (address,), macs)
        self.guests[guest.name] = (node, guest)
        self.order(node, "create", guest)

    def one(self) -> tuple[str, Guest]:
        """Any guest."""
        return self.guests[self.chance.choice(sorted(self.guests))]

    def switch(self) -> None:
        """Start a guest that is stopped, at times in vain, or stop one that runs."""
        node, guest = self.one()
        if guest.jid:
            self.guests[guest.name] = (node, self.order(node, "stop", guest))
        else:
            self.guests[guest.name] = (node, self.order(node, "start", guest, self.chance.random() < 0.1))

    def migrate(self) -> None:
        """Stop it here, start it there; what is left here is a copy, and may be removed later.

        Not before ``sync`` has told here that a guest was renamed: cron does that within minutes.
        """
        node, guest = self.one()
        if "renamed" in guest.name:
            return
        other = self.chance.choice([each for each in NODES if each != node])
        if guest.jid:
            guest = self.order(node, "stop", guest)
        copy = guest._replace(status=2)
        self.order(node, "keep", copy)
        self.copies.append((node, copy))
        self.copies = [(at, each) for at, each in self.copies if (at, each.name) != (other, guest.name)]
        self.guests[guest.name] = (other, self.order(other, "start", guest._replace(status=0), False))

    def remove_copy(self) -> None:
        """Remove what a migration left behind."""
        if self.copies:
            node, copy = self.copies.pop(self.chance.randrange(len(self.copies)))
            self.order(node, "remove", copy)

    def remove(self) -> None:
        """Destroy a guest and its copies."""
        node, guest = self.one()
        del self.guests[guest.name]
        for at, copy in [each for each in self.copies if each[1].name == guest.name]:
            self.copies.remove((at, copy))
            self.order(at, "remove", copy)
        self.order(node, "remove", guest)

    def rename(self) -> None:
        """No hook tells: ``sync`` has to find out. What was left of the old name goes too."""
        node, guest = self.one()
        if guest.jid or any(copy.name == guest.name for _, copy in self.copies):
            return
        del self.guests[guest.name]
        renamed = guest._replace(name=f"{self.name}-renamed{next(self.numbers)}")
        self.order(node, "drop", guest.name)
        self.order(node, "keep", renamed)
        self.guests[renamed.name] = (node, renamed)

    def clone(self) -> None:
        """A clone has the address of its original; when that is told it gets one of its own, and no earlier."""
        node, guest = self.one()
        address = self.order(node, "address")
        if "renamed" in guest.name or address is None:
            return
        clone = guest._replace(name=f"{self.name}-clone{next(self.numbers)}", jid=0, macs=())
        clone = clone._replace(emulator="jail")
        self.order(node, "keep", clone)
        self.clones += 1
        started = self.order(node, "start", clone, False)
        self.untold.append((node, self.order(node, "stop", started), address))
        self.settle()

    def settle(self) -> None:
        """Give those clones an address of their own whose report does not wait for the service any more."""
        waiting = [each for each in self.untold if self.order(each[0], "waits", each[1].name)]
        for node, clone, address in self.untold:
            if (node, clone, address) not in waiting:
                mine = clone._replace(addresses=(address,))
                self.guests[clone.name] = (node, self.order(node, "start", mine, False))
        self.untold = waiting


@pytest.fixture
def service(tmp_path: Path, empty_book_file: Path) -> Iterator[Service]:
    """A real service with a subnet that has room."""
    with running_service(tmp_path / "service", empty_book_file, "10.0.0.0/20") as running:
        yield running


def asking(service: Service) -> Asking:
    """The service, as a hook sees it."""
    return Asking(Settings(urls=(f"http://127.0.0.1:{service.port}",), timeout=9), seconds=120)


def everything(service: Service, path: str, **query: str) -> list[dict[str, Any]]:
    """All items of a list."""
    found, after = [], None
    for _ in range(1000):
        page = asking(service).call(Call("GET", path, {"limit": "1000", **query} | ({"after": after} if after else {})))
        found += page["items"]
        after = page["next"]
        if after is None:
            break
    return found


@pytest.mark.race
def test_the_book_is_what_the_nodes_have(service: Service, tmp_path: Path):
    url = f"http://127.0.0.1:{service.port}"
    nodes = {
        name: Node(tmp_path, name, url, cluster="east", subnets=["10.0.0.0/20"], claims=False, release_after=0)
        for name in NODES
    }
    context = multiprocessing.get_context("spawn")
    acting, processes = {}, []
    for name, node in nodes.items():
        ours, theirs = context.Pipe()
        acting[name] = Busy(ours, Lock())
        processes.append(context.Process(target=act, args=(node, theirs), daemon=True))
        processes[-1].start()
    worlds = [World(name, acting, seed) for seed, name in enumerate("abc"[:WORLDS])]
    try:
        with ThreadPoolExecutor(WORLDS) as together:
            playing = [together.submit(world.play) for world in worlds]
            for outage in range(OUTAGES):
                reached(worlds, (outage + 1) * ACTIONS // (OUTAGES + 1), playing)
                service.kill()
                reached(worlds, (outage + 1) * ACTIONS // (OUTAGES + 1) + 5, playing)
                service.start()
            for each in playing:
                each.result(timeout=300)
        for node in nodes.values():
            assert node.run("flush").returncode == 0
        for world in worlds:
            world.settle()
            assert world.untold == []
        for node in nodes.values():
            synced = node.run("sync")
            assert synced.returncode == 0, synced.stderr
    finally:
        for each in acting.values():
            each.orders.send(None)
        for process in processes:
            process.join(60)

    assert {name: Spool(str(node.spool)).entries() for name, node in nodes.items()} == {name: [] for name in NODES}
    assert service_view(service) == nodes_view(nodes)
    taken = Counter(
        address for world in worlds for _, guest in world.guests.values() for address in guest.addresses
    )
    assert [address for address, count in taken.items() if count > 1] == []
    reserved = [row["address"] for row in everything(service, "/addresses", use="guest")]
    assert sorted(reserved) == sorted(taken)
    conflicts = [event for event in everything(service, "/events") if event["action"] == "guest.conflict"]
    told = {event["detail"]["guest"] for event in conflicts}
    assert len({name for name in told if "clone" in name}) == sum(world.clones for world in worlds)


def reached(worlds: list[World], step: int, playing: list[Future[None]]) -> None:
    """Return when the first of the worlds has come so far, or one has failed."""
    for _ in range(60_000):
        if any(world.step >= step for world in worlds) or any(each.done() for each in playing):
            return
        futures.wait(playing, timeout=0.01)
    raise AssertionError(f"nothing has come to step {step}")


def service_view(service: Service) -> dict[str, tuple[Any, ...]]:
    """Every guest as the service has it."""
    return {
        guest["name"]: (
            guest["node"], guest["emulator"], guest["state"] == "running",
            tuple(sorted(each["address"] for each in guest["addresses"])), tuple(nic["mac"] for nic in guest["nics"]),
        )
        for guest in everything(service, "/guests")
    }  # fmt: skip


def nodes_view(nodes: dict[str, Node]) -> dict[str, tuple[Any, ...]]:
    """Every guest as the nodes have it: copies of what is elsewhere are none."""
    found = {}
    for name, node in nodes.items():
        with sqlite3.connect(node.workdir / "var" / "db" / "local.sqlite") as connection:
            rows = connection.execute("SELECT jname, emulator, ip4_addr, jid FROM jails WHERE status != 2").fetchall()
        for guest, emulator, ip4_addr, jid in rows:
            with sqlite3.connect(node.workdir / "jails-system" / guest / "local.sqlite") as connection:
                macs = [mac for (mac,) in connection.execute(f"SELECT nic_hwaddr FROM {emulator}nic ORDER BY id")]
            addresses = tuple(sorted(each.partition("/")[0] for each in ip4_addr.split(",")))
            found[guest] = (name, emulator, jid > 0, addresses, tuple(macs))
    return found


