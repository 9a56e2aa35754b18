"""What the ``exec_*`` properties run: recorded where it can be, and never in the way of a jail."""

from __future__ import annotations

import pytest

from tests.hooks.answering import nobody_listening
from tests.hooks.host import Host, addresses

EVENTS = ("prestart", "poststart", "prestop", "poststop")
PAIR = "02ff60aaaa01 02ff60bbbb01"


def test_a_jail_is_recorded_as_it_starts_and_stops(host: Host):
    host.jail("web1", ip4_addr="em0|10.0.1.101/24,10.0.1.102", ip6_addr="em0|2001:db8:1::65/64", host_hostname="www")
    seen = []
    for event in EVENTS:
        # As iocage does it: several words are handed to a shell.
        told = host.shell(f"leasehold-hook iocage {event} web1")
        assert (told.returncode, told.stdout, told.stderr) == (0, "", ""), event
        seen.append(host.guest("web1", host.values["node"])["state"])
    assert seen == ["starting", "running", "running", "stopped"]
    guest = host.guest("web1", host.values["node"])
    assert (guest["emulator"], guest["hostname"], guest["node"]) == ("iocage", "www", host.values["node"])
    assert sorted(addresses(guest)) == ["10.0.1.101", "10.0.1.102", "2001:db8:1::65"]
    assert host.ask("GET", "/addresses/10.0.1.101")["uses"].keys() == {"guest"}


def test_what_was_allocated_becomes_the_jails(host: Host):
    address = host.run("iocage", "alloc", "web2").stdout.strip()
    host.jail("web2", ip4_addr=address)
    assert host.run("iocage", "prestart", "web2").returncode == 0
    (mine,) = addresses(host.guest("web2", host.values["node"]))
    assert mine == address.partition("|")[2].partition("/")[0]
    assert host.ask("GET", "/holds", {"ip": mine})["items"] == []


def test_of_two_macs_the_second_one_is_the_jails(host: Host):
    host.jail("v1", vnet=1, ip4_addr="vnet1|10.0.1.111/24", vnet0_mac=PAIR, vnet1_mac="02ff60aaaa02,02:FF:60:bb:bb:02")
    host.run("iocage", "prestart", "v1")
    guest = host.guest("v1", host.values["node"])
    assert [(nic["name"], nic["mac"]) for nic in guest["nics"]] == [
        ("vnet0", "02:ff:60:bb:bb:01"),
        ("vnet1", "02:ff:60:bb:bb:02"),
    ]
    assert host.ask("GET", "/addresses/10.0.1.111")["mac"] == "02:ff:60:bb:bb:02"


def test_a_jail_that_asks_dhcp_gets_an_address_for_its_mac_that_stays(host: Host):
    host.jail("d1", vnet=1, bpf=1, dhcp=1, vnet0_mac="02ff60aaaa03 02ff60bbbb03")
    host.run("iocage", "prestart", "d1")
    (mine,) = addresses(host.guest("d1", host.values["node"]))
    assert host.ask("GET", f"/addresses/{mine}")["mac"] == "02:ff:60:bb:bb:03"
    for event in ("poststart", "poststop", "prestart"):
        host.run("iocage", event, "d1")
    assert addresses(host.guest("d1", host.values["node"])) == [mine]


def test_an_outage_takes_no_address_from_a_jail_that_asks_dhcp(host: Host):
    host.jail(
        "d2", vnet=1, ip4_addr="vnet0|DHCP", ip6_addr="vnet0|2001:db8:1::70/64", vnet0_mac="02ff60aaaa05 02ff60bbbb05"
    )
    host.run("iocage", "prestart", "d2")
    before = addresses(host.guest("d2", host.values["node"]))
    assert len(before) == 2
    with nobody_listening() as url:
        host.set(urls=[url])
        host.run("iocage", "poststart", "d2")
    host.set(urls=[host.url])
    assert host.run("flush").stdout == "1 delivered, 0 refused, 0 waiting\n"
    guest = host.guest("d2", host.values["node"])
    assert (guest["state"], addresses(guest)) == ("running", before)


def test_a_template_is_no_guest(host: Host):
    host.jail("t1", template=1, ip4_addr="10.0.1.121/24")
    host.jail("t2", type="template", ip4_addr="10.0.1.122/24")
    for name in ("t1", "t2"):
        assert host.run("iocage", "poststart", name).returncode == 0
    assert host.guests(cluster=host.values["node"]) == {}


def test_a_clone_with_the_address_of_its_original_is_told_loudly_and_starts(host: Host):
    host.jail("orig", ip4_addr="10.0.1.131/24")
    host.jail("clone", ip4_addr="10.0.1.131/24")
    host.run("iocage", "prestart", "orig")
    told = host.run("iocage", "prestart", "clone")
    assert (told.returncode, told.stdout) == (0, "")
    assert "10.0.1.131" in told.stderr
    assert "orig" in told.stderr
    assert addresses(host.guest("orig", host.values["node"])) == ["10.0.1.131"]
    strict = host.run("iocage", "prestart", "clone", "--strict")
    assert strict.returncode == 1


def test_clones_with_equal_macs_both_keep_their_addresses(host: Host):
    for name, address in (("m1", "10.0.1.141"), ("m2", "10.0.1.142")):
        host.jail(name, vnet=1, ip4_addr=f"vnet0|{address}/24", vnet0_mac="02ff60aaaa04 02ff60bbbb04")
        assert host.run("iocage", "prestart", name).returncode == 0
        assert addresses(host.guest(name, host.values["node"])) == [address]


@pytest.mark.parametrize("event", ["poststart", "prestop"])
def test_no_event_fails_whatever_is_wrong(host: Host, event):
    nothing = host.run("iocage", event, "absent")
    without_name = host.run("iocage", event)
    two_names = host.run("iocage", event, "a", "b")
    (host.jail("broken") / "config.json").write_text("{")
    broken = host.run("iocage", event, "broken")
    host.settings.write_text("timeout = ")
    unset = host.run("iocage", event, "absent")
    for told in (nothing, without_name, two_names, broken, unset):
        assert (told.returncode, told.stdout) == (0, "")
        assert len(told.stderr.splitlines()) == 1


def test_strict_refuses_a_start_and_nothing_else(host: Host):
    assert host.run("iocage", "prestart", "absent", "--strict").returncode == 1
    for event in ("poststart", "prestop", "poststop"):
        assert host.run("iocage", event, "absent", "--strict").returncode == 0


def test_an_outage_keeps_no_jail_from_starting_and_is_made_good(host: Host):
    host.jail("o1", ip4_addr="10.0.1.151/24")
    with nobody_listening() as url:
        host.set(urls=[url])
        for event, strict in (("prestart", ("--strict",)), ("poststart", ()), ("poststop", ())):
            told = host.run("iocage", event, "o1", *strict)
            assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
    assert host.waiting()
    host.set(urls=[host.url])
    host.run("iocage", "poststart", "o1")
    assert host.waiting() == []
    guest = host.guest("o1", host.values["node"])
    assert (guest["state"], addresses(guest)) == ("running", ["10.0.1.151"])


def test_an_unknown_word_is_wrong_usage(host: Host):
    told = host.run("iocage", "restart", "web1")
    assert (told.returncode, told.stdout) == (2, "")
    assert "usage" in told.stderr
