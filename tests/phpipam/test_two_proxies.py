"""Two proxies with one book in front of one phpIPAM, while somebody else takes and gives back addresses at random.

Each proxy is a process, and phpIPAM too.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import Any
from unittest import mock

import pytest
from netaddr import IPNetwork

from providers.address_book import AddressBook, Lifetimes
from providers.book import schema_version
from providers.book.database import Book
from providers.clock import utc_now
from providers.dhcp.none import NoDHCP
from providers.errors import Conflict
from providers.ipam.phpipam.provider import PhpIPAM
from providers.model import Asker, Caller, Use
from tests.phpipam.client import Script
from tests.phpipam.separate import separate_double
from tests.providers.processes import together
from tests.providers.soundness import assert_sound

CIDR = "10.60.0.0/20"
PROXIES = 2
EACH = 1000
OTHERS_HAVE = 150
PATIENCE = 300
THEIRS = "theirs"
ACCOUNT = {"user": "leasehold", "password": "leasehold-pass", "app": "leasehold"}

Told = tuple[str, str, object]
"""Who it was, the name or the address that was asked for, and what came of it."""


def address_book(database: str, url: str) -> AddressBook:
    """As a proxy has it after its start."""
    book = Book(database)
    settings: Any = PhpIPAM.settings_schema().load({"url": url, **ACCOUNT})
    return AddressBook(book, PhpIPAM(book, settings), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=utc_now)


def work(number: int, database: str, url: str) -> list[Told]:
    """Be one of the proxies, and beside it somebody else, who does something for each address that it gets."""
    turns: Queue[bool] = Queue()
    # Nobody pulls a plug here, so nobody has to wait for the disk.
    with mock.patch.object(os, "fdatasync", return_value=None), ThreadPoolExecutor(1) as beside:
        others = beside.submit(lambda: list(meddle(number, url, turns)))
        ours = []
        try:
            for each in allocate(number, address_book(database, url)):
                ours.append(each)
                turns.put(True)
        finally:
            turns.put(False)
        return ours + others.result()


def allocate(number: int, book: AddressBook) -> Iterator[Told]:
    """Take addresses, again and again: every other time at once, as for guests, else as Foreman does.

    Foreman asks and then reserves, and between the two somebody else may take that address in phpIPAM; whoever hears
    of it asks again. Of what is taken at once nobody hears anything but the address.
    """
    subnet, caller = book.subnet(IPNetwork(CIDR)), Caller(f"proxy{number}")
    for place in range(EACH):
        name = f"host{number}-{place}"
        asker = Asker(mac=f"52:54:00:{number:02x}:{place >> 8:02x}:{place & 255:02x}")
        if place % 2:
            taken = book.allocate(subnet, asker, Use.IPAM, caller, name=name, mac=asker.mac)
            yield "ours", str(taken.address), name
            continue
        while True:
            address = book.suggest(subnet, asker, caller, use=Use.IPAM)
            try:
                book.reserve(subnet, address, Use.IPAM, caller, name=name, mac=asker.mac)
            except Conflict:
                yield "lost", str(address), name
                continue
            yield "ours", str(address), name
            break


def meddle(number: int, url: str, turns: Queue[bool]) -> Iterator[Told]:
    """Take addresses in front of the proxies and give them back, one turn at a time."""
    script = Script(url, **ACCOUNT)
    (subnet,) = script.subnets(script.section("Lab"))
    key, chance, have = int(subnet["id"]), random.Random(number), []
    network = IPNetwork(CIDR)
    while turns.get(timeout=PATIENCE):
        if chance.random() < 0.1:
            have.append(script.take_first_free(key, hostname=THEIRS))
        else:
            address = str(network[chance.randrange(1, 3000)])
            made = script.take(key, address, hostname=THEIRS)
            have += [(made, address)] if made is not None else []
        if len(have) > OTHERS_HAVE or (have and chance.random() < 0.3):
            gone, address = have.pop(chance.randrange(len(have)))
            script.remove(gone)
            yield "gave back", address, gone
    yield from (("theirs", address, made) for made, address in have)


@pytest.mark.race
def test_two_proxies_and_somebody_else_never_have_one_address(tmp_path: Path):
    database = f"sqlite:///{tmp_path}/leasehold.db"
    book = Book(database)
    schema_version.upgrade(book)
    with separate_double(CIDR) as double:
        url = double.url
        told = together(PROXIES, work, database, url, patience=PATIENCE)
        calls = double.calls()
        script = Script(url, **ACCOUNT)
        (subnet,) = script.subnets(script.section("Lab"))
        rows = {row["ip"]: row["hostname"] for row in script.rows(int(subnet["id"]))}
    ours = {address: name for kind, address, name in told if kind == "ours"}
    theirs = {address for kind, address, _ in told if kind == "theirs"}
    counted = Counter(kind for kind, _, _ in told)
    assert counted["ours"] == len(ours) == PROXIES * EACH, "an address was told twice"
    assert not theirs & set(ours)
    assert rows == ours | dict.fromkeys(theirs, THEIRS), "phpIPAM has what we told, under the name that asked"
    assert counted["gave back"] > 100, "somebody else was there"
    # Each of these once for both proxies, and once by each of the scripts beside them.
    assert (calls["POST user"], calls["GET sections/all"]) == (3, 3)
    reserved = {str(each.address) for each in address_book(database, url).reservations() if Use.IPAM in each.uses}
    assert reserved == set(ours)
    assert_sound(book)
    book.close()
