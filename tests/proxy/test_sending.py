"""Answers on their way out: all of one arrives, and a client that does not take its own is given up in time."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from threading import Thread

import pytest

from proxy import sending
from proxy.sending import Outgoing, WaitingRoom

LARGE = bytes(range(256)) * 4 * 4096


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The two ends of a connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def start(outgoing: Outgoing, data: bytes) -> tuple[Thread, list[type[OSError]]]:
    """A thread that sends ``data``, and the errors it ends with."""
    errors: list[type[OSError]] = []

    def send() -> None:
        try:
            outgoing.sendall(data)
        except OSError as error:
            errors.append(type(error))

    thread = Thread(target=send, daemon=True)
    thread.start()
    return thread, errors


def read(sock: socket.socket, size: int) -> bytes:
    """The next ``size`` bytes."""
    data = b""
    while len(data) < size:
        data += sock.recv(size - len(data))
    return data


def test_all_of_it_arrives(ends):
    ours, theirs = ends
    thread, errors = start(Outgoing(ours, WaitingRoom(1)), LARGE)

    assert read(theirs, len(LARGE)) == LARGE
    thread.join(60)
    assert errors == []


def test_a_client_that_takes_nothing_is_given_up(ends, monkeypatch):
    monkeypatch.setattr(sending, "PATIENCE", 0.1)
    monkeypatch.setattr(sending, "SLOWEST", 1 << 40)

    with pytest.raises(TimeoutError):
        Outgoing(ends[0], WaitingRoom(1)).sendall(LARGE)


def test_time_is_counted_over_the_whole_answer(ends, monkeypatch):
    monkeypatch.setattr(sending, "PATIENCE", 0.0)
    monkeypatch.setattr(sending, "SLOWEST", 1 << 40)
    outgoing = Outgoing(ends[0], WaitingRoom(1))
    outgoing.sendall(b"what fits does not have to wait")

    with pytest.raises(TimeoutError):
        outgoing.sendall(LARGE)


def test_what_was_sent_buys_time(ends, monkeypatch):
    monkeypatch.setattr(sending, "PATIENCE", 0.0)
    monkeypatch.setattr(sending, "SLOWEST", 1)
    ours, theirs = ends
    thread, errors = start(Outgoing(ours, WaitingRoom(1)), LARGE)

    assert read(theirs, len(LARGE)) == LARGE
    thread.join(60)
    assert errors == []


def test_the_longest_waiter_gives_its_place_up():
    room = WaitingRoom(2)
    pairs = [socket.socketpair() for _ in range(3)]
    first, second, third = (Outgoing(ours, room) for ours, _ in pairs)
    first_thread, first_errors = start(first, LARGE)
    while not first.waited:
        pass
    second_thread, second_errors = start(second, LARGE)
    while not second.waited:
        pass
    third_thread, third_errors = start(third, LARGE)

    first_thread.join(60)
    assert first_errors == [TimeoutError]
    assert [read(theirs, len(LARGE)) for _, theirs in pairs[1:]] == [LARGE, LARGE]
    second_thread.join(60)
    third_thread.join(60)
    assert second_errors == third_errors == []
    for pair in pairs:
        for sock in pair:
            sock.close()


def test_everything_else_is_the_sockets_own(ends):
    assert Outgoing(ends[0], WaitingRoom(1)).fileno() == ends[0].fileno()
