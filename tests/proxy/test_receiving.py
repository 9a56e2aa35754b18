"""Requests on their way in: complete at the right byte, however they are cut, and refused as early as possible."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.receiving import LARGEST_HEAD, LONGEST_LINE, MOST_HEADERS, Incoming, State

LIMIT = 1000
GET = b"GET /features HTTP/1.1\r\nHost: a\r\n"
POST = b"POST /dhcp HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: Chunked\r\n\r\n"
WHOLE = [
    GET + b"\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"\r\n" + GET + b"\r\n",
    POST + b"Content-Length: 0\r\n\r\n",
    POST + b"content-length:5\r\n\r\nhello",
    POST + b"Content-Length: 1000\r\n\r\n" + b"x" * LIMIT,
    CHUNKED + b"0\r\n\r\n",
    CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
    CHUNKED + b'5 ; a="b;\\"";c\r\nhello\r\n0\r\n\r\n',
    CHUNKED + b"5;a=b\r\nhello\r\n3E3\r\n" + b"x" * 995 + b"\r\n0\r\nTrailer: x\r\n\r\n",
]


def fed(*parts: bytes) -> Incoming:
    """What has come in."""
    incoming = Incoming(LIMIT)
    for part in parts:
        incoming.feed(part)
    return incoming


@pytest.mark.parametrize("request_", WHOLE)
def test_it_is_complete_with_its_last_byte_and_not_before(request_):
    incoming = Incoming(LIMIT)
    states = [incoming.feed(request_[at : at + 1]) for at in range(len(request_))]

    assert set(states[:-1]) == {State.MORE}
    assert states[-1] is State.COMPLETE
    assert incoming.data == request_


@pytest.mark.parametrize("request_", WHOLE)
def test_what_comes_behind_it_is_kept(request_):
    incoming = fed(request_ + GET)

    assert (incoming.state, bytes(incoming.data)) == (State.COMPLETE, request_ + GET)


@given(st.sampled_from(WHOLE), st.lists(st.integers(0, 1100)))
def test_it_does_not_matter_where_it_is_cut(request_, cuts):
    edges = [0, *sorted(min(cut, len(request_)) for cut in cuts), len(request_)]
    parts = [request_[begin:end] for begin, end in pairwise(edges)]

    assert fed(*parts).state is State.COMPLETE


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"x" * (LONGEST_LINE + 1), "414"),
        (b"GET /" + b"x" * LONGEST_LINE + b" HTTP/1.1\r\n", "414"),
        (GET + b"X: " + b"x" * LONGEST_LINE + b"\r\n\r\n", "431"),
        (GET + b"X: y\r\n" * MOST_HEADERS + b"\r\n", "431"),
        (GET + b"X: " + b"x" * LARGEST_HEAD, "431"),
        (GET + (b"X: " + b"x" * 8000 + b"\r\n") * 5 + b"\r\n", "431"),
        (CHUNKED + b"x\r\n", "400"),
        (CHUNKED + b"-1\r\n", "400"),
        (CHUNKED + b"0x5\r\n", "400"),
        (CHUNKED + b"1" * 300, "400"),
        (CHUNKED + b"1;" + b"a" * 300 + b"\r\n", "400"),
        (CHUNKED + b"5\r\nhelloXX0\r\n\r\n", "400"),
        (CHUNKED + b"5;a\x01b\r\n", "400"),
        (CHUNKED + b'5;a="b\r\n', "400"),
        (CHUNKED + b"5 \r\n", "400"),
        (CHUNKED + b" 5\r\n", "400"),
        (POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n", "400"),
        (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
        (POST + b"Content-Length: 5, 5\r\n\r\n", "400"),
        (POST + b"Content-Length: +5\r\n\r\n", "400"),
        (POST + b"Content-Length: \r\n\r\n", "400"),
        (POST + b"Content-Length: 00000000000000000010\r\n\r\n", "400"),
        (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
        (POST + b"Transfer-Encoding: gzip\r\n\r\n", "501"),
        (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "501"),
        (POST + b"Transfer-Encoding: identity, chunked\r\n\r\n", "501"),
        (CHUNKED + b"1\r\nx\r\n" * 600, "413"),
        (CHUNKED + b"0\r\n" + b"T: x\r\n" * 600, "413"),
    ],
)
def test_what_is_refused(request_, status):
    incoming = fed(request_)

    assert incoming.state is State.REFUSED
    assert incoming.refusal is not None
    assert incoming.refusal.status.startswith(status)


@pytest.mark.parametrize(
    "request_",
    [
        GET[: GET.index(b"/")] + b"/" + b"x" * (LONGEST_LINE - 14) + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        GET + b"X: " + b"x" * (LONGEST_LINE - 3) + b"\r\n\r\n",
        GET + b"X: y\r\n" * (MOST_HEADERS - 1) + b"\r\n",
    ],
    ids=["line", "header", "headers"],
)
def test_the_limits_themselves_are_allowed(request_):
    assert fed(request_).state is State.COMPLETE


@pytest.mark.parametrize(
    "request_",
    [
        POST + b"Content-Length: 1001\r\n\r\n",
        CHUNKED + b"3e9\r\n" + b"x" * 1001,
        CHUNKED + (b"64\r\n" + b"x" * 100 + b"\r\n") * 11,
    ],
)
def test_what_is_answered_without_the_rest_of_it(request_):
    assert fed(request_).state is State.LAST


def test_whoever_waits_to_be_told_to_continue():
    incoming = fed(POST + b"Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n")
    assert (incoming.state, incoming.wants_continue) == (State.MORE, True)

    incoming.feed(b"hello")
    assert incoming.state is State.COMPLETE


def test_nobody_is_told_to_send_a_body_that_is_too_large():
    incoming = fed(POST + b"Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n")

    assert (incoming.state, incoming.wants_continue) == (State.LAST, False)
