"""Looking around: paths, searches, filters, and long lists."""

from __future__ import annotations

import pytest
from netaddr import IPAddress, IPNetwork

from providers.address_book.incoming import Incoming, IncomingAddress
from providers.model import Caller, SubnetSpec, Use

SEEDER = Caller("seed")
MAC = "02:00:00:00:00:01"


@pytest.fixture
def jail(address_book, lab):
    """A guest at 10.0.1.5 with a name that has everything in it that a path could stumble over."""
    return address_book.reserve(lab, IPAddress("10.0.1.5"), Use.GUEST, SEEDER, name="a+b c/d?e&f", mac=MAC)


def test_a_name_with_everything_in_it(ask, jail):
    (found,) = ask("GET", "addresses/search_hostname/a%2Bb%20c%2Fd%3Fe%26f/").json["data"]
    assert found["ip"] == "10.0.1.5"


def test_a_plus_that_is_not_encoded_is_a_blank(ask, jail):
    assert ask("GET", "addresses/search_hostname/a+b%20c%2Fd%3Fe%26f/").status_code == 404


@pytest.mark.parametrize("spelling", [MAC, MAC.upper(), MAC.replace(":", "-"), "0200.0000.0001", "020000000001"])
def test_a_mac_in_any_spelling(ask, jail, spelling):
    assert len(ask("GET", f"addresses/search_mac/{spelling}/").json["data"]) == 1


def test_the_beginning_of_a_name_in_any_case(ask, jail):
    assert len(ask("GET", "addresses/search_hostbase/A%2BB/").json["data"]) == 1
    assert ask("GET", "addresses/search_hostbase/b/").status_code == 404


@pytest.mark.parametrize("address", ["2001:db8::5", "2001:0DB8:0:0:0:0:0:5"])
def test_ipv6_in_any_spelling(ask, address_book, address):
    subnet = address_book.add_subnet(SubnetSpec(IPNetwork("2001:db8::/64"), "Lab"), SEEDER)
    address_book.reserve(subnet, IPAddress("2001:db8::5"), Use.GUEST, SEEDER)

    for path in (
        f"addresses/search/{address}/",
        f"subnets/{subnet.id}/addresses/{address}/",
        f"addresses/{address}/{subnet.id}/",
    ):
        assert ask("GET", path).status_code == 200, path


def test_paths_work_without_the_last_slash_and_with_doubled_ones(ask, jail, lab):
    for path in ("sections", "/sections//Lab/", f"subnets/{lab.id}/addresses", "addresses/10.0.1.5/1"):
        assert ask("GET", path).status_code == 200, path


@pytest.mark.parametrize(
    ("path", "message"), [("nothings/", "Invalid controller"), ("subnets/1/x/", "Invalid request")]
)
def test_what_there_is_not_is_told_in_an_object(ask, path, message):
    assert ask("GET", path).json == {"code": 400, "success": False, "message": message, "time": 0.0}


def test_another_content_type_is_refused(ask, lab):
    answer = ask("POST", "addresses/", data="{}", content_type="text/plain")
    assert (answer.status_code, answer.json["message"]) == (415, "Invalid Content type text/plain")


@pytest.mark.parametrize("body", ["{", '"text"', "[1]"])
def test_json_that_is_no_object(ask, lab, body):
    assert ask("POST", "addresses/", data=body, content_type="application/json").status_code == 400


def test_the_smallest_subnet_around_is_the_master(ask, address_book, lab):
    address_book.add_subnet(SubnetSpec(IPNetwork("10.0.0.0/8"), "Lab"), SEEDER)
    outer = address_book.add_subnet(SubnetSpec(IPNetwork("10.0.0.0/16"), "Lab"), SEEDER)

    assert ask("GET", f"subnets/{lab.id}/").json["data"]["masterSubnetId"] == outer.id
    listed = {row["id"]: row["masterSubnetId"] for row in ask("GET", "subnets/").json["data"]}
    assert (listed[lab.id], listed[outer.id] != 0) == (outer.id, True)


def test_an_id_stays_good_when_a_subnet_is_made_around_its_address(ask, address_book):
    outer = address_book.add_subnet(SubnetSpec(IPNetwork("10.1.0.0/16"), "Lab"), SEEDER)
    address_book.reserve(outer, IPAddress("10.1.1.5"), Use.GUEST, SEEDER, name="j1")
    number = ask("GET", "addresses/search/10.1.1.5/").json["data"][0]["id"]
    address_book.add_subnet(SubnetSpec(IPNetwork("10.1.1.0/24"), "Lab"), SEEDER)

    assert ask("GET", f"addresses/{number}/").json["data"]["hostname"] == "j1"


def test_a_long_list_is_whole(ask, address_book):
    subnet = address_book.add_subnet(SubnetSpec(IPNetwork("10.2.0.0/20"), "Lab"), SEEDER)
    uses = frozenset({Use.GUEST})
    incoming = (IncomingAddress(subnet.network.network + number, "a test", uses) for number in range(1, 1102))
    address_book.apply_import(Incoming(addresses=tuple(incoming)), SEEDER, whole=True)

    listed = ask("GET", f"subnets/{subnet.id}/addresses/").json["data"]

    assert [row["ip"] for row in listed] == [str(subnet.network.network + number) for number in range(1, 1102)]


def test_a_filter_narrows_a_list(ask, jail):
    narrowed = ask("GET", f"subnets/1/addresses/?filter_by=mac&filter_value={MAC}").json["data"]
    assert [row["ip"] for row in narrowed] == ["10.0.1.5"]
    assert ask("GET", "subnets/1/addresses/?filter_by=mac&filter_value=x").json["message"].startswith("No results")
