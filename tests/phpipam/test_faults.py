"""The bad line does what it says, so that tests that stand on it mean something."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.phpipam.certificates import server_context
from tests.phpipam.double import Double
from tests.phpipam.faults import Fault, FaultProxy

_DELIVERED = {
    Fault.RESET,
    Fault.DRIP,
    Fault.TRUNCATED_JSON,
    Fault.SHORT_BODY,
    Fault.LOST_ANSWER,
    Fault.SLOW_ANSWER,
}


@pytest.fixture
def double() -> Double:
    return Double.recorded()


@pytest.fixture
def front(double: Double) -> Iterator[FaultProxy]:
    with double.serve() as url, FaultProxy(url) as proxy:
        proxy.delay, proxy.drip = 0.05, 0.1
        yield proxy


def take(front: FaultProxy, double: Double, timeout: float = 60) -> requests.Response:
    """Log in beside the line, then make 10.60.0.9 over it."""
    user = double.accounts.users[0]
    user.token, user.expires = "t" * 24, double.clock()
    double.accounts.extend(user)
    return requests.post(
        f"{front.url}/api/leasehold/addresses/",
        json={"subnetId": 14, "ip": "10.60.0.9"},
        headers={"token": user.token},
        timeout=timeout,
        allow_redirects=False,
    )


def test_what_meets_no_fault_passes(front: FaultProxy, double: Double):
    answer = take(front, double)
    assert (answer.status_code, answer.json()["id"]) == (201, "11")
    assert front.calls == [(None, "POST addresses")]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.HANG, requests.ReadTimeout),
        (Fault.CLOSED, requests.ConnectionError),
        (Fault.RESET, requests.ConnectionError),
        (Fault.SHORT_BODY, requests.ConnectionError),
        (Fault.LOST_ANSWER, requests.ConnectionError),
    ],
)
def test_no_answer(front: FaultProxy, double: Double, fault: Fault, error: type[Exception]):
    front.next(fault)
    with pytest.raises((error, requests.exceptions.ChunkedEncodingError)):
        take(front, double, timeout=0.3 if fault is Fault.HANG else 60)
    assert (double.row(14, "10.60.0.9") is not None) == (fault in _DELIVERED)
    front.heal()
    assert take(front, double).status_code in {201, 409}


@pytest.mark.parametrize(
    ("fault", "status"), [(Fault.ERROR_500, 500), (Fault.HTML_502, 502), (Fault.REDIRECT, 302), (Fault.WRONG_JSON, 200)]
)
def test_another_answer(front: FaultProxy, double: Double, fault: Fault, status: int):
    front.next(fault)
    assert take(front, double).status_code == status
    assert double.row(14, "10.60.0.9") is None


def test_truncated_json_has_the_length_that_it_says(front: FaultProxy, double: Double):
    front.next(Fault.TRUNCATED_JSON)
    answer = take(front, double)
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text)


def test_a_slow_drip_outlasts_a_read_timeout(front: FaultProxy, double: Double):
    """Each byte comes in time, so a client needs a limit of its own on the whole."""
    front.next(Fault.DRIP)
    front.drip = 0.02
    began = time.monotonic()
    answer = take(front, double)
    assert (answer.status_code, len(answer.content) > 40) == (201, True)
    assert time.monotonic() - began > front.drip * len(answer.content)
    assert double.row(14, "10.60.0.9") is not None


def test_a_slow_answer_comes(front: FaultProxy, double: Double):
    front.next(Fault.SLOW_ANSWER)
    assert take(front, double).status_code == 201


def test_nobody_listens_until_it_is_healed(front: FaultProxy, double: Double):
    front.always(Fault.REFUSE)
    with pytest.raises(requests.ConnectionError):
        take(front, double)
    front.heal()
    assert take(front, double).status_code == 201


def test_only_one_kind_of_call_is_broken(front: FaultProxy, double: Double):
    front.always(Fault.ERROR_500, only="POST addresses")
    assert requests.get(f"{front.url}/api/leasehold/sections/1/", timeout=60).status_code == 401
    assert take(front, double).status_code == 500
    assert front.broken() == 1


@pytest.mark.parametrize("expired", [False, True])
def test_certificates(double: Double, tmp_path: Path, expired: bool):
    context, trusted = server_context(tmp_path, expired=expired)
    with double.serve(context) as url:
        if expired:
            with pytest.raises(requests.exceptions.SSLError, match="expired"):
                requests.get(f"{url}/api/leaseholdssl/sections/", verify=str(trusted), timeout=60)
        else:
            answer = requests.get(f"{url}/api/leaseholdssl/sections/", verify=str(trusted), timeout=60)
            assert answer.status_code == 401
