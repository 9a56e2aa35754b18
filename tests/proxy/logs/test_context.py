"""Which request a line belongs to."""

from __future__ import annotations

import threading

import pytest
from werkzeug.test import create_environ, run_wsgi_app

from providers.trace import Trace, begin, current_trace, end, headers_to_pass_on
from proxy.logs.context import Traced

HEADERS = {"X-Request-Id": "r-1", "X-Session-Id": "s-1"}


def environ(**headers: str) -> dict[str, object]:
    return create_environ("/", headers=headers, environ_overrides={"REMOTE_ADDR": "192.0.2.7"})


def test_from_the_first_step_to_the_last_byte_and_no_longer():
    seen = []

    def app(environ, start_response):
        seen.append(current_trace())
        start_response("200 OK", [])

        def body():
            seen.append(current_trace())
            yield b"x"

        return body()

    answer = Traced(app)(environ(**HEADERS), lambda *_: lambda _: None)
    assert list(answer) == [b"x"]
    seen.append(current_trace())  # here the server writes its access line
    answer.close()
    assert current_trace() is None
    assert {(trace.request_id, trace.session_id, trace.remote_ip) for trace in seen} == {("r-1", "s-1", "192.0.2.7")}


def test_a_request_that_fails_is_over():
    def app(environ, start_response):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        Traced(app)(environ(), lambda *_: lambda _: None)
    assert current_trace() is None


def test_what_the_answer_has_to_close_is_closed():
    closed = []

    class Body(list):
        def close(self):
            closed.append(current_trace())

    def app(environ, start_response):
        start_response("200 OK", [])
        return Body([b"x"])

    run_wsgi_app(Traced(app), environ(**HEADERS), buffered=True)
    assert [trace.request_id for trace in closed] == ["r-1"]


@pytest.mark.parametrize(
    "session",
    ["", "a b", "x" * 129, "a\tb", "ü", "lh_Zm9vYmFyYmF6cXV4"],
    ids=["none", "blank", "long", "tab", "umlaut", "token"],
)
def test_a_session_that_could_break_the_log_is_none(session):
    seen = []

    def app(environ, start_response):
        seen.append(current_trace())
        return []

    Traced(app)(create_environ("/") | {"HTTP_X_SESSION_ID": session}, lambda *_: lambda _: None).close()
    assert seen[0].session_id is None


def test_ids_are_passed_on():
    trace = Trace("r-1", "s-1")
    begin(trace)
    assert headers_to_pass_on() == HEADERS
    end(trace)


def test_only_what_is_known_is_passed_on():
    assert headers_to_pass_on() == {}
    trace = Trace("r-1")
    begin(trace)
    assert headers_to_pass_on() == {"X-Request-Id": "r-1"}
    end(trace)


def test_an_answer_that_is_closed_late_ends_no_other_request():
    first, second = Trace("r-1"), Trace("r-2")
    begin(first)
    begin(second)
    end(first)
    assert current_trace() is second
    end(second)


def test_every_thread_has_its_own():
    trace = Trace("r-1")
    begin(trace)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(current_trace()))
    thread.start()
    thread.join()
    end(trace)
    assert seen == [None]
