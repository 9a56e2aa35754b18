"""leasehold import dnsmasq: plan, apply, what is told, exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

CONF = """\
interface=eth0
dhcp-range=10.0.2.100,10.0.2.199,255.255.255.0,1h
dhcp-option=option:router,10.0.2.1
dhcp-match=set:efi,option:client-arch,SECRET
dhcp-hostsfile=hosts
dhcp-host=52:54:00:aa:00:02,ignore
"""
HOSTS = "52:54:00:aa:00:01,10.0.2.5,set:pxe,web\n"
LEASES = "1795181043 52:54:00:aa:00:03 10.0.2.100 * *\n0 52:54:00:aa:00:04 10.0.2.101 * *\n"
TWICE = "52:54:00:aa:00:05,10.0.2.5,other\n"


@pytest.fixture
def conf(empty_place: Path) -> str:
    """A small dnsmasq.conf with a hosts file and leases."""
    (empty_place / "dnsmasq.conf").write_text(CONF)
    (empty_place / "hosts").write_text(HOSTS)
    (empty_place / "dnsmasq.leases").write_text(LEASES)
    return "dnsmasq.conf"


def test_it_shows_a_plan_and_changes_nothing(leasehold, conf):
    printed = leasehold.done("import", "dnsmasq", conf, "dnsmasq.leases")

    for word in ("10.0.2.0/24", "10.0.2.100-10.0.2.199", "10.0.2.5", "52:54:00:aa:00:01", "hosts:1"):
        assert word in printed
    assert "To add: 1 subnet, 1 host" in printed
    assert "10.0.2.101" in printed.partition("Active leases, which stay with dnsmasq")[2]
    assert leasehold.json("subnet", "list") == []


def test_what_is_not_taken_is_told_with_its_place(leasehold, conf):
    printed = leasehold.done("import", "dnsmasq", conf)

    assert "dnsmasq.conf:6: dhcp-host ignores a client: left out" in printed
    assert "dhcp-match: dnsmasq.conf:4" in printed
    assert "SECRET" not in printed


def test_with_apply_it_is_in_the_book_and_the_second_time_nothing_is_to_do(leasehold, conf):
    assert "Added: 1 subnet, 1 host" in leasehold.done("import", "dnsmasq", conf, "--apply", "--group", "Floor")
    (subnet,), (address,) = leasehold.json("subnet", "list"), leasehold.json("address", "list")

    assert (subnet["group"], subnet["gateway"], subnet["dynamic"]) == ("Floor", "10.0.2.1", "10.0.2.100-10.0.2.199")
    assert (address["address"], list(address["uses"]), address["hosts"][0]["name"]) == ("10.0.2.5", ["dhcp"], "web")
    assert "Added: 0 subnets, 0 hosts" in leasehold.done("import", "dnsmasq", conf, "--apply", "--group", "Floor")


def test_what_clashes_is_left_out_and_the_exit_code_is_1(leasehold, conf):
    Path("hosts").write_text(HOSTS + TWICE)

    printed = leasehold("import", "dnsmasq", conf, "--apply")

    assert printed.exit_code == 1
    assert "hosts:2" in printed.stdout.partition("Left out")[2]
    assert "Added: 1 subnet, 1 host" in printed.stdout


def test_a_configuration_that_cannot_be_read_is_refused(leasehold, conf):
    Path(conf).write_text('dhcp-boot="x\n')

    printed = leasehold("import", "dnsmasq", conf)

    assert (printed.exit_code, "dnsmasq.conf:1: a quote" in printed.stderr) == (2, True)


def test_a_file_of_something_else_is_asked_about(leasehold, empty_place):
    (empty_place / "dhcpd.conf").write_text("subnet 10.0.7.0 netmask 255.255.255.0 { }\n")

    result = leasehold("import", "dnsmasq", "dhcpd.conf")

    assert result.exit_code == 0
    assert "Nothing was found that could be imported. Is it the right file?" in result.stderr
