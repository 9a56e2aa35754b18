"""``vmadm create`` and ``vmadm update``: a payload in, the payload with addresses out, or nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.hooks.answering import nobody_listening
from tests.hooks.host import Host

UUID = "0f4bd9a6-6a36-11ef-9d5a-002590f3a1b2"
MAC = re.compile(r"02:08:20(:[0-9a-f]{2}){3}")
VM = {
    "image_uuid": "e44ed3e0-910b-11ed-a5d4-00151714048c", "alias": "wéb", "hostname": "web1", "quota": 10,
    "max_physical_memory": 1024, "cpu_cap": 100, "x-unknown": {"kept": [1, 2.5, None, True]},
}  # fmt: skip
GAP = {"interface": "net0", "nic_tag": "external"}
WHOLE = GAP | {"ip": "10.9.9.9", "netmask": "255.255.255.0", "gateway": "10.9.9.1", "mac": "2:8:20:1:a:ff"}


def filtered(host: Host, payload: dict[str, Any], *arguments: str) -> dict[str, Any]:
    told = host.run("vmadm", *(arguments or ("create",)), said=json.dumps(payload))
    assert (told.returncode, told.stderr) == (0, "")
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def refused(host: Host, payload: Any, *arguments: str) -> str:
    said = payload if isinstance(payload, (str, bytes)) else json.dumps(payload)
    told = host.run("vmadm", *(arguments or ("create",)), said=said)
    assert (told.returncode, told.stdout) == (1, "")
    assert len(told.stderr.splitlines()) == 1
    return told.stderr


def test_what_is_missing_is_filled_and_nothing_else_is_touched(host: Host):
    found = filtered(host, VM | {"nics": [GAP | {"vlan": 7, "mtu": 1400}]})
    (nic,) = found.pop("nics")
    assert re.fullmatch(r"[0-9a-f-]{36}", found.pop("uuid"))
    assert found == VM
    assert re.fullmatch(r"10\.0\.1\.\d+", nic.pop("ip"))
    assert MAC.fullmatch(nic.pop("mac"))
    assert nic == GAP | {"vlan": 7, "mtu": 1400, "netmask": "255.255.255.0", "gateway": "10.0.1.1", "primary": True}


def test_a_card_that_has_everything_stays_as_it_is(host: Host):
    payload = VM | {"uuid": UUID, "nics": [WHOLE | {"primary": True}]}
    assert filtered(host, payload) == payload


def test_a_payload_without_cards_only_gets_a_uuid(host: Host):
    found = filtered(host, VM)
    assert found == VM | {"uuid": found["uuid"]}


@pytest.mark.parametrize("word", ["dhcp", "DHCP", "auto", None])
def test_words_in_the_place_of_an_address_are_replaced(host: Host, word):
    (nic,) = filtered(host, VM | {"nics": [GAP | {"ip": word, "mac": "2:8:20:1:a:ff"}]})["nics"]
    assert nic["ip"].startswith("10.0.1.")
    assert nic["mac"] == "02:08:20:01:0a:ff"


def test_each_card_gets_an_address_of_its_network_and_one_is_primary(host: Host):
    nics = [GAP | {"nic_tag": "admin"}, GAP | {"interface": "net1"}, GAP | {"interface": "net2", "primary": True}]
    first, second, third = filtered(host, VM | {"nics": nics})["nics"]
    assert (first["netmask"], first["gateway"]) == ("255.255.254.0", "10.0.2.1")
    assert second["ip"] != third["ip"]
    assert [nic.get("primary") for nic in (first, second, third)] == [None, None, True]


def test_the_same_payload_gets_the_same_addresses_again(host: Host):
    payload = VM | {"uuid": UUID, "nics": [GAP, GAP | {"interface": "net1"}]}
    once, again = (filtered(host, payload)["nics"] for _ in range(2))
    assert [nic["ip"] for nic in once] == [nic["ip"] for nic in again]
    assert once[0]["ip"] != once[1]["ip"]


def test_smartos_lists_are_filled_in_place(host: Host):
    nics = [GAP | {"ips": ["dhcp", "addrconf"]}, GAP | {"ips": ["10.9.9.9/24", "dhcp"], "gateways": ["10.9.9.1"]}]
    first, second = filtered(host, VM | {"nics": nics})["nics"]
    assert re.fullmatch(r"10\.0\.1\.\d+/24", first["ips"][0])
    assert (first["ips"][1], first["gateways"]) == ("addrconf", ["10.0.1.1"])
    assert (second["ips"][0], second["gateways"]) == ("10.9.9.9/24", ["10.9.9.1"])
    assert "ip" not in first
    assert "netmask" not in first


def test_dhcp_never_means_ipv6(host: Host):
    host.set(subnets=["2001:db8:1::/64", "10.0.1.0/24"])
    first, second = filtered(host, VM | {"nics": [GAP, GAP | {"ips": ["dhcp"]}]})["nics"]
    assert first["ip"].startswith("10.0.1.")
    assert second["ips"][0].startswith("10.0.1.")


def test_it_is_a_filter_in_a_pipe_and_vmadm_sees_all_or_nothing(host: Host):
    (host.place / "p.json").write_text(json.dumps(VM | {"nics": [GAP]}))
    host.tool("vmadm", f"cat > {host.place}/seen")
    line = f"leasehold-hook vmadm create < {host.place}/p.json | vmadm create"
    host.shell(line)
    seen = json.loads((host.place / "seen").read_text())
    assert seen["nics"][0]["ip"].startswith("10.0.1.")
    assert seen["alias"] == "wéb"
    with nobody_listening() as url:
        host.set(urls=[url])
        assert host.shell(line).stderr.count("\n") == 1
    assert (host.place / "seen").read_text() == ""


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("", "is no JSON"),
        (b"\xff\xfe{", "is no JSON"),
        ("[]", "is no JSON object"),
        ({"nics": "x"}, "nics is no list of objects"),
        ({"nics": [GAP | {"nic_tag": "bare"}]}, "has no gateway"),
        ({"nics": [GAP | {"mac": "nonsense"}]}, "mac is 'nonsense'"),
    ],
)
def test_what_cannot_be_filled_is_refused_with_a_reason_and_nothing_on_stdout(host: Host, payload, reason):
    assert reason in refused(host, payload)


def test_a_full_network_is_refused(host: Host):
    host.ask("PUT", "/addresses/10.0.9.1", None, {"name": "full"})
    host.set(subnets=["10.0.9.1/32"])
    assert "no address is free in 10.0.9.1/32" in refused(host, VM | {"nics": [GAP]})


def test_a_network_of_nobody_is_refused(host: Host):
    host.set(subnets=[])
    assert "nic_tag 'external'" in refused(host, VM | {"nics": [GAP]})


def test_cards_that_are_added_get_addresses_that_the_first_ones_have_not(host: Host):
    created = filtered(host, VM | {"uuid": UUID, "nics": [GAP]})
    update = {"alias": "new", "add_nics": [GAP | {"interface": "net1"}], "remove_nics": ["2:8:20:0:0:1"]}
    found = filtered(host, update, "update", UUID)
    (nic,) = found["add_nics"]
    assert nic["ip"] != created["nics"][0]["ip"]
    assert MAC.fullmatch(nic["mac"])
    assert "primary" not in nic
    assert "uuid" not in found
    assert (found["alias"], found["remove_nics"]) == ("new", ["2:8:20:0:0:1"])


def test_a_card_that_is_changed_keeps_its_mac_as_it_is_written(host: Host):
    update = {"update_nics": [{"mac": "2:8:20:1:a:ff", "ip": "dhcp"}, {"mac": "2:8:20:1:a:fe", "primary": True}]}
    first, second = filtered(host, update, "update", UUID)["update_nics"]
    assert first["mac"] == "2:8:20:1:a:ff"
    assert first["ip"].startswith("10.0.1.")
    assert second == {"mac": "2:8:20:1:a:fe", "primary": True}


@pytest.mark.parametrize(
    "update",
    [
        {"add_nics": [GAP | {"interface": "eth0.100"}]},
        {"add_nics": [WHOLE | {"netmask": "/24"}]},
        {"add_nics": [WHOLE | {"ip": "10.0.1.300"}]},
        {"add_nics": [WHOLE | {"ip": "2001:db8::1"}]},
        {"add_nics": [WHOLE | {"vlan": "7"}]},
        {"add_nics": [WHOLE | {"vlan": True}]},
        {"add_nics": [{key: value for key, value in WHOLE.items() if key != "interface"}]},
        {"update_nics": [{"ip": "dhcp"}]},
        {"update_nics": [{"mac": "2:8:20:1:a:ff", "gateway": ""}]},
    ],
)
def test_an_update_that_would_break_vmadm_is_refused(host: Host, update):
    refused(host, update, "update", UUID)


@pytest.mark.parametrize("arguments", [(), ("delete",), ("confirm",), ("create", "a", "b")])
def test_wrong_usage_prints_nothing_that_vmadm_could_take(host: Host, arguments):
    told = host.run("vmadm", *arguments)
    assert (told.returncode, told.stdout) == (2, "")
