from datetime import timedelta

import pytest
from netaddr import IPAddress, IPNetwork

from providers.errors import Unavailable
from providers.model import DHCPHost, Options, SubnetSpec, Use
from tests.proxy.api.seeds import seed_ipam

MAC = "52:54:00:0c:00:01"
NET = "/ipam/subnet/10.0.1.0/24"
V6 = "/ipam/subnet/2001:db8:abcd:13::/64"
SPECIAL = "R&D / Büro #1 100%"


@pytest.fixture
def client(client, address_book):
    seed_ipam(address_book)
    return client


@pytest.fixture
def small(address_book, client):
    """10.20.30.0/29, with nothing in it."""
    return address_book.subnet(IPNetwork("10.20.30.0/29"))


class TestGroups:
    def test_id_name_and_description(self, client):
        assert {"id": 2, "name": "CBSD", "description": "Jails"} in client.get("/ipam/groups").json

    def test_without_groups_the_list_is_empty(self, started, book):
        with book.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM groups")
        assert started().test_client().get("/ipam/groups").json == []

    @pytest.mark.parametrize(
        "segment",
        [
            "R%26D+%2F+B%C3%BCro+%231+100%25",
            "R%26D%20%2F%20B%C3%BCro%20%231%20100%25",
            "r%26d%20%2f%20b%c3%bcro%20%231%20100%25",
            "5",
        ],
    )
    def test_a_name_with_everything_in_it(self, client, segment):
        assert client.get(f"/ipam/groups/{segment}").json["name"] == SPECIAL

    def test_a_plus_in_a_name(self, client, address_book, caller):
        address_book.add_group("a+b", "", caller)
        assert client.get("/ipam/groups/a%2Bb").json["name"] == "a+b"
        assert client.get("/ipam/groups/a+b").status_code == 404

    def test_a_percent_code_in_a_name(self, client, address_book, caller):
        address_book.add_group("a%2Fb", "", caller)
        assert client.get("/ipam/groups/a%252Fb").json["name"] == "a%2Fb"

    def test_a_name_called_subnets(self, client, address_book, caller):
        address_book.add_subnet(SubnetSpec(IPNetwork("10.80.0.0/24"), "subnets"), caller)
        assert client.get("/ipam/groups/subnets").json["name"] == "subnets"
        assert len(client.get("/ipam/groups/subnets/subnets").json) == 1

    def test_a_number_is_a_name_first(self, client):
        assert client.get("/ipam/groups/2024").json["name"] == "2024"
        assert client.get("/ipam/groups/2").json["name"] == "CBSD"

    @pytest.mark.parametrize("path", ["/ipam/groups/nope", "/ipam/groups/nope/subnets", "/ipam/groups/99"])
    def test_an_unknown_group(self, client, path):
        answer = client.get(path)
        assert (answer.status_code, answer.json) == (404, {"error": "Group not found in External IPAM"})

    def test_subnets_of_a_group_with_a_blank(self, client):
        found = client.get("/ipam/groups/Lab+two/subnets").json
        assert [(each["subnet"], each["mask"], each["description"]) for each in found] == [
            ("10.62.0.0", "24", "in a group with a space")
        ]

    def test_a_group_without_subnets(self, client):
        answer = client.get("/ipam/groups/2024/subnets")
        assert (answer.status_code, answer.json) == (404, {"error": "Subnet not found in External IPAM"})


class TestSubnet:
    @pytest.mark.parametrize("query", ["", "?group", "?group=", "?group=CBSD", "?group=cbsd", "?group=2", "?other=1"])
    def test_without_a_group_the_first(self, client, query):
        assert client.get(NET + query).json["description"] == "jails"

    def test_by_group(self, client):
        assert client.get(f"{NET}?group=Customers").json["description"] == "same network, other section"

    @pytest.mark.parametrize("blank", ["+", "%20"])
    def test_a_group_with_everything_in_its_name(self, client, address_book, caller, blank):
        address_book.add_subnet(SubnetSpec(IPNetwork("10.81.0.0/24"), SPECIAL), caller)
        query = "group=R%26D / B%C3%BCro %231 100%25".replace(" ", blank)
        assert client.get(f"/ipam/subnet/10.81.0.0/24?{query}").status_code == 200

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/ipam/subnet/10.77.0.0/24", 404),
            (f"{NET}?group=nope", 404),
            (f"{NET}?group=Lab+two", 404),
            ("/ipam/subnet/10.0.1.5/24", 400),
            ("/ipam/subnet/10.0.1.0/33", 400),
            ("/ipam/subnet/10.0.1.0/abc", 400),
            ("/ipam/subnet/foo/24", 400),
            (f"{NET}?group[]=CBSD", 400),
        ],
    )
    def test_errors_are_objects(self, client, path, status):
        answer = client.get(path)
        assert answer.status_code == status
        assert list(answer.json) == ["error"]

    def test_encoded_as_one_segment(self, client):
        assert client.get("/ipam/subnet/10.0.1.0%2F24").json == client.get(NET).json


class TestNextIP:
    def test_an_address_that_is_held(self, client, address_book):
        assert client.get(f"{NET}/next_ip?mac={MAC}&group=CBSD").json == {"data": "10.0.1.2"}
        hold = address_book.holds()[0]
        assert (str(hold.address), hold.mac) == ("10.0.1.2", MAC)

    @pytest.mark.parametrize("query", [f"mac={MAC}", f"mac={MAC.upper()}&group=", f"mac={MAC}&group=CBSD"])
    def test_the_same_mac_gets_the_same_address(self, client, query):
        assert client.get(f"{NET}/next_ip?mac={MAC}").json == client.get(f"{NET}/next_ip?{query}").json

    @pytest.mark.parametrize("query", ["mac&group", "mac=&group=", ""])
    def test_without_a_mac_everybody_gets_another(self, client, query):
        first = client.get(f"{NET}/next_ip?{query}").json
        assert client.get(f"{NET}/next_ip?{query}").json != first

    def test_ipv6_never_begins_with_the_network(self, client):
        assert client.get(f"{V6}/next_ip?group=IPv6").json == {"data": "2001:db8:abcd:13::2"}

    @pytest.mark.parametrize("mac", ["zz", "52:54:0:c:0:1", "52-54-00-0c-00-01", ":".join(["52"] * 20)])
    def test_a_wrong_mac(self, client, mac):
        answer = client.get(f"{NET}/next_ip?mac={mac}")
        assert (answer.status_code, answer.json) == (400, {"error": "Mac address is invalid"})

    def test_a_full_subnet(self, client):
        answer = client.get("/ipam/subnet/10.99.0.0/30/next_ip")
        assert (answer.status_code, answer.json) == (200, {"error": "No free addresses found"})

    def test_head_holds_nothing(self, client, address_book):
        answer = client.head(f"{NET}/next_ip?mac={MAC}")
        assert (answer.status_code, answer.content_type, answer.text) == (200, "application/json", "")
        assert address_book.holds() == []

    def test_never_an_address_that_exists(self, client, address_book, small, caller, clock):
        """Foreman asks ``ip_exists`` next and gives up for good when it is true."""
        host = DHCPHost(MAC, "h1", "h1")
        address_book.reserve(small, IPAddress("10.20.30.1"), Use.DHCP, caller, host=host)
        clock.now += timedelta(minutes=61)
        offered = client.get(f"/ipam/subnet/10.20.30.0/29/next_ip?mac={MAC}").json["data"]
        assert client.get(f"/ipam/subnet/10.20.30.0/29/{offered}").json is False


class TestExists:
    def test_bare_is_the_default(self, client):
        assert client.get(f"{NET}/10.0.1.10?group=CBSD").text == "true"
        assert client.get(f"{NET}/10.0.1.200?group=CBSD").text == "false"

    def test_the_newer_form(self, started, client):
        client = started(externalipam={"ip_exists_form": "result"}).test_client()
        assert client.get(f"{NET}/10.0.1.10").json == {"result": True}
        assert client.get(f"{NET}/10.0.1.200").json == {"result": False}

    def test_another_spelling_is_the_same_address(self, client):
        assert client.get(f"{V6}/2001:0db8:abcd:0013:0000:0000:0000:0001").json is True

    def test_a_hold_is_not_taken(self, client):
        held = client.get(f"{NET}/next_ip").json["data"]
        assert client.get(f"{NET}/{held}").json is False

    def test_an_address_outside_names_both(self, client):
        answer = client.get(f"{NET}/10.9.9.9")
        assert (answer.status_code, answer.json) == (400, {"error": "IP 10.9.9.9 is not in 10.0.1.0/24"})


class TestAdd:
    def test_an_empty_answer(self, client):
        answer = client.post(f"{NET}/10.0.1.50?group=CBSD", content_type="application/x-www-form-urlencoded")
        assert (answer.status_code, answer.content_type, answer.text) == (201, "application/json", "")
        assert client.get(f"{NET}/10.0.1.50").json is True

    def test_the_event_names_face_peer_and_request(self, client, address_book):
        client.post(f"{NET}/10.0.1.50", headers={"X-Request-Id": "r-1"})
        event = address_book.events(limit=1)[0]
        assert (event.action, event.actor, event.request_id) == ("address.reserve", "ipam:127.0.0.1", "r-1")

    def test_an_address_already_there(self, client):
        answer = client.post(f"{NET}/10.0.1.10")
        assert answer.status_code == 409
        assert "10.0.1.10" in answer.json["error"]

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            (f"{NET}/10.0.1.0", 400),
            (f"{NET}/10.0.1.255", 400),
            (f"{NET}/10.9.9.9", 400),
            (f"{NET}/foo", 400),
            (f"{V6}/2001:db8:abcd:13::", 400),
            ("/ipam/subnet/10.77.0.0/24/10.77.0.5", 404),
            (f"{NET}/10.0.1.50?group=nope", 404),
        ],
    )
    def test_errors_are_objects(self, client, path, status):
        answer = client.post(path)
        assert answer.status_code == status
        assert list(answer.json) == ["error"]

    def test_the_gateway(self, client, address_book, caller):
        spec = SubnetSpec(IPNetwork("10.82.0.0/24"), "CBSD", options=Options(gateway=IPAddress("10.82.0.1")))
        address_book.add_subnet(spec, caller)
        assert client.post("/ipam/subnet/10.82.0.0/24/10.82.0.1").status_code == 400

    def test_the_group_decides(self, client):
        assert client.post(f"{NET}/10.0.1.10?group=Customers").status_code == 201


class TestDelete:
    def test_an_address_is_given_back(self, client):
        answer = client.delete(f"{NET}/10.0.1.10")
        assert (answer.status_code, answer.content_type, answer.text) == (204, None, "")
        assert client.get(f"{NET}/10.0.1.10").json is False

    def test_what_is_not_there_is_no_error(self, client, dump):
        before = dump()
        assert client.delete(f"{NET}/10.0.1.77").status_code == 204
        assert dump() == before

    def test_dhcp_hosts_stay(self, client, address_book, small, caller):
        host = DHCPHost(MAC, "h1", "h1")
        address_book.reserve(small, IPAddress("10.20.30.2"), Use.DHCP, caller, host=host)
        assert client.delete("/ipam/subnet/10.20.30.0/29/10.20.30.2").status_code == 204
        assert address_book.host_of(small, MAC) is not None

    @pytest.mark.parametrize(
        ("path", "status"),
        [(f"{NET}/10.9.9.9", 400), (f"{NET}/foo", 400), ("/ipam/subnet/10.77.0.0/24/10.77.0.5", 404)],
    )
    def test_errors_are_objects(self, client, path, status):
        answer = client.delete(path)
        assert answer.status_code == status
        assert list(answer.json) == ["error"]


def test_a_server_that_is_away(client, server):
    server.failure = Unavailable("The DHCP server does not answer")
    answer = client.get(f"{NET}/next_ip")
    assert (answer.status_code, answer.json) == (503, {"error": "The DHCP server does not answer"})
