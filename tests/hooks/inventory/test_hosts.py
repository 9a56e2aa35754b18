"""Guests as Ansible's hosts: groups, names and connections."""

from __future__ import annotations

from typing import Any

import pytest

from hooks.inventory.hosts import inventory

HERE = ("east", "sun")


def guest(name: str = "web1", addresses: tuple[str, ...] = ("10.0.1.4",), **more: Any) -> dict[str, Any]:
    listed = [{"address": each, "subnet": "10.0.1.0/24", "group": "Lab"} for each in addresses]
    return {
        "cluster": "east", "name": name, "node": "sun", "emulator": "jail", "hostname": "www.example.com",
        "state": "running", "note": None, "addresses": listed, "nics": [{"mac": "52:54:00:00:00:01"}],
    } | more  # fmt: skip


def variables(*guests: dict[str, Any], here: tuple[str, str] | None = HERE) -> dict[str, Any]:
    found: dict[str, Any] = inventory(guests, here)["_meta"]["hostvars"]
    return found


def test_groups_are_what_a_guest_has():
    found = inventory([guest()], HERE)
    assert set(found) == {
        "node_sun", "emulator_jail", "state_running", "cluster_east", "subnet_10_0_1_0_24", "group_Lab", "_meta",
    }  # fmt: skip
    assert all(
        group == {"hosts": ["web1"], "vars": {}, "children": []} for name, group in found.items() if name[0] != "_"
    )


def test_group_names_are_those_that_ansible_allows():
    odd = guest(node="sun-1.example.com", cluster="ost/üb er", addresses=())
    assert {"node_sun_1_example_com", "cluster_ost__b_er"} <= set(inventory([odd], None))


def test_no_guests_are_an_inventory_too():
    assert inventory([], HERE) == {"_meta": {"hostvars": {}}}


@pytest.mark.parametrize(
    ("emulator", "connection", "variable"),
    [
        ("jail", "community.general.jail", "ansible_jail_host"),
        ("iocage", "community.general.iocage", "ansible_iocage_host"),
    ],
)
def test_jails_of_this_node_are_entered(emulator, connection, variable):
    found = variables(guest(emulator=emulator))["web1"]
    assert found["ansible_connection"] == connection
    assert found["ansible_host"] == found[variable] == "web1"


@pytest.mark.parametrize(
    ("there", "here"),
    [({"node": "moon"}, HERE), ({"cluster": "west"}, HERE), ({"emulator": "bhyve"}, HERE), ({}, None)],
)
def test_all_others_are_reached_by_ssh(there, here):
    found = variables(guest(**there), here=here)["web1"]
    assert found["ansible_host"] == "10.0.1.4"
    assert "ansible_connection" not in found


def test_an_ipv4_address_is_preferred_and_ipv6_is_better_than_none():
    assert variables(guest(addresses=("2001:db8::4", "10.0.1.4")), here=None)["web1"]["ansible_host"] == "10.0.1.4"
    assert variables(guest(addresses=("2001:db8::4",)), here=None)["web1"]["ansible_host"] == "2001:db8::4"
    assert "ansible_host" not in variables(guest(addresses=()), here=None)["web1"]


def test_guests_of_one_name_are_told_apart_by_their_cluster():
    assert set(variables(guest(), guest(cluster="west"), guest("db1"))) == {"web1.east", "web1.west", "db1"}


def test_what_a_node_writes_is_no_template():
    found = variables(guest(note="{{ lookup('pipe', 'id') }}", hostname="{% x %}"))["web1"]
    assert found["ipam_note"] == {"__ansible_unsafe": "{{ lookup('pipe', 'id') }}"}
    assert found["ipam_hostname"] == {"__ansible_unsafe": "{% x %}"}
    assert found["ipam_name"] == "web1"


def test_nothing_that_a_service_says_is_a_template():
    odd = "{{ lookup('pipe', 'id') }}"
    found = inventory([guest(odd, addresses=(odd, "10.0.1.4"), nics=[{"mac": odd}]) | {"cluster": odd}], None)
    assert [name for name in found if "{{" in name] == []
    (host,) = found["_meta"]["hostvars"]
    assert "{" not in host
    known = found["_meta"]["hostvars"][host]
    assert (known["ansible_host"], known["ipam_addresses"]) == ("10.0.1.4", ["10.0.1.4"])
    assert known["ipam_macs"] == [{"__ansible_unsafe": odd}]


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "127.0.0.1", "::1", "all", "ungrouped"])
def test_a_guest_is_never_taken_for_the_machine_that_ansible_runs_on(name):
    assert set(variables(guest(name))) == {f"{name}.east"}


@pytest.mark.parametrize("cluster", ["aaa", "west"])
def test_no_guest_takes_the_place_of_one_that_is_called_by_its_cluster(cluster):
    taken = guest("web1.east", addresses=("10.0.1.66",), cluster=cluster)
    both = sorted([guest(), guest(cluster="west"), taken], key=lambda each: str(each["cluster"]))
    found = variables(*both, here=None)
    assert found["web1.east"]["ansible_host"] == "10.0.1.4"
    assert found[f"web1.east.{cluster}"]["ansible_host"] == "10.0.1.66"
