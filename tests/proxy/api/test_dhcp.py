import json
from datetime import UTC, datetime

import pytest
from netaddr import IPAddress, IPNetwork

from providers.addresses import Range
from providers.errors import InvalidValue, Unavailable
from providers.model import DHCPHost, Lease, Options, SubnetSpec, Use

MAC = "52:54:00:00:00:01"
OTHER = "52:54:00:00:00:02"
NET = "/dhcp/192.168.10.0"


@pytest.fixture
def subnet(address_book, caller):
    options = Options(gateway=IPAddress("192.168.10.1"))
    return address_book.add_subnet(SubnetSpec(IPNetwork("192.168.10.0/24"), "Lab", options=options), caller)


@pytest.fixture
def client(client, subnet):
    return client


@pytest.fixture
def lease(server):
    """52:54:00:00:00:02 leased 192.168.10.150."""
    starts = datetime(2024, 1, 3, 10, tzinfo=UTC)
    server.written = [Lease(IPAddress("192.168.10.150"), OTHER, starts, None, "active")]


def form(**fields):
    return {"name": "h1", "mac": MAC, "ip": "192.168.10.9"} | fields


def post(client, **fields):
    return client.post(NET, data=form(**fields))


def names(answer):
    return [record["name"] for record in answer.json]


class TestSubnets:
    def test_by_network(self, client, address_book, caller):
        address_book.add_subnet(SubnetSpec(IPNetwork("10.1.0.0/16"), "Lab"), caller)
        assert [found["network"] for found in client.get("/dhcp").json] == ["10.1.0.0", "192.168.10.0"]

    def test_ipv6_is_not_among_them(self, client, address_book, caller):
        address_book.add_subnet(SubnetSpec(IPNetwork("2001:db8::/64"), "Lab"), caller)
        assert len(client.get("/dhcp").json) == 1

    def test_the_dynamic_range_is_the_range_of_options(self, client, address_book, caller):
        dynamic = Range.parse("10.1.0.100-10.1.0.200")
        address_book.add_subnet(SubnetSpec(IPNetwork("10.1.0.0/16"), "Lab", dynamic=dynamic), caller)
        assert client.get("/dhcp").json[0]["options"]["range"] == ["10.1.0.100", "10.1.0.200"]

    def test_only_those_of_the_settings(self, started, subnet, address_book, caller):
        address_book.add_subnet(SubnetSpec(IPNetwork("10.1.0.0/16"), "Lab"), caller)
        client = started(dhcp={"subnets": ["10.1.0.0/255.255.0.0"]}).test_client()
        assert [found["network"] for found in client.get("/dhcp").json] == ["10.1.0.0"]
        assert client.get(NET).status_code == 404
        assert post(client).status_code == 400


class TestRecords:
    def test_an_empty_subnet(self, client):
        assert client.get(NET).text == '{"reservations":[],"leases":[]}'

    def test_reservations_and_leases(self, client, lease):
        post(client)
        found = client.get(NET).json
        assert [record["ip"] for record in found["reservations"]] == ["192.168.10.9"]
        assert [record["ip"] for record in found["leases"]] == ["192.168.10.150"]

    def test_other_uses_are_not_shown(self, client, address_book, subnet, caller):
        address_book.reserve(subnet, IPAddress("192.168.10.8"), Use.IPAM, caller)
        assert client.get(NET).json["reservations"] == []
        assert client.get(f"{NET}/ip/192.168.10.8").status_code == 404

    def test_a_short_list_says_how_long_it_is(self, client):
        assert client.get(NET).content_length == len('{"reservations":[],"leases":[]}')

    def test_a_long_list_is_streamed(self, client, address_book, subnet, caller):
        fill(address_book, subnet, caller, 250)
        answer = client.get(NET, buffered=False)
        assert answer.content_length is None
        assert len(json.loads(answer.data)["reservations"]) == 250

    def test_what_fails_at_the_start_has_its_own_status(self, client, server):
        server.failure = Unavailable("The DHCP server does not answer")
        answer = client.get(NET)
        assert (answer.status_code, answer.text) == (503, "The DHCP server does not answer")

    def test_what_fails_later_cuts_the_answer_short(self, client, address_book, subnet, caller, server, caplog):
        def leases(_subnet):
            raise Unavailable("The DHCP server went away")
            yield

        fill(address_book, subnet, caller, 250)
        server.leases = leases
        answer = client.get(NET, buffered=False)
        assert answer.status_code == 200
        with pytest.raises(Unavailable):
            answer.data  # noqa: B018
        assert "The DHCP server went away" in caplog.text


class TestUnusedIP:
    def test_an_address_that_is_held(self, client, address_book):
        answer = client.get(f"{NET}/unused_ip?mac={MAC}")
        assert answer.json == {"ip": "192.168.10.2"}
        hold = address_book.holds()[0]
        assert (str(hold.address), hold.mac) == ("192.168.10.2", MAC)

    def test_the_same_asker_gets_the_same_answer(self, client):
        asked = [client.get(f"{NET}/unused_ip?mac={mac}").json["ip"] for mac in (MAC, MAC.upper(), "52:54:0:0:0:1")]
        assert len(set(asked)) == 1

    def test_without_a_mac_everybody_gets_another(self, client):
        assert client.get(f"{NET}/unused_ip").json != client.get(f"{NET}/unused_ip?mac").json

    def test_who_has_a_host_gets_its_address(self, client):
        post(client)
        assert client.get(f"{NET}/unused_ip?mac={MAC}").json == {"ip": "192.168.10.9"}

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("from=192.168.10.50&to=192.168.10.60", "192.168.10.50"),
            ("from=192.168.10.240", "192.168.10.240"),
            ("to=192.168.10.40", "192.168.10.2"),
            ("from=192.168.10.0&to=192.168.10.255", "192.168.10.2"),
            ("from=10.0.0.1", "192.168.10.2"),
            ("from&to", "192.168.10.2"),
            ("from=192.168.10.60&from=192.168.10.70", "192.168.10.70"),
        ],
    )
    def test_the_range_asked_for(self, client, query, expected):
        assert client.get(f"{NET}/unused_ip?{query}").json == {"ip": expected}

    @pytest.mark.parametrize(
        ("query", "named"),
        [
            ("from=192.168.10.60&to=192.168.10.50", "192.168.10.60-192.168.10.50"),
            ("from=192.168.11.50&to=192.168.11.60", "192.168.11.50-192.168.11.60"),
            ("from=192.168.11.60", "192.168.10.0/24"),
            ("to=0.0.0.0", "192.168.10.0/24"),
            ("from=192.168.10.255&to=192.168.10.255", "192.168.10.0/24"),
            ("from=foo", "Invalid IP Address foo"),
            ("from=&to=", "Invalid IP Address "),
            ("mac=", "Invalid MAC "),
            ("mac=zz", "Invalid MAC zz"),
        ],
    )
    def test_what_is_wrong_is_named(self, client, query, named):
        answer = client.get(f"{NET}/unused_ip?{query}")
        assert answer.status_code == 400
        assert named in answer.text

    def test_nothing_left_is_an_answer_that_counts(self, client):
        post(client)
        client.get(f"{NET}/unused_ip?from=192.168.10.10&to=192.168.10.10")
        answer = client.get(f"{NET}/unused_ip?from=192.168.10.9&to=192.168.10.10")
        assert answer.status_code == 200
        assert answer.json["ip"] is None
        assert "1 reserved, 1 held" in answer.json["message"]

    def test_head_holds_nothing(self, client, address_book):
        answer = client.head(f"{NET}/unused_ip?mac={MAC}")
        assert (answer.status_code, answer.content_type, answer.text) == (200, "application/json", "")
        assert address_book.holds() == []

    @pytest.mark.parametrize("path", [f"{NET}/unused_ip?mac=zz", "/dhcp/foo/unused_ip", "/dhcp/10.9.9.9/unused_ip"])
    def test_head_refuses_as_get_does(self, client, path):
        assert client.head(path).status_code == client.get(path).status_code

    def test_an_address_inside_finds_the_subnet(self, client):
        post(client, ip="192.168.10.2")
        assert client.get("/dhcp/192.168.10.77/unused_ip").json == {"ip": "192.168.10.3"}

    @pytest.mark.parametrize(("network", "lowest", "highest"), [("31", "0", "1"), ("32", "0", "0"), ("30", "1", "2")])
    def test_small_subnets(self, client, address_book, caller, network, lowest, highest):
        address_book.add_subnet(SubnetSpec(IPNetwork(f"10.5.0.0/{network}"), "Lab"), caller)
        first = client.get("/dhcp/10.5.0.0/unused_ip?from=10.5.0.0").json["ip"]
        last = client.get(f"/dhcp/10.5.0.0/unused_ip?from=10.5.0.{highest}&mac={MAC}").json["ip"]
        assert first == f"10.5.0.{lowest}"
        assert last == (f"10.5.0.{highest}" if lowest != highest else None)


class TestByAddress:
    def test_all_hosts_of_a_bond(self, client):
        post(client)
        assert post(client, name="h1-02", mac=OTHER, **{"related_macs[]": MAC}).status_code == 200
        assert names(client.get(f"{NET}/ip/192.168.10.9")) == ["h1", "h1-02"]

    def test_the_lease_when_there_is_no_reservation(self, client, lease):
        assert names(client.get(f"{NET}/ip/192.168.10.150")) == ["lease-525400000002"]

    def test_the_reservation_before_the_lease(self, client, lease):
        post(client, ip="192.168.10.150")
        assert names(client.get(f"{NET}/ip/192.168.10.150")) == ["h1"]

    def test_an_address_inside_finds_the_subnet(self, client):
        post(client)
        record = client.get("/dhcp/192.168.10.77/ip/192.168.10.9").json[0]
        assert record["subnet"] == "192.168.10.0/255.255.255.0"


class TestByMAC:
    def test_the_reservation_before_the_lease(self, client, lease):
        assert client.get(f"{NET}/mac/{OTHER}").json["type"] == "lease"
        post(client, mac=OTHER)
        assert client.get(f"{NET}/mac/{OTHER}").json["type"] == "reservation"

    def test_upper_case_is_the_same(self, client):
        post(client, mac="52:54:00:00:00:AB")
        assert client.get(f"{NET}/mac/52:54:00:00:00:aB").json["mac"] == "52:54:00:00:00:ab"

    def test_a_mac_of_20_octets(self, client):
        mac = "80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:0b:12:4b"
        post(client, mac=mac)
        assert client.get(f"{NET}/mac/{mac}").json["mac"] == mac


class TestReserve:
    def test_an_empty_answer(self, client):
        answer = post(client)
        assert (answer.status_code, answer.content_type, answer.text) == (200, "application/json", "")

    def test_what_was_posted_is_shown(self, client):
        post(client, hostname="h1.example.com", filename="a/b.0", nextServer="boot.example.com")
        assert client.get(f"{NET}/mac/{MAC}").json == {
            "name": "h1",
            "ip": "192.168.10.9",
            "mac": MAC,
            "subnet": "192.168.10.0/255.255.255.0",
            "type": "reservation",
            "deleteable": True,
            "hostname": "h1.example.com",
            "hardware_type": "ethernet",
            "filename": "a/b.0",
            "nextServer": "boot.example.com",
        }

    def test_vendor_options_are_shown_as_posted(self, client):
        post(client, **{"<Sun-Fire-V210>install_server_ip": "192.168.10.5"})
        record = client.get(f"{NET}/mac/{MAC}").json
        assert (record["install_server_ip"], record["vendor"]) == ("192.168.10.5", "sun")

    def test_ztp_reaches_the_dhcp_server_alone(self, client, server):
        post(client, ztp_vendor="huawei", **{"ztp_firmware[core]": "c.cc"})
        assert server.published[0].options == {"ztp_vendor": "huawei", "ztp_firmware": {"core": "c.cc"}}
        assert "ztp_vendor" not in client.get(f"{NET}/mac/{MAC}").json

    def test_the_event_names_face_peer_and_request(self, client, address_book):
        client.post(NET, data=form(), headers={"X-Request-Id": "r-1"})
        event = address_book.events(limit=1)[0]
        assert (event.action, event.actor, event.request_id) == ("address.reserve", "dhcp:127.0.0.1", "r-1")

    def test_the_network_of_the_form_does_not_count(self, client):
        assert post(client, network="10.1.0.0").status_code == 200

    def test_an_address_inside_finds_the_subnet(self, client):
        assert client.post("/dhcp/192.168.10.77", data=form()).status_code == 200

    def test_an_exact_duplicate_changes_nothing(self, client, dump):
        post(client)
        before = dump()
        assert post(client, type="reservation", hardware_type="ethernet").status_code == 200
        assert dump() == before

    def test_a_conflict_names_the_other_party(self, client):
        post(client)
        answer = post(client, name="h2", mac=OTHER)
        assert answer.status_code == 409
        assert MAC in answer.text

    def test_an_address_outside_names_both(self, client):
        answer = post(client, ip="10.9.9.9")
        assert answer.status_code == 400
        assert "10.9.9.9" in answer.text
        assert "192.168.10.0/24" in answer.text

    @pytest.mark.parametrize("ip", ["192.168.10.0", "192.168.10.255", "192.168.10.1"])
    def test_network_broadcast_and_gateway(self, client, ip):
        assert post(client, ip=ip).status_code == 400

    @pytest.mark.parametrize(
        ("path", "fields", "text"),
        [
            ("/dhcp/foo", {"mac": "zz", "name": "", "ip": ""}, "Invalid IP Address foo"),
            ("/dhcp/10.9.9.0", {"mac": "zz", "name": "", "ip": ""}, "Invalid MAC zz"),
            ("/dhcp/10.9.9.0", {"name": "", "ip": ""}, "Must provide hostname"),
            ("/dhcp/10.9.9.0", {"ip": ""}, "No Subnet detected for: 10.9.9.0"),
            (NET, {"ip": ""}, "Invalid IP Address "),
        ],
    )
    def test_the_order_of_the_checks(self, client, path, fields, text):
        answer = client.post(path, data=form(**fields))
        assert (answer.status_code, answer.text) == (400, text)

    def test_a_dhcp_server_that_is_away(self, client, server, address_book, subnet):
        server.failure = Unavailable("The DHCP server does not answer")
        assert post(client).status_code == 503
        assert address_book.reservation(subnet, IPAddress("192.168.10.9")) is None

    def test_what_the_dhcp_server_cannot_serve(self, client, server):
        server.failure = InvalidValue("Names of that kind cannot be served")
        assert post(client).status_code == 400


class TestDelete:
    @pytest.fixture(autouse=True)
    def reserved(self, client):
        post(client)

    @pytest.mark.parametrize("path", [f"{NET}/mac/{MAC}", f"{NET}/ip/192.168.10.9", f"{NET}/mac/52:54:0:0:0:1"])
    def test_the_host_is_gone(self, client, path):
        answer = client.delete(path)
        assert (answer.status_code, answer.content_type, answer.text) == (200, "application/json", "")
        assert client.get(f"{NET}/mac/{MAC}").status_code == 404

    @pytest.mark.parametrize("path", [f"{NET}/mac/{OTHER}", f"{NET}/ip/192.168.10.8", f"{NET}/ip/10.9.9.9"])
    def test_what_is_not_there_is_no_error(self, client, dump, path):
        before = dump()
        assert client.delete(path).status_code == 200
        assert dump() == before

    def test_neither_is_an_unknown_subnet(self, client):
        assert client.delete(f"/dhcp/10.9.9.0/mac/{MAC}").status_code == 200
        assert client.delete("/dhcp/10.9.9.0/ip/10.9.9.9").status_code == 200

    def test_by_address_all_of_a_bond(self, client):
        post(client, name="h1-02", mac=OTHER, **{"related_macs[]": MAC})
        client.delete(f"{NET}/ip/192.168.10.9")
        assert client.get(NET).json["reservations"] == []

    def test_by_mac_one_of_a_bond(self, client):
        post(client, name="h1-02", mac=OTHER, **{"related_macs[]": MAC})
        client.delete(f"{NET}/mac/{MAC}")
        assert names(client.get(f"{NET}/ip/192.168.10.9")) == ["h1-02"]

    def test_other_uses_stay(self, client, address_book, subnet, caller):
        address_book.reserve(subnet, IPAddress("192.168.10.9"), Use.IPAM, caller)
        client.delete(f"{NET}/ip/192.168.10.9")
        assert set(address_book.reservation(subnet, IPAddress("192.168.10.9")).uses) == {Use.IPAM}

    @pytest.mark.parametrize("path", [f"{NET}/mac/{OTHER}", f"{NET}/ip/192.168.10.150"])
    def test_a_lease_stays_and_is_no_error(self, client, lease, path):
        answer = client.delete(path)
        assert (answer.status_code, answer.text) == (200, "")
        assert [each["ip"] for each in client.get(NET).json["leases"]] == ["192.168.10.150"]

    def test_a_dhcp_server_that_is_away(self, client, server, address_book, subnet):
        server.failure = Unavailable("The DHCP server does not answer")
        assert client.delete(f"{NET}/mac/{MAC}").status_code == 503
        server.failure = None
        assert address_book.host_of(subnet, MAC) is not None


class TestMethodOverride:
    @pytest.fixture(autouse=True)
    def reserved(self, client):
        post(client)

    @pytest.mark.parametrize("path", [f"{NET}/mac/{MAC}", f"{NET}/ip/192.168.10.9"])
    @pytest.mark.parametrize(
        "request_",
        [
            {"data": {"_method": "DELETE"}},
            {"data": {"_method": "delete"}},
            {"headers": {"X-HTTP-Method-Override": "Delete"}},
            {"data": {"_method": "DELETE"}, "headers": {"X-HTTP-Method-Override": "GET"}},
        ],
    )
    def test_a_post_that_means_delete(self, client, path, request_):
        assert client.post(path, **request_).status_code == 200
        assert client.get(f"{NET}/mac/{MAC}").status_code == 404

    @pytest.mark.parametrize("path", [f"{NET}/mac/{MAC}", f"{NET}/ip/192.168.10.9"])
    def test_a_post_that_means_get(self, client, path):
        assert client.post(path, data={"_method": "get"}).json == client.get(path).json

    @pytest.mark.parametrize("path", [f"{NET}/mac/{MAC}", f"{NET}/ip/192.168.10.9"])
    @pytest.mark.parametrize("method", ["", "PUT", "POST"])
    def test_any_other_is_no_such_url(self, client, path, method):
        assert client.post(path, data={"_method": method}).status_code == 404

    def test_a_reservation_is_never_posted_by_mistake(self, client):
        assert post(client, name="h2", mac=OTHER, ip="192.168.10.10", _method="DELETE").status_code == 404
        assert client.get(f"{NET}/mac/{OTHER}").status_code == 404


def fill(address_book, subnet, caller, count):
    for number in range(2, count + 2):
        host = DHCPHost(f"52:54:00:00:01:{number:02x}", f"n{number}." + "x" * 200, "x" * 255)
        address_book.reserve(subnet, IPAddress("192.168.10.0") + number, Use.DHCP, caller, host=host)
