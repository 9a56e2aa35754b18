"""What is too large, too much or too slow gets a clear answer, and nobody else has to wait for it."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import ssl
import time
from contextlib import ExitStack

import pytest
from crowd import Client
from running import Service
from secure import FOREMAN, Site, TLSClient
from slow import BODY, CHUNKS, CONTINUE, HEAD, HELLO, said, slow_clients

SLOW = 200
PROMPT = 30.0
"""In seconds; without the slow clients all of it takes one. Whoever had to wait for them would wait for minutes."""
FORM = b"name=a.example.com&mac=52:54:00:00:00:01&ip=10.0.0.9"
FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}
POST = b"POST /dhcp/10.0.0.0 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
KEPT = 2.0
"""How many seconds gunicorn keeps a connection on which nothing comes."""
READERS = 40
TARGET = "/features?" + "x" * 7900
"""Stands in the log as it is, which makes an answer that no socket buffer holds."""
GET = b"GET /features HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def patient(stopped_service: Service) -> Service:
    """A service that gives clients five minutes."""
    stopped_service.environ["LEASEHOLD_REQUEST_TIMEOUT"] = "300"
    stopped_service.start()
    return stopped_service


@pytest.fixture
def impatient(stopped_service: Service) -> Service:
    """A service that gives clients one second."""
    stopped_service.environ["LEASEHOLD_REQUEST_TIMEOUT"] = "1"
    stopped_service.start()
    return stopped_service


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /dhcp/" + b"x" * 8190 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"414"),
        (b"GET /dhcp?" + b"x" * 8190 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"414"),
        (b"x" * 40_000, b"414"),
        (GET + b"X-Long: " + b"x" * 8190 + b"\r\n\r\n", b"431"),
        (GET + b"X-Long: " + b"x" * 40_000, b"431"),
        (GET + b"".join(b"X-%d: y\r\n" % number for number in range(100)) + b"\r\n", b"431"),
        (GET + b"".join(b"X-%d: %s\r\n" % (number, b"y" * 8000) for number in range(5)) + b"\r\n", b"431"),
        (POST + b"Content-Length: 65537\r\n\r\n", b"413"),
        (POST + b"Content-Length: 65537\r\n\r\n" + b"x" * 65537, b"413"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b"x" * 4096 + b"\r\n" * 1, None),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n" + (b"1000\r\n" + b"x" * 4096 + b"\r\n") * 17, b"413"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"20000\r\n" + b"x" * 70_000, b"413"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 40_000, b"413"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nmany\r\n", b"400"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n", b"400"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n5;a\x01b\r\nhello\r\n0\r\n\r\n", b"400"),
        (POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer\r\n\r\n", b"400"),
        (POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", b"400"),
        (POST + b"Content-Length: 00000000000000000010\r\n\r\n", b"400"),
        (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", b"501"),
        (POST + b"Transfer-Encoding: identity, chunked\r\n\r\n", b"501"),
    ],
    ids=[
        "path",
        "query",
        "no line",
        "header",
        "endless header",
        "headers",
        "head",
        "body announced",
        "body",
        "unfinished chunk",
        "chunks",
        "large chunk",
        "tiny chunks",
        "broken chunk",
        "no end of chunk",
        "broken extension",
        "broken trailer",
        "two lengths",
        "long length",
        "two codings",
        "gzip",
        "identity",
    ],
)
def test_what_is_refused(stopped_service: Service, request_: bytes, status: bytes | None) -> None:
    # One that is not whole is refused when its time is over, the others when they are there.
    stopped_service.environ["LEASEHOLD_REQUEST_TIMEOUT"] = "300" if status else "1"
    stopped_service.start()
    answer = said(stopped_service.port, request_)

    assert answer.split(b" ")[1] == (status or b"408")
    assert b"connection: close" in answer.lower()
    assert stopped_service.lines("[E]") == stopped_service.lines("Traceback") == []


@pytest.mark.parametrize("sent", [HEAD, BODY, CHUNKS], ids=["head", "body", "chunks"])
def test_a_request_that_does_not_arrive_in_time(impatient: Service, sent: bytes) -> None:
    answer = said(impatient.port, sent)

    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert answer.endswith(b"The request did not arrive in time")


def test_a_connection_without_a_request_is_closed_without_a_word(impatient: Service) -> None:
    assert said(impatient.port) == b""


def test_a_handshake_that_does_not_arrive_in_time(stopped_service: Service, tmp_path) -> None:
    https = Site(tmp_path).equip(stopped_service)
    stopped_service.environ["LEASEHOLD_REQUEST_TIMEOUT"] = "1"
    stopped_service.start()

    assert said(https, HELLO) == b""


@pytest.mark.parametrize(
    "sent", [b"", HEAD, BODY, CHUNKS, CONTINUE], ids=["nothing", "head", "body", "chunks", "continue"]
)
def test_slow_clients_delay_nobody(patient: Service, sent: bytes) -> None:
    with slow_clients(patient.port, sent, SLOW):
        begin = time.monotonic()
        assert [Client(patient.port).get("/dhcp").status for _ in range(20)] == [200] * 20
        assert time.monotonic() - begin < PROMPT


@pytest.mark.parametrize("sent", [b"", HELLO], ids=["nothing", "hello"])
def test_slow_handshakes_delay_nobody(stopped_service: Service, tmp_path, sent: bytes) -> None:
    site = Site(tmp_path)
    https = site.equip(stopped_service)
    stopped_service.environ["LEASEHOLD_REQUEST_TIMEOUT"] = "300"
    stopped_service.start()
    client = TLSClient(https, site.context())

    with slow_clients(https, sent, SLOW):
        begin = time.monotonic()
        assert [client.get("/features").status for _ in range(20)] == [200] * 20
        assert time.monotonic() - begin < PROMPT


def test_slow_clients_over_tls_delay_nobody(stopped_service: Service, tmp_path) -> None:
    site = Site(tmp_path)
    https = site.equip(stopped_service)
    stopped_service.environ["LEASEHOLD_REQUEST_TIMEOUT"] = "300"
    stopped_service.start()

    with slow_clients(https, HEAD, SLOW, site.context()):
        begin = time.monotonic()
        assert [TLSClient(https, site.context()).get("/features").status for _ in range(20)] == [200] * 20
        assert time.monotonic() - begin < PROMPT


def test_more_clients_than_there_is_room_for_are_served_in_bounded_time(stopped_service: Service) -> None:
    stopped_service.environ |= {"LEASEHOLD_REQUEST_TIMEOUT": "2", "LEASEHOLD_WORKERS": "1"}
    stopped_service.start()

    with slow_clients(stopped_service.port, HEAD, 520):
        begin = time.monotonic()
        assert Client(stopped_service.port).get("/features").status == 200
        assert time.monotonic() - begin < PROMPT


def test_slow_clients_do_not_delay_the_end(patient: Service) -> None:
    with slow_clients(patient.port, b"", 20):
        assert Client(patient.port).get("/features").status == 200
        begin = time.monotonic()
        patient.signal(signal.SIGTERM)
        assert patient.wait() == 0
        # Then gunicorn would lose its own patience.
        assert time.monotonic() - begin < 20, patient.log()


def test_a_request_in_small_pieces(service: Service) -> None:
    whole = POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(FORM) + FORM
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(whole), 7):
            connection.sendall(whole[start : start + 7])
        assert connection.recv(1024).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_body_in_chunks(service: Service) -> None:
    chunked = b"10\r\n" + FORM[:16] + b"\r\n" + b"%x;x=y\r\n" % len(FORM[16:]) + FORM[16:] + b"\r\n0\r\nX-T: z\r\n\r\n"
    answer = said(service.port, POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n", chunked)

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert Client(service.port).get("/dhcp/10.0.0.0/mac/52:54:00:00:00:01").json["ip"] == "10.0.0.9"


def test_a_client_that_waits_to_be_told_to_continue(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as connection:
        connection.sendall(
            POST + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(FORM)
        )
        assert connection.recv(1024) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(FORM)
        assert connection.recv(1024).startswith(b"HTTP/1.1 200 OK\r\n")


def test_requests_behind_each_other(service: Service) -> None:
    ask = GET + b"\r\n"
    answer = said(service.port, ask * 3 + GET + b"Connection: close\r\n\r\n" + ask)

    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 4


def test_requests_on_a_connection_that_is_kept(service: Service) -> None:
    for _ in range(20):
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
        begin = time.monotonic()
        try:
            for _turn in range(5):
                connection.request("POST", "/dhcp/10.0.0.0", FORM, FORM_TYPE)
                with connection.getresponse() as response:
                    assert response.status == 200
                    response.read()
        except ConnectionError:
            # It may be closed only when this machine stood still for longer than it is kept.
            assert time.monotonic() - begin > KEPT
        else:
            return
        finally:
            connection.close()
    raise AssertionError("this machine is too slow")


def test_a_client_that_stays_after_its_answer_delays_nobody(service: Service) -> None:
    ask = GET + b"Connection: close\r\n\r\n"
    with slow_clients(service.port, ask, 100):
        begin = time.monotonic()
        assert [Client(service.port).get("/features").status for _ in range(20)] == [200] * 20
        assert time.monotonic() - begin < PROMPT


def fill_log(port: int) -> None:
    """Send requests until ``/logs`` answers with several MB."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for _ in range(2000):
        try:
            connection.request("GET", TARGET)
            connection.getresponse().read()
        except ConnectionError:
            # Closed, for this machine stood still for longer than it is kept: the next request opens another.
            connection.close()
    connection.close()


def slow_reader(port: int, context: ssl.SSLContext | None = None) -> socket.socket:
    """A connection on which a large answer was asked for, and that takes little of it at once; TLS by ``context``."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    reader.settimeout(60)
    reader.connect(("127.0.0.1", port))
    if context is not None:
        reader = context.wrap_socket(reader, server_hostname="127.0.0.1")
    reader.sendall(b"GET /logs HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return reader


def test_clients_that_do_not_take_their_answers_delay_nobody(service: Service) -> None:
    fill_log(service.port)

    with ExitStack() as readers:
        for _ in range(READERS):
            readers.enter_context(slow_reader(service.port))
        begin = time.monotonic()
        assert [Client(service.port).get("/features").status for _ in range(20)] == [200] * 20
        assert time.monotonic() - begin < PROMPT
        service.wait_for_log("does not take its answer")
        assert len(Client(service.port).get("/logs").json["logs"]) > 1000
    assert service.lines("[E]") == service.lines("Traceback") == []


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_large_answer_is_whole_though_its_thread_has_to_wait(
    stopped_service: Service, tmp_path, secure: bool
) -> None:
    site = Site(tmp_path)
    https = site.equip(stopped_service)
    stopped_service.start()
    fill_log(stopped_service.port)

    with slow_reader(
        https if secure else stopped_service.port, site.context(site.client(FOREMAN)) if secure else None
    ) as reader:
        answer = http.client.HTTPResponse(reader)
        answer.begin()
        assert len(json.load(answer)["logs"]) > 1000
