"""Asking the service: several URLs, what it says no to, and never longer than allowed."""

from __future__ import annotations

import select
import socket
import threading
import time

import pytest

from hooks.errors import InternalError, NotAllowed, Refused, Unreachable
from hooks.service import Call, Service, segment
from hooks.settings import Settings
from tests.hooks.answering import answering, never_answering, nobody_listening


def service(*urls: str, timeout: float = 9.0, token: str = "") -> Service:
    return Service(Settings(urls=urls, timeout=timeout, token=token))


def test_asks_as_json_below_api_v1(server):
    server.always(200, {"items": [1]})
    asking = service(f"{server.url}/below/", token="lh_x")
    answer = asking.call(Call("PUT", "/guests/a/b", {"at": "x y"}, {"node": "n"}))
    assert answer == {"items": [1]}
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.body) == ("PUT", "/below/api/v1/guests/a/b?at=x+y", {"node": "n"})
    assert asked.headers["Authorization"] == "Bearer lh_x"
    assert asked.headers["Content-Type"] == "application/json"


def test_without_a_token_none_is_sent(server):
    service(server.url).call(Call("GET", "/guests"))
    assert "Authorization" not in server.asked[0].headers


def test_names_are_one_segment_of_a_path():
    assert segment("a/b ü?") == "a%2Fb%20%C3%BC%3F"


@pytest.mark.parametrize(
    ("status", "kind"), [(404, Refused), (409, Refused), (422, Refused), (401, NotAllowed), (403, NotAllowed)]
)
def test_a_no_is_raised_with_its_reason(server, status, kind):
    server.always(status, {"error": {"code": "claimed", "message": "node2 has it", "holder": {"node": "node2"}}})
    with pytest.raises(kind, match="node2 has it") as raised:
        service(server.url).call(Call("POST", "/x"))
    assert (raised.value.status, raised.value.code) == (status, "claimed")
    assert raised.value.detail["holder"] == {"node": "node2"}


def test_a_no_is_final_although_there_is_another_url(server):
    server.always(409, {"error": {"code": "conflict", "message": "taken"}})
    with answering() as other, pytest.raises(Refused):
        service(server.url, other.url).call(Call("POST", "/x"))
    assert other.asked == []


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_service_that_cannot_answer_now_is_passed_over(server, status):
    server.always(status, {"error": {"code": "x", "message": "later"}})
    with answering() as other:
        other.always(200, {"fine": True})
        assert service(server.url, other.url).call(Call("GET", "/x")) == {"fine": True}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, {"error": {"code": "internal", "message": "look into the log"}}, InternalError),
        (503, {"error": {"code": "unavailable", "message": "later"}}, Unreachable),
        # Of something before the service.
        (500, {}, Unreachable),
        (500, b"<html>", Unreachable),
    ],
)
def test_a_mistake_of_the_service_is_told_from_its_absence(server, status, body, kind):
    server.always(status, body)
    with nobody_listening() as nobody:
        for urls in ((server.url,), (server.url, nobody), (nobody, server.url)):
            with pytest.raises(Unreachable) as raised:
                service(*urls).call(Call("GET", "/x"))
            assert type(raised.value) is kind


def test_the_next_url_is_tried_when_nobody_listens(server):
    server.always(200, {"fine": True})
    with nobody_listening() as nobody:
        assert service(nobody, server.url).call(Call("GET", "/x")) == {"fine": True}


def test_the_next_url_has_time_left_after_one_that_hangs(server):
    server.always(200, {"fine": True})
    with never_answering() as hanging:
        assert service(hanging, server.url, timeout=6.0).call(Call("GET", "/x")) == {"fine": True}


def test_a_call_that_nobody_waits_for_may_take_longer_than_the_settings_say(server):
    def slow(_):
        # Longer than the timeout, by a clock that others may slow down further.
        threading.Event().wait(0.6)
        return 200, {"fine": True}

    server.answer = slow
    settings = Settings(urls=(server.url,), timeout=0.3)
    assert Service(settings, seconds=60, longest=30).call(Call("PUT", "/guests")) == {"fine": True}
    with pytest.raises(Unreachable):
        Service(settings, seconds=60).call(Call("PUT", "/guests"))


def test_a_url_that_hangs_is_waited_for_once(server):
    """The claims of many guests are renewed one after the other: each of them would wait for it again."""
    server.always(200, {"fine": True})
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        asking = service(f"http://127.0.0.1:{hanging.getsockname()[1]}", server.url, timeout=6.0)
        for _ in range(3):
            asking.call(Call("GET", "/x"))
        hanging.accept()[0].close()
        assert not select.select([hanging], [], [], 0)[0], "it was asked again"


def test_all_of_them_together_take_no_longer_than_allowed():
    began = time.monotonic()
    with never_answering() as one, never_answering() as two, pytest.raises(Unreachable) as raised:
        service(one, two, timeout=0.4).call(Call("GET", "/x"))
    assert time.monotonic() - began < 30
    assert one in str(raised.value)
    assert two in str(raised.value)


def test_a_second_call_has_only_what_the_first_one_left():
    with never_answering() as hanging:
        asking = service(hanging, timeout=0.2)
        with pytest.raises(Unreachable):
            asking.call(Call("GET", "/x"))
        with pytest.raises(Unreachable, match="no time is left"):
            asking.call(Call("GET", "/x"))


@pytest.mark.parametrize("body", [b"", {}, {"error": None}, []])
@pytest.mark.parametrize("status", [301, 400, 404, 409])
def test_a_no_without_a_reason_is_not_the_services(server, status, body):
    """Taken for one, it would drop the report that waits."""
    server.always(status, body)
    with pytest.raises(Unreachable, match=f"status {status}"):
        service(server.url).call(Call("PUT", "/x", None, {}))


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"true", b"[" * 100_000])
def test_a_yes_that_says_nothing_is_not_the_services(server, body):
    """Such as that of a proxy: taken for one, it would grant a claim."""
    server.always(200, body)
    with pytest.raises(Unreachable, match="no Leasehold"):
        service(server.url).call(Call("PUT", "/x", None, {}))


@pytest.mark.parametrize("body", [b"<html>", b"\xff\xfe", b"{"])
def test_what_is_no_json_is_no_service(server, body):
    server.always(200, body)
    with pytest.raises(Unreachable, match="no Leasehold"):
        service(server.url).call(Call("GET", "/x"))
