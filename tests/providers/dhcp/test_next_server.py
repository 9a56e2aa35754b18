"""Looking a boot server up: answers are kept for a while, and nobody waits for ever."""

from __future__ import annotations

import socket
import threading

import pytest
from netaddr import IPAddress

from providers.dhcp.next_server import Answers, addresses_of
from providers.errors import InvalidValue, Unavailable


def test_an_address_is_itself():
    assert addresses_of("10.9.0.1") == (IPAddress("10.9.0.1"),)


def test_the_addresses_of_a_name_are_in_order_and_kept_for_a_minute():
    asked, moment = [], [0.0]

    def ask(name):
        asked.append(name)
        return ["10.9.0.10", "10.9.0.2", "10.9.0.10"]

    answers = Answers(ask, lambda: moment[0])
    assert answers("tftp") == (IPAddress("10.9.0.2"), IPAddress("10.9.0.10"))
    moment[0] = 59.0
    answers("tftp")
    assert asked == ["tftp"]
    moment[0] = 60.0
    answers("tftp")
    assert asked == ["tftp", "tftp"]


@pytest.mark.parametrize(
    ("code", "error", "told"),
    [
        (socket.EAI_NONAME, InvalidValue, "The next server tftp is not known to the name servers"),
        (socket.EAI_AGAIN, Unavailable, "The next server tftp cannot be looked up now"),
    ],
)
def test_a_name_that_is_not_there_and_one_that_nobody_can_tell(code, error, told):
    def ask(name):
        raise socket.gaierror(code, "said the resolver")

    with pytest.raises(error, match=told):
        Answers(ask)("tftp")


def test_nobody_waits_longer_than_he_wants_and_all_wait_for_one_question():
    release, asked = threading.Event(), []

    def ask(name):
        asked.append(name)
        release.wait(60)
        return ["10.9.0.1"]

    answers = Answers(ask)
    for _ in range(3):
        with pytest.raises(Unavailable, match="name servers do not answer when asked for the next server tftp"):
            answers("tftp", 0.01)
    release.set()
    assert answers("tftp", 10) == (IPAddress("10.9.0.1"),)
    assert asked == ["tftp"]
