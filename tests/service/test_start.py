"""Starting, or saying in one line why not; and what a request leaves in the log."""

from __future__ import annotations

import http.client
import re
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from crowd import Client
from running import Service, occupied_port

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d \S{0,8} \[[DIWEF]\] \S")


def test_a_port_in_use(stopped_service: Service) -> None:
    with occupied_port() as port:
        stopped_service.environ["LEASEHOLD_HTTP_PORT"] = str(port)
        stopped_service.begin()
        code = stopped_service.wait()

    assert code != 0
    complaints = [line for line in stopped_service.log().splitlines() if "[I]" not in line]
    assert len(complaints) == 1
    assert str(port) in complaints[0]
    assert "in use" in complaints[0]


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("HTTP_PORT", "eighty", "eighty"),
        ("WORKERS", "0", "0"),
        ("LOG_LEVEL", "LOUD", "LOUD"),
        ("DHCP_USE_PROVIDER", "dhcp_libvirt", "dhcp_libvirt"),
        ("DATABASE", "oracle://user:hush@db/leasehold", "sqlite"),
        ("CONFIG", "/nonexistent/settings.yml", "/nonexistent/settings.yml"),
    ],
)
def test_a_wrong_setting(stopped_service: Service, key: str, value: str, shown: str) -> None:
    stopped_service.environ[f"LEASEHOLD_{key}"] = value
    stopped_service.begin()

    assert stopped_service.wait() == 5
    (complaint,) = stopped_service.log().splitlines()
    assert "Error: " in complaint
    assert shown in complaint
    assert "hush" not in complaint


def test_a_book_without_tables(stopped_service: Service, book_file: Path) -> None:
    book_file.unlink()
    stopped_service.begin()

    assert stopped_service.wait() == 5
    (complaint,) = stopped_service.log().splitlines()
    assert "leasehold database upgrade" in complaint


def test_a_log_file_that_cannot_be_written(stopped_service: Service) -> None:
    stopped_service.environ["LEASEHOLD_LOG_FILE"] = str(stopped_service.state_dir / "missing" / "leasehold.log")
    stopped_service.begin()

    assert stopped_service.wait() == 5
    (complaint,) = stopped_service.log().splitlines()
    assert "missing" in complaint


def test_the_log_file_gets_everything(stopped_service: Service) -> None:
    log_file = stopped_service.state_dir / "leasehold.log"
    stopped_service.environ["LEASEHOLD_LOG_FILE"] = str(log_file)
    stopped_service.start()
    Client(stopped_service.port).get("/features")
    # An access line is written after its answer: let the service finish.
    stopped_service.signal(signal.SIGTERM)
    stopped_service.wait()

    assert stopped_service.log() == ""
    assert "GET /features" in log_file.read_text()


def test_the_access_line_has_the_request_id_of_the_caller(service: Service) -> None:
    answer = _ask(service, "/dhcp/10.0.0.0/unused_ip?mac=52:54:00:00:00:01", "52435fdd-481e-4989-83e2-a293e769efb4")

    assert answer.getheader("X-Request-Id") == "52435fdd-481e-4989-83e2-a293e769efb4"
    service.wait_for_log("52435fdd")
    (line,) = service.lines("52435fdd-481e-4989-83e2-a293e769efb4")
    assert LINE.match(line)
    assert "GET /dhcp/10.0.0.0/unused_ip?mac=52:54:00:00:00:01" in line
    assert " 200 " in line


def test_the_access_line_has_a_request_id_that_was_made_here(service: Service) -> None:
    made = _ask(service, "/features", None).getheader("X-Request-Id")

    assert made
    service.wait_for_log(made)
    assert "GET /features" in service.lines(made)[0]


def test_an_error_is_one_line_with_what_and_where(service: Service, book_file: Path) -> None:
    assert _ask(service, "/dhcp/10.0.0.0/unused_ip?mac=52:54:00:00:00:01", "before").status == 200
    with closing(sqlite3.connect(book_file)) as connection:
        connection.execute("ALTER TABLE holds RENAME TO gone")

    answer = _ask(service, "/dhcp/10.0.0.0/unused_ip?mac=52:54:00:00:00:02", "the-broken-one")

    assert answer.status == 503
    service.wait_for_log("the-broken-one.*\n.*the-broken-one")
    (line,) = service.lines("[E]")
    assert "the-broken-one" in line
    assert "/dhcp/10.0.0.0/unused_ip" in line
    assert "holds" in line
    assert all(LINE.match(each) for each in service.log().splitlines())


def test_it_works_again_when_the_book_does(service: Service, book_file: Path) -> None:
    for statement in ("ALTER TABLE holds RENAME TO gone", "ALTER TABLE gone RENAME TO holds"):
        with closing(sqlite3.connect(book_file)) as connection:
            connection.execute(statement)
        answers = [_ask(service, f"/dhcp/10.0.0.0/unused_ip?mac=52:54:00:00:00:0{turn}", None) for turn in range(8)]

    assert [answer.status for answer in answers] == [200] * 8


def _ask(service: Service, path: str, request_id: str | None) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    try:
        connection.request("GET", path, headers={"X-Request-Id": request_id} if request_id else {})
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()
