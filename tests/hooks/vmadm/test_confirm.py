"""``vmadm confirm UUID``: what the machine really has becomes the guest's."""

from __future__ import annotations

import json

import pytest

from hooks.vmadm.confirming import described
from hooks.vmadm.machines import machine
from tests.hooks.answering import nobody_listening
from tests.hooks.host import Host, addresses
from tests.hooks.vmadm.test_filter import GAP, UUID, VM, filtered

NIC = {"interface": "net0", "nic_tag": "external", "mac": "2:8:20:1:a:ff"}


def shows(host: Host, **machine) -> None:
    text = json.dumps({"uuid": UUID, "brand": "jail", "state": "running"} | machine)
    (host.place / "machine").write_text(text)
    host.tool("vmadm", f'[ "$*" = "get {UUID}" ] && exec cat {host.place}/machine\necho "VM not found"; exit 1')


def test_what_was_filled_in_becomes_the_guests(host: Host):
    (nic,) = filtered(host, VM | {"uuid": UUID, "nics": [GAP]})["nics"]
    shows(host, alias="web", hostname="web1", nics=[nic])
    told = host.run("vmadm", "confirm", UUID)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
    guest = host.guest(UUID, host.values["node"])
    assert addresses(guest) == [nic["ip"]]
    assert (guest["emulator"], guest["hostname"], guest["note"], guest["state"]) == ("vmadm", "web1", "web", "running")
    assert host.ask("GET", "/holds", {"ip": nic["ip"]})["items"] == []


def test_unpadded_macs_are_known_padded(host: Host):
    shows(host, nics=[NIC | {"ip": "10.0.1.201"}])
    assert host.run("vmadm", "confirm", UUID).returncode == 0
    assert host.ask("GET", "/addresses/10.0.1.201")["mac"] == "02:08:20:01:0a:ff"


def test_a_machine_that_vmadm_does_not_know_is_told_in_its_words(host: Host):
    shows(host)
    told = host.run("vmadm", "confirm", "other")
    assert (told.returncode, told.stdout) == (1, "")
    assert "VM not found" in told.stderr


def test_without_vmadm_the_reason_is_told(host: Host):
    told = host.run("vmadm", "confirm", UUID)
    assert told.returncode == 1
    assert "vmadm is not in the PATH" in told.stderr


def test_an_address_of_somebody_else_is_told(host: Host):
    host.ask("PUT", "/addresses/10.0.1.202", None, {"name": "printer"})
    shows(host, nics=[NIC | {"ip": "10.0.1.202"}])
    told = host.run("vmadm", "confirm", UUID)
    assert told.returncode == 1
    assert "printer" in told.stderr


def test_what_cannot_be_told_now_waits(host: Host):
    shows(host, nics=[NIC | {"ip": "10.0.1.203"}])
    with nobody_listening() as url:
        host.set(urls=[url])
        assert host.run("vmadm", "confirm", UUID).returncode == 0
    assert len(host.waiting()) == 1


@pytest.mark.parametrize(
    ("nics", "expected"),
    [
        ([], []),
        ([{"ips": ["10.0.1.5/24", "addrconf"]}], [{"address": "10.0.1.5", "shared": False}]),
        ([{"ip": "10.0.1.9"}], [{"address": "10.0.1.9", "shared": True}]),
        ([{"ip": "10.0.1.5", "interface": "net0"}], [{"address": "10.0.1.5", "shared": False, "nic": "net0"}]),
        ([{"ips": ["dhcp"]}], None),
        ([{"ips": ["dhcp"]}, {"ip": "10.0.1.5"}], None),
        ([{"ip": "-"}], None),
    ],
)
def test_only_addresses_that_are_shown_count_and_none_is_guessed(nics, expected):
    assert described(machine({"nics": nics}, UUID, ["10.0.1.9"]))["addresses"] == expected
