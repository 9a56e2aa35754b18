"""Logging in as phpIPAM's clients do: name and password are those of a token, once there are any."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import pytest

from providers.model import Caller
from providers.tokens import Scope
from proxy.access.credentials import NO_TOKEN
from proxy.access.guard import guard_for
from proxy.access.throttle import Throttle
from proxy.app import create_app
from proxy.peer import Peer
from proxy.settings import load
from tests.proxy.access.people import ELSEWHERE, LOOPBACK, PEOPLE, STRANGER, Person

USER = "/phpipam/api/cbsd/user/"
FREE = "/phpipam/api/cbsd/addresses/first_free/1/"
ADMIN = Caller("test")


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}


@pytest.fixture
def secret(tokens) -> str:
    """The secret of a token called node1."""
    return tokens.create("node1", {Scope.RESERVE}, ADMIN)[1]


@pytest.fixture
def stranger(house):
    """Somebody whom nothing but a token lets in."""
    return house(Person(Peer(STRANGER, "http", None), {"trusted_hosts": ()}))


def test_the_token_is_answered_and_lets_in(stranger, secret):
    answer = stranger.ask("POST", USER, headers=basic("node1", secret)).json

    token = answer["data"]["token"]
    assert answer["success"] is True
    assert stranger.ask("POST", FREE, headers={"token": token}).status_code == 201
    assert stranger.ask("POST", FREE, headers={"phpipam-token": token}).status_code == 201


@pytest.mark.parametrize(
    ("name", "password"),
    [("node1", "wrong"), ("node1", "lh_" + "A" * 43), ("nobody", None), ("NODE1", None), ("", None), ("node1", "")],
)
def test_a_wrong_name_or_password(stranger, secret, name, password):
    sent = basic(name, secret if password is None else password)
    answer = stranger.ask("POST", USER, headers=sent)

    assert (answer.status_code, answer.json["success"]) == (500, False)
    assert answer.json["message"] == "Invalid username or password"


@pytest.mark.parametrize("sent", ["Basic", "Basic %%%", "Basic bm9jb2xvbg==", "Basic /w=="])
def test_a_broken_one_is_a_wrong_one_even_on_this_machine(house, secret, sent):
    assert house().ask("POST", USER, headers={"Authorization": sent}).json["success"] is False


def test_without_name_and_password(house):
    answer = house().ask("POST", USER)
    assert (answer.status_code, answer.json["message"]) == (400, "Please provide username and password")


def test_an_expired_token(stranger, tokens, clock):
    secret = tokens.create("old", {Scope.READ}, ADMIN, expires_at=clock() + timedelta(minutes=1))[1]
    clock.pass_(minutes=2)

    assert stranger.ask("POST", USER, headers=basic("old", secret)).status_code == 500
    assert stranger.ask("GET", USER, headers={"token": secret}).json["message"] == "Invalid token"
    assert stranger.ask("GET", "/phpipam/api/x/sections/", headers={"token": secret}).json["message"] == "Unauthorized"


def test_a_token_ends_by_the_clock_of_the_book(seeded, tokens, clock):
    """By which its end was reckoned, whatever this machine's says."""
    secret = tokens.create("new", {Scope.READ}, ADMIN, expires_at=clock() + timedelta(hours=1))[1]
    settings = load(environ={})
    guard = replace(guard_for(seeded, settings), peer_of=lambda _: Peer(LOOPBACK, "http", None))
    ask = create_app(seeded, settings, guard=guard).test_client().get
    headers = {"Authorization": f"Bearer {secret}"}
    assert ask("/api/v1/groups", headers=headers).status_code == 200
    clock.pass_(minutes=61)
    assert ask("/api/v1/groups", headers=headers).status_code == 401


def test_a_revoked_token_is_refused_at_once(stranger, tokens, secret):
    tokens.revoke("node1", ADMIN)
    assert stranger.ask("GET", "/phpipam/api/x/sections/", headers={"token": secret}).status_code == 401


def test_wrong_passwords_are_slowed_and_a_right_one_never_is(house, secret):
    visited = house(PEOPLE["http-loopback"], most=2)
    answers = [visited.ask("POST", USER, headers=basic("node1", "wrong")) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [500] * 4
    assert answers[-1].json["message"].startswith("Your IP has been blocked for ")
    assert answers[-1].headers["Retry-After"]
    assert visited.ask("POST", USER, headers=basic("node1", secret)).status_code == 200


def test_wrong_passwords_of_several_workers_count_together(house, secret, seeded, tokens, clock, monkeypatch):
    """The count is in memory that they share; here two applications have one throttle, as two workers do."""
    throttle, settings = Throttle(clock, most=2), load(environ={})
    workers = [
        create_app(seeded, settings, guard=guard_for(seeded, settings, throttle=throttle, tokens=tokens, clock=clock))
        for _ in range(2)
    ]
    messages = [
        workers[number % 2].test_client().post(USER, headers=basic("node1", "wrong")).json["message"]
        for number in range(4)
    ]
    assert [message.startswith("Your IP") for message in messages] == [False, False, True, True]


def test_without_any_token_everybody_gets_one_that_proves_nothing(house):
    visited = house()
    token = visited.ask("POST", USER, headers=basic("any", "thing")).json["data"]["token"]

    assert token == NO_TOKEN
    assert visited.ask("POST", FREE, headers={"token": token}).status_code == 201


def test_what_proves_nothing_does_not_let_in_from_elsewhere(house):
    visited = house(Person(Peer(ELSEWHERE, "http", None)))
    assert visited.ask("POST", USER, headers=basic("any", "thing")).json["data"]["token"] == NO_TOKEN
    assert visited.ask("POST", FREE, headers={"token": NO_TOKEN}).status_code == 403


def test_another_header_token_without_any_token_in_the_book_is_refused(house):
    assert house().ask("GET", "/phpipam/api/x/sections/", headers={"token": "A" * 24}).json["message"] == "Unauthorized"


def test_the_headers_count_on_that_face_alone(stranger, secret):
    assert stranger.ask("GET", "/ipam/groups", headers={"token": secret}).status_code == 403


def test_a_log_in_ends_with_the_token(stranger, tokens, clock):
    end = clock() + timedelta(hours=1)
    secret = tokens.create("short", {Scope.READ}, ADMIN, expires_at=end)[1]

    shown = stranger.ask("POST", USER, headers=basic("short", secret)).json["data"]["expires"]

    assert shown == end.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def test_logging_out_leaves_the_token_to_the_operator(stranger, secret):
    assert stranger.ask("DELETE", USER, headers={"token": secret}).json["data"] == ["Token removed"]
    assert stranger.ask("GET", USER, headers={"token": secret}).status_code == 200


def test_neither_password_nor_token_is_logged(stranger, secret, caplog):
    stranger.ask("POST", USER, headers=basic("node1", "hunter2hunter2"))
    stranger.ask("GET", "/phpipam/api/x/sections/", headers={"token": "hunter2hunter2"})
    stranger.ask("POST", USER, headers=basic("node1", secret))

    assert "hunter2" not in caplog.text
    assert secret not in caplog.text
