"""Access control in a real service: what several workers have to know together."""

from __future__ import annotations

import http.client
from collections import Counter

import pytest
from running import Service

from providers.book.database import Book
from providers.clock import utc_now
from providers.model import Caller
from providers.tokens import Scope, Tokens

NOBODYS = "lh_" + "A" * 43


def status(service: Service, token: str, path: str = "/dhcp") -> int:
    """What a new connection with that token is answered."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def test_workers_count_failed_attempts_together(service):
    answers = Counter(status(service, NOBODYS) for _ in range(25))
    assert set(answers) == {401, 429}
    # Ten for all; two at the same instant may count as one.
    assert 10 <= answers[401] <= 12
    assert service.log().count("Refused 127.0.0.1: token not valid") == 1
    assert NOBODYS not in service.log()


def test_a_token_is_refused_by_every_worker_as_soon_as_it_is_revoked(service, book_file):
    book = Book(f"sqlite:///{book_file}")
    tokens, caller = Tokens(book, utc_now), Caller("test")
    _, secret = tokens.create("hooks", [Scope.READ], caller)
    assert [status(service, secret) for _ in range(8)] == [200] * 8
    tokens.revoke("hooks", caller)
    assert [status(service, secret) for _ in range(8)] == [401] * 8
    book.close()


@pytest.mark.parametrize("insecure", [True, False])
def test_insecure_http_is_told_at_every_start(stopped_service, insecure):
    if insecure:
        stopped_service.environ["LEASEHOLD_INSECURE_HTTP"] = "true"
    for start in (1, 2):
        stopped_service.start()
        stopped_service.stop()
        assert stopped_service.log().count(":insecure_http: is true") == (start if insecure else 0)
