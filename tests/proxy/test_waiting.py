import json
import re
import threading

import pytest
from flask import Flask
from werkzeug.test import Client

from providers.errors import Misconfigured, Unavailable
from proxy.settings import load
from proxy.waiting import Waiting


class Opening:
    """What the service does to open the book: counts how often, and fails as long as ``error`` is set."""

    def __init__(self, error):
        self.error = error
        self.attempts = 0

    def __call__(self):
        self.attempts += 1
        if self.error is not None:
            raise self.error
        app = Flask("opened")
        app.add_url_rule("/features", view_func=lambda: "opened")
        return app


@pytest.fixture
def opening():
    return Opening(Unavailable("The book is away"))


@pytest.fixture
def client(opening, clock, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Client(Waiting(opening, opening.error, load(environ={}), clock=clock))


@pytest.mark.parametrize("path", ["/features", "/dhcp", "/nope", "/"])
def test_the_reason_is_the_answer(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.text) == (503, "The book is away")


@pytest.mark.parametrize("path", ["/ipam/groups", "/ipam//groups", "/ipam/subnet/10.0.0.0/24/next_ip"])
def test_external_ipam_gets_its_own_form(client, path):
    answer = client.get(path)
    assert (answer.status_code, json.loads(answer.text)) == (503, {"error": "The book is away"})


def test_the_answer_is_marked_like_any_other(client):
    answer = client.post("/dhcp/10.0.0.0", data={"mac": "52:54:00:00:00:01"})
    assert answer.content_type == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])


def test_nothing_is_tried_within_a_second(client, opening, clock):
    clock.pass_(seconds=0.9)
    client.get("/features")
    assert opening.attempts == 0


def test_one_attempt_a_second(client, opening, clock):
    clock.pass_(seconds=1)
    for _ in range(5):
        assert client.get("/features").status_code == 503
    assert opening.attempts == 1
    clock.pass_(seconds=1)
    client.get("/features")
    assert opening.attempts == 2


def test_the_newest_reason_is_told(client, opening, clock):
    clock.pass_(seconds=1)
    opening.error = Misconfigured("The book has no tables")
    assert client.get("/features").text == "The book has no tables"


def test_the_request_that_opens_the_book_is_served(client, opening, clock):
    clock.pass_(seconds=1)
    opening.error = None
    assert client.get("/features").text == "opened"


def test_the_book_is_opened_once(client, opening, clock):
    opening.error = None
    for _ in range(3):
        clock.pass_(seconds=1)
        assert client.get("/features").status_code == 200
    assert opening.attempts == 1


def test_a_clock_that_is_set_back_does_not_end_the_attempts(client, opening, clock):
    clock.pass_(hours=-1)
    opening.error = None
    assert client.get("/features").status_code == 200


def test_nobody_waits_for_the_attempt_of_another(clock, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trying, go_on = threading.Event(), threading.Event()

    def open_slowly():
        trying.set()
        assert go_on.wait(60)
        raise Unavailable("still away")

    client = Client(Waiting(open_slowly, Unavailable("away"), load(environ={}), clock=clock))
    clock.pass_(seconds=1)
    first = threading.Thread(target=client.get, args=("/features",))
    first.start()
    assert trying.wait(60)
    try:
        assert client.get("/features").text == "away"
    finally:
        go_on.set()
        first.join()
