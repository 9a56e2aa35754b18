"""SIGHUP reads the settings again and loses no request; SIGTERM ends the service when the last answer is out."""

from __future__ import annotations

import http.client
import signal
import socket
from collections import Counter
from pathlib import Path

import pytest
from crowd import Client, Crowd, Milestones, mac_of
from ledger import Ledger
from running import Service

CLIENTS = 8
FORM = b"hostname=a.example.com&name=a.example.com&mac=52:54:00:00:00:01&ip=10.0.0.9"


@pytest.mark.race
def test_no_request_fails_while_the_workers_are_replaced(service: Service, book_file: Path) -> None:
    client = Client(service.port)
    progress = Milestones()

    def ask(number: int) -> list[int]:
        statuses = []
        for turn in range(100):
            statuses.append(client.get(f"/dhcp/10.0.0.0/unused_ip?mac={mac_of(number, turn)}").status)
            progress.passed()
        return statuses

    service.wait_for_log("Booting worker", times=2)
    before = set(service.workers())
    crowd = Crowd(CLIENTS, ask)
    for reloads in range(1, 4):
        progress.wait_for(150)
        service.signal(signal.SIGHUP)
        service.wait_for_log("Booting worker", times=2 + 2 * reloads)
    statuses = Counter(status for each in crowd.results() for status in each)

    assert statuses == {200: CLIENTS * 100}
    for pid in before:
        service.wait_for_log(rf"Worker exiting \(pid: {pid}\)")
    assert before.isdisjoint(service.workers())
    ledger = Ledger(book_file)
    ledger.check()
    assert len(ledger.held) == CLIENTS * 100


def test_sighup_reads_the_settings_again(stopped_service: Service) -> None:
    settings = stopped_service.state_dir / "settings.yml"
    settings.write_text(":reported_version: 3.12.0\n")
    stopped_service.environ["LEASEHOLD_CONFIG"] = str(settings)
    stopped_service.start()
    stopped_service.wait_for_log("Booting worker", times=2)
    old = stopped_service.workers()

    settings.write_text(":reported_version: 3.13.0\n")
    stopped_service.signal(signal.SIGHUP)
    for pid in old:
        stopped_service.wait_for_log(rf"Worker exiting \(pid: {pid}\)")

    assert Client(stopped_service.port, retries=True).get("/version").json["version"] == "3.13.0"


def test_wrong_settings_at_sighup_leave_the_old_ones(stopped_service: Service) -> None:
    settings = stopped_service.state_dir / "settings.yml"
    settings.write_text(":reported_version: 3.12.0\n")
    stopped_service.environ["LEASEHOLD_CONFIG"] = str(settings)
    stopped_service.start()
    stopped_service.wait_for_log("Booting worker", times=2)
    old = stopped_service.workers()

    settings.write_text(":reported_version: 3.13.0\n:threads: many\n")
    stopped_service.signal(signal.SIGHUP)
    for pid in old:
        stopped_service.wait_for_log(rf"Worker exiting \(pid: {pid}\)")

    assert Client(stopped_service.port, retries=True).get("/version").json["version"] == "3.12.0"
    (complaint,) = stopped_service.lines("[E]")
    assert "threads" in complaint
    assert "many" in complaint


def test_sigterm_ends_everything(service: Service) -> None:
    assert Client(service.port).get("/features").status == 200

    service.signal(signal.SIGTERM)

    assert service.wait() == 0
    assert not service.is_alive()
    assert service.lines("[E]") == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", service.port)) != 0


def test_sigterm_lets_a_request_finish(service: Service, book_file: Path) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    connection.putrequest("POST", "/dhcp/10.0.0.0")
    connection.putheader("Content-Type", "application/x-www-form-urlencoded")
    connection.putheader("Content-Length", str(len(FORM)))
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    # The service asks for the rest, so it is in the middle of this request.
    assert connection.sock.recv(1024).startswith(b"HTTP/1.1 100 ")

    service.signal(signal.SIGTERM)
    service.wait_for_log("Handling signal: term")
    connection.send(FORM)
    status = connection.getresponse().status
    connection.close()

    assert status == 200
    assert service.wait() == 0
    assert Ledger(book_file).hosts == {"52:54:00:00:00:01": "10.0.0.9"}
