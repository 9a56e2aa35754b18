"""The log of a real service: one file and one page for all of its workers, also when they are killed."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import threading
from contextlib import suppress
from typing import Any

import pytest
from running import Service

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d \S{0,8} \[[DIWEF]\] \S")
HEADERS = {"X-Request-Id": "abcdefgh-1234", "X-Session-Id": "session-9"}


def get(service: Service, path: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def page(service: Service, query: str = "") -> dict[str, Any]:
    status, body = get(service, f"/logs{query}")
    assert status == 200
    return json.loads(body)


def test_every_line_of_a_request_has_its_ids(service: Service) -> None:
    assert get(service, "/dhcp/10.9.9.0", **HEADERS)[0] == 404
    service.wait_for_log("abcdefgh ", times=2)
    refused, access = service.lines(" abcdefgh ")
    assert LINE.match(refused)
    assert "404 Subnet 10.9.9.0 could not be found" in refused
    assert "abcdefgh-1234" in access
    assert all(line.endswith(" session=session-9") for line in (refused, access))


def test_the_page_shows_the_lines_of_all_workers(stopped_service: Service) -> None:
    stopped_service.environ["LEASEHOLD_LOG_FORMAT"] = "json"
    stopped_service.start()
    stopped_service.wait_for_log("Booting worker", times=2)
    by_worker: dict[int, str] = {}
    for number in range(1000):
        get(stopped_service, "/features", **{"X-Request-Id": f"n-{number}"})
        stopped_service.wait_for_log(f'"n-{number}"')
        line = json.loads(stopped_service.lines(f'"n-{number}"')[0])
        by_worker[line["process"]] = f"n-{number}"
        if len(by_worker) == 2:
            break
    assert len(by_worker) == 2
    shown = {line.get("request_id") for line in page(stopped_service)["logs"]}
    assert shown >= set(by_worker.values())


def test_a_new_start_of_the_workers_keeps_the_page(service: Service) -> None:
    get(service, "/features", **{"X-Request-Id": "before"})
    service.wait_for_log("before")
    service.signal(signal.SIGHUP)
    service.wait_for_log("Booting worker", times=4)
    assert "before" in {line.get("request_id") for line in page(service)["logs"]}


def test_settings_that_are_read_again_count_for_the_log(stopped_service: Service) -> None:
    settings = stopped_service.state_dir / "settings.yml"
    settings.write_text(":log_level: INFO\n")
    stopped_service.environ["LEASEHOLD_CONFIG"] = str(settings)
    stopped_service.start()
    settings.write_text(":log_level: INFO\n:log_file: other.log\n:file_logging_pattern: 'other %m'\n")
    stopped_service.signal(signal.SIGHUP)
    stopped_service.wait_for_log("Worker exiting|Hang up")
    other = stopped_service.state_dir / "other.log"
    for _ in range(5000):
        get(stopped_service, "/features", **{"X-Request-Id": "afterwards"})
        if other.exists() and "request afterwards" in other.read_text():
            break
    assert re.search(r"^other 127.0.0.1 .*request afterwards request=afterwards$", other.read_text(), re.MULTILINE)


@pytest.mark.race
def test_killed_workers_stop_neither_the_file_nor_the_page(stopped_service: Service) -> None:
    log_file = stopped_service.state_dir / "leasehold.log"
    stopped_service.environ |= {"LEASEHOLD_LOG_FILE": str(log_file), "LEASEHOLD_FILE_ROLLING_SIZE": "100"}
    stopped_service.environ["LEASEHOLD_FILE_ROLLING_AGE"] = "31536000"
    stopped_service.start()
    stopped_service.log_file = log_file
    over = threading.Event()
    answered: list[str] = []

    def ask(name: str) -> None:
        number = 0
        while not over.is_set():
            number += 1
            with suppress(OSError, http.client.HTTPException):
                get(stopped_service, "/dhcp/10.9.9.0", **{"X-Request-Id": f"{name}-{number}"})
                answered.append(f"{name}-{number}")

    clients = [threading.Thread(target=ask, args=(name,)) for name in "abcd"]
    for client in clients:
        client.start()
    try:
        for round_ in range(5):
            stopped_service.wait_for_log("Booting worker", times=2 + round_)
            stopped_service.kill_a_worker()
            assert page_after_a_kill(stopped_service)["logs"]
        stopped_service.wait_for_log("Booting worker", times=7)
    finally:
        over.set()
        for client in clients:
            client.join()
    get(stopped_service, "/features", **{"X-Request-Id": "the-last"})
    stopped_service.wait_for_log("the-last")
    assert "the-last" in {line.get("request_id") for line in page(stopped_service)["logs"]}
    text = log_file.read_text()
    assert all(LINE.match(line) for line in text.splitlines())
    # The line about what was refused comes before the answer.
    refused = re.findall(r"\[([abcd]-\d+)\] GET /dhcp/10.9.9.0: 404", text)
    assert len(refused) == len(set(refused))
    assert set(refused) >= set(answered)


def page_after_a_kill(service: Service) -> dict[str, Any]:
    """The page, from a worker that lives: the connection may have been given to the one that does not."""
    for _ in range(500):
        with suppress(OSError, http.client.HTTPException):
            return page(service)
    raise AssertionError("no worker answers")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_whatever_a_client_sends_stays_in_its_line_and_keeps_its_secrets(
    stopped_service: Service, log_format: str
) -> None:
    token = "lh_Zm9vYmFyYmF6cXV4LXRoaXMtaXMtbm90LWEtdG9rZW4"
    stopped_service.environ |= {"LEASEHOLD_LOG_LEVEL": "DEBUG", "LEASEHOLD_LOG_FORMAT": log_format}
    stopped_service.start()
    requests = [
        f"GET /dhcp/{token} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n",
        f"GET /dhcp?password=hunter2&token={token} HTTP/1.1\r\nHost: x\r\nX-Request-Id: {token}\r\n\r\n",
        f"GET /dhcp/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer\x0b{token}\r\n\r\n",
        f"GET /{token}\x0b2026-01-02T03:04:05 abcdefgh [I] forged HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET /dhcp/\xe2\x80\xa82026 HTTP/1.1\r\nHost: x\r\nX-Session-Id: {token}\r\n\r\n",
        f"{token} {token} {token}\r\n\r\n",
        f"GET / HTTP/1.1\r\n{token}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\n{token}: bad header name\r\n\r\n".replace("bad header name", f"Bearer {token}"),
        f"POST /dhcp/10.0.0.0 HTTP/1.1\r\nHost: x\r\nContent-Length: {token}\r\n\r\n",
        f"POST /dhcp/10.0.0.0 HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\n\r\nmac={token}&x=1",
        "GET http://user:hunter2@x/dhcp HTTP/1.1\r\nHost: x\r\n\r\n",
    ]
    for sent in requests:
        with socket.create_connection(("127.0.0.1", stopped_service.port), timeout=60) as connection:
            connection.sendall(sent.encode("latin-1"))
            connection.shutdown(socket.SHUT_WR)
            with suppress(OSError):
                while connection.recv(65536):
                    pass
    get(stopped_service, "/features", **{"X-Request-Id": "the-last"})
    stopped_service.wait_for_log("the-last")
    for text in (stopped_service.log(), json.dumps(page(stopped_service))):
        assert token[3:] not in text
        assert "hunter2" not in text
    lines = stopped_service.log().rstrip("\n").split("\n")
    if log_format == "json":
        assert all(isinstance(json.loads(line), dict) for line in lines)
    else:
        assert [line for line in lines if not LINE.match(line)] == []
    assert all(line.isprintable() for line in lines)
