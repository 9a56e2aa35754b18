"""What the double does beyond the recorded exchanges: confirmed on a real 1.8.2 where it is phpIPAM's own doing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.conftest import HandClock
from tests.phpipam import Double

GET_10 = "addresses/search/10.0.1.10/?filter_by=subnetId&filter_value="


class Site:
    """A recorded double that is served, and a session that is logged in."""

    def __init__(self, double: Double, url: str) -> None:
        self.double, self.url = double, url
        self.session = requests.Session()
        self.log_in()

    def log_in(self) -> str:
        answer = requests.post(f"{self.url}/api/leasehold/user/", auth=("leasehold", "leasehold-pass"), timeout=60)
        token: str = answer.json()["data"]["token"]
        self.session.headers["token"] = token
        return token

    def call(self, method: str, path: str, app: str = "leasehold", **asked: Any) -> requests.Response:
        return self.session.request(method, f"{self.url}/api/{app}/{path}", timeout=60, **asked)

    def take(self, address: str, subnet: int = 14, **fields: Any) -> requests.Response:
        return self.call("POST", "addresses/", json={"subnetId": subnet, "ip": address, **fields})


@pytest.fixture
def site(clock: HandClock) -> Iterator[Site]:
    double = Double.recorded(clock=clock)
    with double.serve() as url:
        yield Site(double, url)


def test_a_filtered_search_tells_a_number_for_all_but_the_oldest_row(site: Site):
    """The filter takes away the row that was told with dots; the other keeps its number."""
    assert [row["ip"] for row in site.call("GET", f"{GET_10}1").json()["data"]] == ["10.0.1.10"]
    assert [row["ip"] for row in site.call("GET", f"{GET_10}5").json()["data"]] == ["167772426"]


@pytest.mark.parametrize("version", ["1.5.2", "1.7.4"])
def test_older_versions_find_every_address_and_tell_it_with_dots(clock: HandClock, version: str):
    double = Double.recorded(version, clock)
    with double.serve() as url:
        site = Site(double, url)
        assert site.call("GET", "addresses/10.0.1.11/1/").json()["data"]["hostname"] == "jail2.example.test"
        assert [row["ip"] for row in site.call("GET", f"{GET_10}5").json()["data"]] == ["10.0.1.10"]


@pytest.mark.parametrize(("version", "status"), [("1.5.2", 415), ("1.7.4", 415), ("1.8.2", 200)])
def test_behind_nginx_older_versions_want_a_content_type_on_every_call(clock: HandClock, version: str, status: int):
    double = Double.recorded(version, clock)
    with double.serve() as url:
        site = Site(double, url)
        double.behind_nginx = True
        assert site.call("GET", "sections/2/").status_code == status
        assert site.call("GET", "sections/2/", headers={"Content-Type": "application/json"}).status_code == 200


def test_a_refused_change_of_a_gateway_takes_the_gateway_away(site: Site):
    assert site.call("PATCH", "addresses/1/", json={"description": "x" * 65, "tag": 2}).status_code == 500
    assert "gateway" not in site.call("GET", "subnets/1/").json()["data"]


def test_a_large_subnet_cannot_be_read_as_a_whole(site: Site):
    site.double.whole_read_limit = 5
    answer = site.call("GET", "subnets/1/addresses/")
    assert (answer.status_code, answer.text) == (500, "")
    assert site.call("GET", "subnets/1/first_free/").json()["data"] == "10.0.1.2"


def test_a_token_ends_after_six_hours_without_a_call(site: Site, clock: HandClock):
    clock.pass_(hours=5, minutes=59)
    assert site.call("GET", "sections/1/").status_code == 200
    clock.pass_(hours=5, minutes=59)
    assert site.call("GET", "sections/1/").status_code == 200
    clock.pass_(hours=6, minutes=1)
    assert site.call("GET", "sections/1/").status_code == 401


def test_log_ins_that_cross_end_each_others_token(site: Site):
    site.double.accounts.crossing = True
    first = site.log_in()
    assert site.log_in() != first
    assert site.call("GET", "sections/1/", headers={"token": first}).status_code == 401


def test_a_log_in_that_is_refused(site: Site):
    site.double.refuse_logins("LDAP is away")
    answer = requests.post(f"{site.url}/api/leasehold/user/", auth=("leasehold", "leasehold-pass"), timeout=60)
    assert (answer.status_code, answer.json()["message"]) == (500, "LDAP is away")


def test_plain_http_has_to_be_allowed(site: Site):
    """As ``$api_allow_unsafe`` is off in a new phpIPAM."""
    site.double.allow_unsafe = False
    answer = site.call("GET", "sections/1/")
    assert (answer.status_code, answer.json()["message"]) == (503, "SSL connection is required for API")


def test_a_call_without_a_cookie_makes_a_session(site: Site):
    before = site.double.sessions
    for _ in range(3):
        site.call("GET", "sections/1/")
    assert site.double.sessions == before + 1


def test_writes_wait_for_whoever_has_the_lock(site: Site):
    with site.double.locked():
        answer = site.take("10.60.0.9")
        assert (answer.status_code, answer.json()["success"], answer.json()["code"]) == (200, False, 500)
        assert site.call("GET", "sections/1/").status_code == 200
    assert site.take("10.60.0.9").status_code == 201


@pytest.mark.parametrize(
    ("how", "status", "message"),
    [("duplicate", 500, "Duplicate entry"), ("deadlock", 500, "Deadlock"), ("lock", 200, "Cannot obtain lock")],
)
def test_a_call_that_loses_against_others(site: Site, how: str, status: int, message: str):
    site.double.breaks["POST addresses"] = [how]
    answer = site.take("10.60.0.9")
    assert (answer.status_code, message in answer.json()["message"]) == (status, True)
    assert site.take("10.60.0.9").status_code == 201


def test_an_answer_that_is_lost(site: Site):
    site.double.lose["POST addresses"] = 1
    with pytest.raises(requests.ConnectionError):
        site.take("10.60.0.9")
    assert site.double.row(14, "10.60.0.9") is not None
    assert site.take("10.60.0.9").status_code == 409


def test_somebody_is_faster(site: Site):
    site.double.meanwhile["POST addresses"] = lambda: site.double.add_address(14, "10.60.0.9", hostname="faster")
    assert site.take("10.60.0.9").status_code == 409


def test_calls_are_counted_by_kind(site: Site):
    site.double.forget_calls()
    for path in ("sections/", "sections/2/subnets/", "subnets/1/", "subnets/1/addresses/", "addresses/10.0.1.1/1/"):
        site.call("GET", path)
    site.call("DELETE", "addresses/2/")
    kinds = ["GET sections/all", "GET sections/subnets", "GET subnets", "GET subnets/addresses", "GET addresses/by-ip"]
    assert [call.kind for call in site.double.calls] == [*kinds, "DELETE addresses"]
    assert site.double.count("GET subnets") == 1


def test_what_people_do_in_the_web_interface_is_seen_over_the_api(site: Site):
    subnet = site.double.add_subnet("10.70.0.0/24", "New", gateway="10.70.0.1", nameservers="10.70.0.2", vlan=7)
    told = site.call("GET", f"subnets/{subnet}/").json()["data"]
    assert told["gateway"]["ip_addr"] == "10.70.0.1"
    assert told["nameservers"]["namesrv1"] == "10.70.0.2"
    site.double.change_subnet(subnet, full=True)
    assert site.call("GET", f"subnets/{subnet}/first_free/").status_code == 404
    site.double.remove_subnet(subnet)
    assert site.call("GET", f"subnets/{subnet}/").status_code == 400


def test_an_address_is_given_to_one_of_many(site: Site):
    statuses: list[int] = []

    def take() -> None:
        statuses.append(site.take("10.60.0.9").status_code)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(statuses) == [201, *[409] * 7]
