"""The service stays up when the book cannot be opened, and goes on by itself when it can be again."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

from crowd import Answer, Client
from running import Service

ASK = "/dhcp/10.0.0.0/unused_ip?mac=52:54:00:00:00:01"
PATIENCE = 1200
PAUSE = 0.05


def _ask_until(status: int, port: int) -> Answer:
    """What is answered as soon as it has that status: workers that wait try the book once a second."""
    client = Client(port, retries=True)
    for _ in range(PATIENCE):
        answer = client.get(ASK)
        if answer.status == status:
            return answer
        select.select([], [], [], PAUSE)
    raise AssertionError(f"never {status}, at last {answer}")


def _replace_workers(service: Service) -> None:
    """Kill all workers and return when as many others have tried to open the book."""
    for pid in service.workers():
        os.kill(pid, signal.SIGKILL)
    service.wait_for_log("answers 503 until the book can be opened", times=2)


def test_workers_that_start_without_the_book_wait_for_it(service: Service, book_file: Path) -> None:
    service.wait_for_log("Booting worker", times=2)
    book_file.rename(book_file.with_name("away.db"))

    _replace_workers(service)
    refused = _ask_until(503, service.port)
    book_file.with_name("away.db").rename(book_file)
    served = _ask_until(200, service.port)

    assert str(book_file) in refused.body
    assert served.json["ip"] == "10.0.0.1"
    assert service.lines("Shutting down") == []


def test_sighup_without_the_book_does_not_end_the_service(service: Service, book_file: Path) -> None:
    service.wait_for_log("Booting worker", times=2)
    book_file.rename(book_file.with_name("away.db"))

    service.signal(signal.SIGHUP)
    service.wait_for_log("answers 503 until the book can be opened", times=2)
    book_file.with_name("away.db").rename(book_file)

    assert _ask_until(200, service.port).json["ip"] == "10.0.0.1"


def test_settings_that_name_a_book_without_tables_are_not_taken(stopped_service: Service, tmp_path: Path) -> None:
    settings = stopped_service.state_dir / "settings.yml"
    settings.write_text(":reported_version: 3.12.0\n")
    stopped_service.environ["LEASEHOLD_CONFIG"] = str(settings)
    stopped_service.start()
    stopped_service.wait_for_log("Booting worker", times=2)
    old = stopped_service.workers()

    settings.write_text(f":reported_version: 3.13.0\n:database: sqlite:///{tmp_path}/other.db\n")
    stopped_service.signal(signal.SIGHUP)
    for pid in old:
        stopped_service.wait_for_log(rf"Worker exiting \(pid: {pid}\)")

    client = Client(stopped_service.port, retries=True)
    assert client.get("/version").json["version"] == "3.12.0"
    assert client.get(ASK).status == 200
    (complaint,) = stopped_service.lines("[E]")
    assert "other.db" in complaint
    assert not (tmp_path / "other.db").exists()
