"""Being offered an address, taking one, describing it and giving it back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from netaddr import IPAddress, IPNetwork

from providers.guests import GuestReport, GuestState, WantedAddress
from providers.model import Caller, DHCPHost, SubnetSpec, Use
from providers.tokens import Scope
from tests.providers.ipam.remote_double import RemoteIPAM, Upstream

OTHER = Caller("somebody")


def offer(ask, subnet, **who):
    return ask("GET", f"addresses/first_free/{subnet.id}/", **who).json


class TestOffers:
    def test_an_offer_is_held(self, ask, lab, address_book):
        told = offer(ask, lab)["data"]

        assert [str(hold.address) for hold in address_book.holds(lab)] == [told] == ["10.0.1.2"]

    def test_asking_again_gives_the_same(self, ask, lab):
        assert offer(ask, lab)["data"] == ask("GET", f"subnets/{lab.id}/first_free").json["data"]

    def test_two_tokens_are_two_askers(self, ask, lab, secret):
        one, other = secret("node1"), secret("node2")

        assert offer(ask, lab, token=one)["data"] != offer(ask, lab, token=other)["data"]

    def test_two_machines_with_one_token_are_two_askers(self, ask, lab, secret):
        shared = secret("nodes")
        told = {offer(ask, lab, token=shared, at=f"127.0.0.{number}")["data"] for number in (1, 2)}

        assert len(told) == 2

    def test_two_machines_without_tokens_are_two_askers(self, ask, lab):
        assert len({offer(ask, lab, at=f"127.0.0.{number}")["data"] for number in (1, 2)}) == 2

    def test_head_holds_nothing(self, ask, lab, address_book):
        assert ask("HEAD", f"addresses/first_free/{lab.id}/").status_code == 200
        assert address_book.holds() == []

    def test_an_offer_can_be_taken_by_its_address(self, ask, lab, address_book):
        told = offer(ask, lab)["data"]

        made = ask("POST", "addresses/", {"subnetId": lab.id, "ip": told, "hostname": "j1"})

        assert made.status_code == 201
        assert address_book.holds() == []

    def test_a_read_token_gets_none(self, ask, lab, secret, address_book):
        answer = ask("GET", f"addresses/first_free/{lab.id}/", token=secret("looker", Scope.READ))

        assert (answer.status_code, answer.json["success"]) == (403, False)
        assert address_book.holds() == []

    def test_ipv6_never_gives_the_network_address(self, ask, address_book):
        subnet = address_book.add_subnet(SubnetSpec(IPNetwork("2001:db8::/64"), "Lab"), OTHER)

        assert offer(ask, subnet)["data"] == "2001:db8::1"


class TestTaking:
    def test_what_was_offered_is_left_for_whoever_was_told_it(self, ask, lab):
        told = offer(ask, lab)["data"]
        made = ask("POST", f"addresses/first_free/{lab.id}/", {"hostname": "j1"})

        assert (made.status_code, made.json["data"]) == (201, "10.0.1.3")
        assert ask("POST", "addresses/", {"subnetId": lab.id, "ip": told}).status_code == 201

    def test_the_last_is_what_was_offered_to_the_same_caller(self, ask, lab, secret):
        one, other = secret("node1"), secret("node2")
        told = offer(ask, lab, token=one)["data"]
        for _ in range(4):
            assert ask("POST", f"addresses/first_free/{lab.id}/", token=other).json["data"] != told

        assert ask("POST", f"addresses/first_free/{lab.id}/", token=other).status_code == 404
        assert ask("POST", f"addresses/first_free/{lab.id}/", token=one).json["data"] == told

    def test_somebody_faster_upstream_costs_only_a_later_address(self, ask, lab, address_book):
        upstream = Upstream()
        address_book.ipam = RemoteIPAM(address_book.book, {"upstream": upstream})
        upstream.meanwhile["create"] = lambda: upstream.add_foreign(lab, "10.0.1.2", name="faster")

        made = ask("POST", f"addresses/first_free/{lab.id}/", {"hostname": "j1"})

        assert (made.status_code, made.json["data"]) == (201, "10.0.1.3")
        assert address_book.holds() == []

    def test_what_was_offered_is_taken_last_although_somebody_is_faster(self, ask, lab, address_book):
        upstream = Upstream()
        address_book.ipam = RemoteIPAM(address_book.book, {"upstream": upstream})
        told = offer(ask, lab)["data"]
        for _ in range(3):
            ask("POST", f"addresses/first_free/{lab.id}/", at="127.0.0.9")
        upstream.meanwhile["create"] = lambda: upstream.add_foreign(lab, "10.0.1.6", name="faster")

        made = ask("POST", f"addresses/first_free/{lab.id}/")

        assert (made.status_code, made.json["data"]) == (201, told)

    def test_what_was_sent_is_kept(self, ask, lab, address_book):
        sent = {"hostname": "j1.example.com", "description": "jail", "note": "node1", "mac": "02-AA-00-00-00-01"}
        made = ask("POST", f"addresses/first_free/{lab.id}/", sent)

        kept = address_book.reservation(lab, IPAddress(made.json["data"]))
        assert (kept.name, kept.description, kept.note) == ("j1.example.com", "jail", "node1")
        assert (kept.mac, set(kept.uses), kept.hosts) == ("02:aa:00:00:00:01", {Use.GUEST}, ())

    def test_each_takes_another_until_it_is_full(self, ask, lab):
        answers = [ask("POST", f"addresses/first_free/{lab.id}/") for _ in range(6)]

        assert [answer.json.get("data") for answer in answers] == [f"10.0.1.{last}" for last in range(2, 7)] + [None]
        assert (answers[-1].status_code, answers[-1].json["message"]) == (404, "No free addresses found")

    def test_many_at_once_with_one_token_get_different_ones(self, ask, address_book, secret):
        subnet = address_book.add_subnet(SubnetSpec(IPNetwork("10.0.2.0/24"), "Lab"), OTHER)
        token = secret("node1")

        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _: ask("POST", f"addresses/first_free/{subnet.id}/", token=token), range(40)))

        assert {answer.status_code for answer in made} == {201}
        assert len({answer.json["data"] for answer in made}) == 40

    @pytest.mark.parametrize(
        ("sent", "message"),
        [
            ({"nonsense": 1}, "Invalid request key nonsense"),
            ({"mac": "zz"}, "Invalid MAC address"),
            ({"tag": "99"}, "Tag does not exist"),
            ({"port": "em0"}, "port is not kept here: leave it out"),
        ],
    )
    def test_what_cannot_be_kept_is_refused_and_takes_nothing(self, ask, lab, dump, sent, message):
        before = dump()
        answer = ask("POST", f"addresses/first_free/{lab.id}/", sent)

        assert (answer.status_code, answer.json["message"]) == (400, message)
        assert dump() == before

    def test_an_unfit_name_leaves_nothing_but_the_offer(self, ask, lab, address_book):
        assert ask("POST", f"addresses/first_free/{lab.id}/", {"hostname": "a\nb"}).status_code == 400
        assert list(address_book.reservations()) == []

    def test_json_without_its_type_is_json(self, ask, lab):
        body = f'{{"subnetId": {lab.id}, "ip": "10.0.1.5"}}'
        made = ask("POST", "addresses/", data=body, content_type="application/x-www-form-urlencoded")

        assert made.status_code == 201

    def test_somebody_elses_address_is_a_conflict(self, ask, lab, address_book):
        address_book.reserve(lab, IPAddress("10.0.1.5"), Use.MANUAL, OTHER, name="printer")
        answer = ask("POST", "addresses/", {"subnetId": lab.id, "ip": "10.0.1.5"})

        assert (answer.status_code, answer.json["message"]) == (409, "IP address already exists")

    @pytest.mark.parametrize("address", ["10.0.1.0", "10.0.1.1", "10.0.1.7", "10.0.9.9", "2001:db8::1", "rubbish"])
    def test_an_address_that_nobody_may_have(self, ask, lab, address):
        answer = ask("POST", "addresses/", {"subnetId": lab.id, "ip": address})

        assert (answer.status_code, answer.json["code"]) == (500, 500)
        assert answer.json["message"].endswith("is not a valid address for subnet 10.0.1.0/29")


class TestDescribing:
    @pytest.fixture
    def taken(self, ask, lab):
        return ask("POST", f"addresses/first_free/{lab.id}/", {"hostname": "j1", "note": "node1"}).json["id"]

    def test_only_what_is_sent_changes(self, ask, taken):
        assert ask("PATCH", f"addresses/{taken}/", {"note": "node2"}).json["message"] == "Address updated"

        shown = ask("GET", f"addresses/{taken}/").json["data"]
        assert (shown["hostname"], shown["note"], shown["tag"]) == ("j1", "node2", 2)

    @pytest.mark.parametrize("nothing", ["", None])
    def test_nothing_takes_away(self, ask, taken, nothing):
        ask("PATCH", f"addresses/{taken}/", {"note": nothing})

        assert ask("GET", f"addresses/{taken}/").json["data"]["note"] is None

    def test_an_absent_address(self, ask, lab):
        answer = ask("PATCH", f"addresses/{2**32 + 3}/", {"note": "x"})

        assert (answer.status_code, answer.json["message"]) == (404, "Address does not exist")


class TestGivingBack:
    def test_by_id_and_subnet_as_cbsd_does_it(self, ask, lab, address_book):
        made = ask("POST", f"addresses/first_free/{lab.id}/").json

        assert ask("DELETE", f"addresses/{made['id']}/{lab.id}/").json["message"] == "Address deleted"
        assert list(address_book.reservations()) == []

    def test_by_id_in_another_subnet_is_not_found(self, ask, lab, address_book):
        other = address_book.add_subnet(SubnetSpec(IPNetwork("10.0.2.0/24"), "Lab"), OTHER)
        made = ask("POST", f"addresses/first_free/{lab.id}/").json

        assert ask("DELETE", f"addresses/{made['id']}/{other.id}/").status_code == 404

    def test_what_foreman_has_is_not_ours_to_give_back(self, ask, lab, address_book):
        host = DHCPHost("52:54:00:00:00:01", "web1", "web1")
        address_book.reserve(lab, IPAddress("10.0.1.5"), Use.DHCP, OTHER, host=host)

        assert ask("DELETE", f"addresses/10.0.1.5/{lab.id}/").status_code == 409
        assert address_book.reservation(lab, IPAddress("10.0.1.5")) is not None

    def test_what_a_node_reported_is_not_ours_to_give_back(self, ask, lab, address_book, clock):
        wanted = (WantedAddress(IPAddress("10.0.1.5")),)
        report = GuestReport("lab", "j1", "node1", clock(), state=GuestState.RUNNING, addresses=wanted)
        address_book.report_guest(report, OTHER)

        answer = ask("DELETE", f"addresses/10.0.1.5/{lab.id}/")

        assert answer.status_code == 409
        assert "guest lab/j1 on node node1" in answer.json["message"]
        assert address_book.reservation(lab, IPAddress("10.0.1.5")) is not None


class TestLimits:
    @pytest.fixture
    def limited(self, secret, lab):
        return secret("limited", subnets=[IPNetwork("10.9.0.0/16")])

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "subnets/1/"),
            ("GET", "subnets/1/usage/"),
            ("GET", "subnets/1/addresses/"),
            ("GET", "subnets/1/first_free/"),
            ("GET", "addresses/first_free/1/"),
            ("POST", "addresses/first_free/1/"),
            ("POST", "addresses/?subnetId=1&ip=10.0.1.5"),
            ("PATCH", f"addresses/{2**32 + 5}/"),
            ("DELETE", f"addresses/{2**32 + 5}/"),
            ("DELETE", "addresses/10.0.1.5/1/"),
            ("GET", "sections/Lab/"),
        ],
    )
    def test_another_subnet_is_forbidden(self, ask, limited, dump, method, path):
        before = dump()

        assert ask(method, path, token=limited).status_code == 403
        assert dump() == before

    def test_lists_leave_it_out(self, ask, limited, lab, address_book):
        address_book.reserve(lab, IPAddress("10.0.1.5"), Use.GUEST, OTHER, name="j1", mac="02:00:00:00:00:01")

        for path in (
            "subnets/",
            "subnets/cidr/10.0.1.0/29/",
            "sections/",
            "addresses/search/10.0.1.5/",
            "addresses/search_hostname/j1/",
            "addresses/search_hostbase/j/",
            "addresses/search_mac/02:00:00:00:00:01/",
        ):
            assert ask("GET", path, token=limited).status_code == 404, path


@pytest.mark.parametrize(
    "app", ["a%0D%0ASet-Cookie%3A%20a", "a%0A", "%E2%84%AA", "a%2Fb"], ids=["header", "line", "letter", "slash"]
)
@pytest.mark.parametrize("path", ["addresses/first_free/{}/", "addresses/"])
def test_where_an_address_was_made_is_told_in_the_spelling_of_the_path(address_book, client, lab, app, path):
    made = client.post(f"/phpipam/api/{app}/{path.format(lab.id)}", json={"subnetId": lab.id, "ip": "10.0.1.3"})

    assert made.status_code == 201
    assert made.headers["Location"] == f"/phpipam/api/{app}/addresses/{made.json['id']}/"
    assert len(list(address_book.reservations(lab))) == 1
