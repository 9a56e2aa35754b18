"""``iocage alloc NAME``: one line for ``ip4_addr``, or nothing and a reason."""

from __future__ import annotations

import re

import pytest

from tests.hooks.answering import nobody_listening
from tests.hooks.host import Host


def test_it_prints_what_ip4_addr_takes_and_nothing_else(host: Host):
    told = host.run("iocage", "alloc", "web1")
    assert (told.returncode, told.stderr) == (0, "")
    assert re.fullmatch(r"DEFAULT\|10\.0\.1\.\d+/24\n", told.stdout)


def test_the_same_name_is_told_the_same_address_and_another_name_another_one(host: Host):
    first, again, other = (host.run("iocage", "alloc", name).stdout for name in ("a", "a", "b"))
    assert first == again != other


def test_it_is_held_for_a_day(host: Host):
    address = host.run("iocage", "alloc", "web1").stdout.partition("|")[2].partition("/")[0]
    (held,) = host.ask("GET", "/holds", {"ip": address})["items"]
    assert held["key"] == f"key:{host.values['node']}/web1"
    assert held["expires_at"][:10] > held["taken_at"][:10]


def test_interface_subnet_and_family_can_be_said(host: Host):
    host.set(subnets=["10.0.1.0/24", "2001:db8:1::/64"])
    told = host.run("iocage", "alloc", "v", "--interface", "vnet0", "--subnet", "10.0.2.0/24").stdout
    assert re.fullmatch(r"vnet0\|10\.0\.2\.\d+/24\n", told)
    six = host.run("iocage", "alloc", "v", "-6").stdout
    assert re.fullmatch(r"DEFAULT\|2001:db8:1::[0-9a-f]+/64\n", six)


def test_the_next_subnet_is_taken_when_one_is_full_and_never_one_of_the_other_family(host: Host):
    host.ask("PUT", "/addresses/10.0.3.1", None, {"name": "full"})
    host.set(subnets=["10.0.3.1/32", "2001:db8:1::/64"])
    full = host.run("iocage", "alloc", "web1")
    assert (full.returncode, full.stdout) == (1, "")
    assert "no address is free in 10.0.3.1/32" in full.stderr
    host.set(subnets=["10.0.3.1/32", "10.0.1.0/24"])
    assert "|10.0.1." in host.run("iocage", "alloc", "web1").stdout


@pytest.mark.parametrize("name", ["", "../web1", "a b", ".hidden"])
def test_what_is_no_name_of_a_jail_gets_nothing(host: Host, name):
    told = host.run("iocage", "alloc", name)
    assert (told.returncode, told.stdout) == (1, "")
    assert "is no name of a jail" in told.stderr


def test_nothing_is_printed_when_nothing_can_be_had(host: Host):
    with nobody_listening() as url:
        host.set(urls=[url])
        told = host.run("iocage", "alloc", "web1")
    assert (told.returncode, told.stdout) == (1, "")
    assert len(told.stderr.splitlines()) == 1


def test_a_shell_that_asks_first_creates_nothing_without_an_address(host: Host):
    host.tool("iocage", f'printf "%s\\n" "$*" >> {host.place}/created')
    line = 'addr=$(leasehold-hook iocage alloc web1) && iocage create -n web1 -r 14.1-RELEASE ip4_addr="$addr"'
    assert host.shell(line).returncode == 0
    created = (host.place / "created").read_text()
    assert re.fullmatch(r"create -n web1 -r 14\.1-RELEASE ip4_addr=DEFAULT\|10\.0\.1\.\d+/24\n", created)
    with nobody_listening() as url:
        host.set(urls=[url])
        assert host.shell(line).returncode == 1
    assert (host.place / "created").read_text() == created
