"""``kill -9`` in mid-run: whatever was acknowledged is in the book, and clients that try again get what they want."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from crowd import FORKING, Client, Crowd, Milestones, mac_of
from ledger import Ledger
from running import Service

pytestmark = pytest.mark.race

CLIENTS = 16
TURNS = 40


@dataclass
class Acknowledged:
    """What one client was told."""

    promised: dict[str, str] = field(default_factory=dict)
    hosts: dict[str, str] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    anonymous: list[str] = field(default_factory=list)
    retried: int = 0


def _kill_workers(service: Service) -> None:
    victim = service.kill_a_worker()
    service.wait_for_log(rf"Worker \(pid:{victim}\)")


def _kill_everything(service: Service) -> None:
    service.kill()
    service.start()


@pytest.mark.parametrize("strike", [_kill_workers, _kill_everything], ids=["a worker", "the whole service"])
def test_what_was_acknowledged_is_there(service: Service, book_file: Path, strike: Callable[[Service], None]) -> None:
    client = Client(service.port, retries=True)
    progress, noticed = Milestones(), FORKING.Event()

    def build(number: int) -> Acknowledged:
        told = Acknowledged()
        for turn in range(TURNS):
            _build_one(client, mac_of(number, turn), turn, told)
            if told.retried:
                noticed.set()
            progress.passed()
        return told

    crowd = Crowd(CLIENTS, build)
    for _ in range(3):
        progress.wait_for(CLIENTS * TURNS // 5)
        strike(service)
    for _ in range(8):
        # A worker that had nothing in hand just then is missed by nobody.
        if not noticed.is_set():
            progress.wait_for(CLIENTS)
            strike(service)
    told = crowd.results()

    assert sum(each.retried for each in told) > 0, "no client noticed anything: the strikes came too late"
    _check_promises(told, Ledger(book_file))
    _check_commands(service, Ledger(book_file))


@pytest.mark.parametrize("strike", [_kill_workers, _kill_everything], ids=["a worker", "the whole service"])
def test_one_winner_all_the_same(service: Service, book_file: Path, strike: Callable[[Service], None]) -> None:
    """Sixteen post the same addresses. Who tries again is told the same as before: it has it, or another has it."""
    client = Client(service.port, retries=True)
    progress = Milestones()

    def post(number: int) -> list[int]:
        statuses = []
        for turn in range(TURNS):
            mac, name = mac_of(number, turn), f"host-{number}-{turn}.example.com"
            answer = client.post("/dhcp/10.0.0.0", hostname=name, mac=mac, ip=f"10.0.1.{turn}", name=name)
            statuses.append(answer.status)
            progress.passed()
        return statuses

    crowd = Crowd(CLIENTS, post)
    for _ in range(2):
        progress.wait_for(CLIENTS * TURNS // 4)
        strike(service)
    by_client = crowd.results()

    for statuses in zip(*by_client, strict=True):
        assert sorted(statuses) == [200] + [409] * (CLIENTS - 1)
    ledger = Ledger(book_file)
    ledger.check()
    assert ledger.hosts == {
        mac_of(number, turn): f"10.0.1.{turn}"
        for number, statuses in enumerate(by_client)
        for turn, status in enumerate(statuses)
        if status == 200
    }


def test_workers_die_again_and_again(service: Service, book_file: Path) -> None:
    """A dead worker leaves neither its turn at the book blocked nor half a change behind."""
    client = Client(service.port, retries=True)
    progress = Milestones()

    def ask(number: int) -> None:
        for turn in range(TURNS):
            client.get(f"/dhcp/10.0.0.0/unused_ip?mac={mac_of(number, turn)}")
            progress.passed()

    crowd = Crowd(CLIENTS, ask)
    dead = []
    for _ in range(8):
        progress.wait_for(CLIENTS * TURNS // 12)
        dead.append(service.kill_a_worker())
        service.wait_for_log(r"Booting worker with pid: \d+", times=2 + len(dead))
    crowd.results()

    assert len(set(dead)) == 8
    ledger = Ledger(book_file)
    ledger.check()
    assert len(ledger.held) == CLIENTS * TURNS


def _build_one(client: Client, mac: str, turn: int, told: Acknowledged) -> None:
    """One host, as Foreman makes it; every fourth is removed again, and every fourth asks for nobody."""
    if turn % 4 == 3:
        answer = client.get("/ipam/subnet/10.0.0.0/20/next_ip?mac&group")
        told.anonymous.append(answer.json["data"])
        told.retried += answer.tries > 1
        return
    answers = [client.get(f"/dhcp/10.0.0.0/unused_ip?mac={mac}")]
    ip = told.promised[mac] = answers[0].json["ip"]
    if turn % 4:
        name = f"host-{mac.replace(':', '')}.example.com"
        answers.append(client.post("/dhcp/10.0.0.0", hostname=name, mac=mac, ip=ip, name=name))
        assert answers[-1].status == 200, answers[-1]
        told.hosts[mac] = ip
        answers.append(client.post(f"/ipam/subnet/10.0.0.0/20/{ip}?group=Lab"))
        # Who lost the answer and asks again is told that it is there already.
        assert answers[-1].status == 201 or (answers[-1].status == 409 and answers[-1].tries > 1), answers[-1]
        told.joined.add(ip)
    if turn % 4 == 2:
        answers.append(client.delete(f"/dhcp/10.0.0.0/mac/{mac}"))
        assert answers[-1].status == 200, answers[-1]
        del told.hosts[mac]
        answers.append(client.delete(f"/ipam/subnet/10.0.0.0/20/{ip}?group=Lab"))
        assert answers[-1].status == 204, answers[-1]
        told.joined.remove(ip)
        told.removed.add(ip)
    told.retried += any(answer.tries > 1 for answer in answers)


def _check_promises(told: list[Acknowledged], ledger: Ledger) -> None:
    promised = {mac: ip for each in told for mac, ip in each.promised.items()}
    anonymous = [ip for each in told for ip in each.anonymous]
    hosts = {mac: ip for each in told for mac, ip in each.hosts.items()}
    removed = {ip for each in told for ip in each.removed}
    everything = [*promised.values(), *anonymous]
    assert len(everything) == CLIENTS * TURNS
    assert len(set(everything)) == len(everything), "an address was acknowledged to two askers"
    ledger.check()
    assert ledger.hosts == hosts
    assert ledger.uses == {ip: {"dhcp", "ipam"} for each in told for ip in each.joined}
    assert {str(address) for _, address in ledger.resting} == removed
    holders = {mac: ip for mac, ip in promised.items() if ip not in removed and mac not in hosts}
    for mac, ip in holders.items():
        assert ledger.holder_of[ip] == f"mac:{mac}"
    # An answer that was lost on its way left a hold that nobody knows of; it expires.
    assert set(anonymous) <= set(ledger.holder_of)
    assert len(ledger.held) - len(holders) - len(anonymous) <= sum(each.retried for each in told)


def _check_commands(service: Service, ledger: Ledger) -> None:
    """The book is as good for the command line as for the service."""
    listed = {each["network"]: each for each in service.listed("subnet", "list")}
    assert listed["10.0.0.0/20"]["reserved"] == len(ledger.reserved)
    assert listed["10.0.0.0/20"]["held"] == len(ledger.held)
    assert len(service.listed("address", "list")) == len(ledger.reserved)
    assert len(service.listed("hold", "list")) == len(ledger.held)
    next_one = service.command("address", "next", "10.0.0.0/20")
    assert next_one.returncode == 0
    taken = {str(address) for _, address in [*ledger.reserved, *ledger.held, *ledger.resting]}
    assert next_one.stdout.strip() not in taken
