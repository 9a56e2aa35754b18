"""Sixteen clients at once against a real service: nobody gets what another has, and nobody gets an error."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from crowd import FORKING, Client, Crowd, mac_of
from ledger import Ledger
from running import Service

pytestmark = pytest.mark.race

CLIENTS = 16
UNUSED_IP = "/dhcp/10.0.0.0/unused_ip"
NEXT_IP = "/ipam/subnet/10.0.0.0/20/next_ip"
SMALL = "10.1.0.0"
SMALL_HOSTS = 62


def test_3000_addresses_through_dhcp(service: Service, book_file: Path) -> None:
    client = Client(service.port)

    def ask(number: int) -> dict[str, str]:
        macs = [mac_of(number, turn) for turn in range(3000 // CLIENTS + 1)]
        return {mac: client.get(f"{UNUSED_IP}?mac={mac}").json["ip"] for mac in macs}

    promised = {mac: ip for each in Crowd(CLIENTS, ask).results() for mac, ip in each.items()}

    assert len(promised) >= 3000
    assert _given_twice(promised.values()) == {}
    ledger = Ledger(book_file)
    ledger.check()
    assert ledger.holder_of == {ip: f"mac:{mac}" for mac, ip in promised.items()}


def test_no_address_twice_when_both_faces_are_asked(service: Service, book_file: Path) -> None:
    client = Client(service.port)

    def ask(number: int) -> list[str]:
        found = []
        for turn in range(60):
            mac = mac_of(number, turn)
            if turn % 3 == 0:
                found.append(client.get(f"{UNUSED_IP}?mac={mac}").json["ip"])
            elif turn % 3 == 1:
                found.append(client.get(f"{NEXT_IP}?mac={mac}&group=Lab").json["data"])
            else:
                found.append(client.get(f"{NEXT_IP}?mac&group").json["data"])
        return found

    promised = [ip for each in Crowd(CLIENTS, ask).results() for ip in each]

    assert len(promised) == CLIENTS * 60
    assert _given_twice(promised) == {}
    ledger = Ledger(book_file)
    ledger.check()
    assert set(ledger.holder_of) == set(promised)


def test_the_last_addresses_of_a_subnet(service: Service, book_file: Path) -> None:
    """More ask than there are addresses: every address goes once, and the others are told that there is none."""
    client = Client(service.port)

    def ask(number: int) -> list[str | None]:
        macs = [mac_of(number, turn) for turn in range(6)]
        return [client.get(f"/dhcp/{SMALL}/unused_ip?mac={mac}").json["ip"] for mac in macs]

    answers = [ip for each in Crowd(CLIENTS, ask).results() for ip in each]

    assert len({ip for ip in answers if ip is not None}) == SMALL_HOSTS
    assert answers.count(None) == CLIENTS * 6 - SMALL_HOSTS
    Ledger(book_file).check()


def test_one_mac_asks_sixteen_times_at_once(service: Service, book_file: Path) -> None:
    client = Client(service.port)
    start = FORKING.Barrier(CLIENTS)

    def ask(number: int) -> list[str]:
        found = []
        for turn in range(10):
            start.wait(120)
            if number % 2:
                found.append(client.get(f"{UNUSED_IP}?mac={mac_of(0, turn)}").json["ip"])
            else:
                found.append(client.get(f"{NEXT_IP}?mac={mac_of(0, turn)}&group").json["data"])
        return found

    rounds = zip(*Crowd(CLIENTS, ask).results(), strict=True)

    assert [len(set(answers)) for answers in rounds] == [1] * 10
    assert len(Ledger(book_file).held) == 10


def test_sixteen_post_one_address_for_different_macs(service: Service, book_file: Path) -> None:
    client = Client(service.port)
    start = FORKING.Barrier(CLIENTS)
    rounds = 40

    def post(number: int) -> list[int]:
        statuses = []
        for turn in range(rounds):
            mac, name = mac_of(number, turn), f"host-{number}-{turn}.example.com"
            start.wait(120)
            answer = client.post("/dhcp/10.0.0.0", hostname=name, mac=mac, ip=f"10.0.1.{turn}", name=name)
            statuses.append(answer.status)
        return statuses

    by_client = Crowd(CLIENTS, post).results()

    for turn, statuses in enumerate(zip(*by_client, strict=True)):
        assert Counter(statuses) == {200: 1, 409: CLIENTS - 1}, f"round {turn}"
    winners = {
        mac_of(number, turn): f"10.0.1.{turn}"
        for number, statuses in enumerate(by_client)
        for turn, status in enumerate(statuses)
        if status == 200
    }
    ledger = Ledger(book_file)
    ledger.check()
    assert ledger.hosts == winners


def test_sixteen_post_the_very_same_reservation(service: Service, book_file: Path) -> None:
    """An exact duplicate is what is there already, so all sixteen have it."""
    client = Client(service.port)
    start = FORKING.Barrier(CLIENTS)

    def post(_number: int) -> list[int]:
        statuses = []
        for turn in range(20):
            mac, name = mac_of(0, turn), f"host-{turn}.example.com"
            start.wait(120)
            answer = client.post("/dhcp/10.0.0.0", hostname=name, mac=mac, ip=f"10.0.1.{turn}", name=name)
            statuses.append(answer.status)
        return statuses

    assert Crowd(CLIENTS, post).results() == [[200] * 20] * CLIENTS
    ledger = Ledger(book_file)
    ledger.check()
    assert ledger.hosts == {mac_of(0, turn): f"10.0.1.{turn}" for turn in range(20)}


def test_one_mac_posted_for_sixteen_addresses(service: Service, book_file: Path) -> None:
    client = Client(service.port)
    start = FORKING.Barrier(CLIENTS)

    def post(number: int) -> list[int]:
        statuses = []
        for turn in range(20):
            mac, name = mac_of(0, turn), f"host-{turn}.example.com"
            start.wait(120)
            address = f"10.0.{number}.{turn + 1}"
            statuses.append(client.post("/dhcp/10.0.0.0", hostname=name, mac=mac, ip=address, name=name).status)
        return statuses

    for statuses in zip(*Crowd(CLIENTS, post).results(), strict=True):
        assert Counter(statuses) == {200: 1, 409: CLIENTS - 1}
    ledger = Ledger(book_file)
    ledger.check()
    assert len(ledger.reserved) == 20


def test_sixteen_post_one_address_to_ipam(service: Service, book_file: Path) -> None:
    client = Client(service.port)
    start = FORKING.Barrier(CLIENTS)

    def post(_number: int) -> list[int]:
        statuses = []
        for turn in range(40):
            start.wait(120)
            statuses.append(client.post(f"/ipam/subnet/10.0.0.0/20/10.0.1.{turn}?group=Lab").status)
        return statuses

    for statuses in zip(*Crowd(CLIENTS, post).results(), strict=True):
        assert Counter(statuses) == {201: 1, 409: CLIENTS - 1}
    ledger = Ledger(book_file)
    ledger.check()
    assert ledger.uses == {f"10.0.1.{turn}": {"ipam"} for turn in range(40)}


def test_both_faces_post_one_address(service: Service, book_file: Path) -> None:
    """One of the eight on each face wins, in whichever order they come, and the two uses join."""
    client = Client(service.port)
    start = FORKING.Barrier(CLIENTS)

    def post(number: int) -> list[int]:
        statuses = []
        for turn in range(30):
            start.wait(120)
            if number % 2:
                answer = client.post(f"/ipam/subnet/10.0.0.0/20/10.0.1.{turn}?group=Lab")
            else:
                mac, name = mac_of(number, turn), f"host-{number}-{turn}.example.com"
                answer = client.post("/dhcp/10.0.0.0", hostname=name, mac=mac, ip=f"10.0.1.{turn}", name=name)
            statuses.append(answer.status)
        return statuses

    for statuses in zip(*Crowd(CLIENTS, post).results(), strict=True):
        assert Counter(statuses) == {200: 1, 201: 1, 409: CLIENTS - 2}
    ledger = Ledger(book_file)
    ledger.check()
    assert ledger.uses == {f"10.0.1.{turn}": {"dhcp", "ipam"} for turn in range(30)}


def test_asking_reserving_and_releasing_go_on_at_once(service: Service, book_file: Path) -> None:
    """As sixteen Foremans would: each address that was promised can be reserved, by nobody else, and given back."""
    client = Client(service.port)

    def build(number: int) -> list[tuple[int, ...]]:
        seen = []
        for turn in range(20):
            mac, name = mac_of(number, turn), f"host-{number}-{turn}.example.com"
            ip = client.get(f"{UNUSED_IP}?mac={mac}").json["ip"]
            posted = client.post("/dhcp/10.0.0.0", hostname=name, mac=mac, ip=ip, name=name).status
            joined = client.post(f"/ipam/subnet/10.0.0.0/20/{ip}?group=Lab").status
            removed = given_back = 0
            if turn % 2:
                removed = client.delete(f"/dhcp/10.0.0.0/mac/{mac}").status
                given_back = client.delete(f"/ipam/subnet/10.0.0.0/20/{ip}?group=Lab").status
            seen.append((posted, joined, removed, given_back))
        return seen

    for seen in Crowd(CLIENTS, build).results():
        assert seen == [(200, 201, 0, 0), (200, 201, 200, 204)] * 10
    ledger = Ledger(book_file)
    ledger.check()
    assert len(ledger.hosts) == len(ledger.reserved) == CLIENTS * 10
    assert len(ledger.resting) == CLIENTS * 10
    assert ledger.held == []


def _given_twice(addresses: object) -> dict[str, int]:
    return {ip: count for ip, count in Counter(addresses).items() if count > 1}  # type: ignore[call-overload]
