"""The double answers as the recorded phpIPAM did: every exchange, in order, each group from the same beginning."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest

from tests.conftest import HandClock
from tests.phpipam.double import Double
from tests.phpipam.numbers import number_of
from tests.phpipam.recorded import ask, exchanges, groups

_NOT_ASKED = "no client of ours asks for it"

NOT_REPLAYED: dict[tuple[str, int], str] = {
    ("address_read", 27): f"the general search: {_NOT_ASKED}",
    ("app_errors", 25): f"OPTIONS: {_NOT_ASKED}",
    ("app_errors", 26): f"OPTIONS: {_NOT_ASKED}",
    ("app_errors", 27): f"XML: {_NOT_ASKED}",
    ("app_errors", 31): "the redirect names the recorder's own port",
    ("auth", 9): f"the table of users: {_NOT_ASKED}",
    ("changelog", 2): f"the changelog: {_NOT_ASKED}",
    ("fields", 34): "bytes that are no UTF-8 are refused, but with fewer words",
    ("session_cookie", 1): "nothing is compressed",
    ("tools", 3): f"making a tag: {_NOT_ASKED}",
    ("tools", 5): f"removing a tag: {_NOT_ASKED}",
    ("tools", 9): f"devices: {_NOT_ASKED}",
    ("tools", 10): f"devices: {_NOT_ASKED}",
}
"""What the double answers otherwise, and why that does no harm."""

Step = Callable[[Double], object]


def _hand_over(double: Double) -> None:
    double.locks["file"].release()
    double.locks["mysql"].acquire()


def _add_odd_names(double: Double) -> None:
    for number, name in ((50, "a+b c/d?e&f"), (51, "0"), (52, "host?x/y")):
        address = number_of(f"10.60.0.{number}")
        double.store.insert_address({"subnetId": 14, "ip_addr": address, "hostname": name}, number)


def _let_the_block_end(double: Double) -> None:
    cast(HandClock, double.clock).pass_(minutes=6)
    for user in double.accounts.users:
        user.expires = double.clock()


BEFORE: dict[tuple[str, int], Step] = {
    ("app_errors", 10): lambda double: setattr(double, "api_enabled", False),
    ("app_errors", 11): lambda double: setattr(double, "api_enabled", True),
    ("auth", 20): lambda double: double.expire_tokens(),
    ("auth_block", 15): _let_the_block_end,
    ("behind_tls", 0): lambda double: setattr(double, "behind_tls", True),
    ("locks", 0): lambda double: double.locks["file"].acquire(),
    ("locks", 6): _hand_over,
    ("locks", 7): lambda double: double.locks["mysql"].release(),
    ("paths", 0): _add_odd_names,
}
"""What the recorder did to the server between two exchanges."""


@pytest.mark.parametrize("group", groups())
def test_the_double_answers_as_recorded(group: str, clock: HandClock):
    double = Double.recorded(clock=clock)
    # The lock is never given back meanwhile.
    double.lock_wait = 0.05
    user = double.accounts.users[0]
    token = ""
    if group != "auth":
        user.token, user.expires = "t" * 24, clock()
    found = {}
    for exchange in exchanges(group):
        BEFORE.get((group, exchange.place), lambda _: None)(double)
        token = user.token or token
        differences = ask(double, exchange, user, token)
        if differences:
            found[group, exchange.place] = (str(exchange), differences)
    listed = {place for place in NOT_REPLAYED if place[0] == group}
    assert not {place: what for place, what in found.items() if place not in listed}
    assert set(found) == listed, "answered as recorded by now, so not to be listed any more"
