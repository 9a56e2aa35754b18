"""What the operator's own configuration has that gets in the way of reservations."""

from __future__ import annotations

import os

import pytest
from netaddr import IPAddress

from providers.dhcp.dnsmasq.own_hosts import OwnHosts
from providers.errors import Conflict, InvalidValue, Unavailable
from providers.model import DHCPHost

HOST = DHCPHost("52:54:00:00:00:01", "web", "web", address=IPAddress("10.0.1.5"))


@pytest.fixture
def path(tmp_path):
    """A configuration that says what it has to."""
    made = tmp_path / "dnsmasq.conf"
    made.write_text(lines(tmp_path))
    return made


def lines(tmp_path, *more: str) -> str:
    named = (f"dhcp-hostsfile={tmp_path / 'hosts'}", f"dhcp-optsfile={tmp_path / 'options'}")
    return "\n".join([*named, *more, ""])


def problem(own, tmp_path):
    return own.problem(tmp_path / "hosts", tmp_path / "options")


@pytest.mark.parametrize(
    "line", ["52:54:00:00:00:01,web", "52:54:0:0:0:1,ignore", "52:54:00:00:00:09,10.0.1.5", "10.0.1.5,printer"]
)
def test_a_host_of_the_operator_is_a_conflict(path, tmp_path, line):
    path.write_text(lines(tmp_path, f"dhcp-host={line}"))

    with pytest.raises(Conflict, match=r"dnsmasq\.conf:3"):
        OwnHosts(path).refuse_taken(HOST)


def test_the_hosts_of_leasehold_are_none_of_the_operators(path, tmp_path):
    (tmp_path / "hosts").write_text("52:54:00:00:00:01,10.0.1.5,web\n")

    OwnHosts(path).refuse_taken(HOST)


def test_a_change_is_seen_in_whatever_file(path, tmp_path):
    (tmp_path / "conf.d").mkdir()
    path.write_text(lines(tmp_path, "conf-dir=conf.d"))
    own = OwnHosts(path)
    own.refuse_taken(HOST)

    (tmp_path / "conf.d" / "new").write_text("dhcp-host=52:54:00:00:00:01,10.0.1.9\n")

    with pytest.raises(Conflict, match=r"conf\.d/new:1"):
        own.refuse_taken(HOST)


def test_a_configuration_is_read_when_it_changed_and_not_each_time(path, tmp_path, monkeypatch):
    own = OwnHosts(path)
    own.refuse_taken(HOST)
    kept = path.stat()
    monkeypatch.setattr("providers.dhcp.dnsmasq.own_hosts._read", lambda _: pytest.fail("it was read again"))
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))

    own.refuse_taken(HOST)


def test_nothing_is_known_without_a_configuration(tmp_path):
    OwnHosts(None).refuse_taken(HOST)
    assert problem(OwnHosts(None), tmp_path) is None


def test_one_that_cannot_be_read_is_told(tmp_path):
    own = OwnHosts(tmp_path / "none")

    with pytest.raises(Unavailable, match="take :config: away"):
        own.refuse_taken(HOST)
    assert "none" in problem(own, tmp_path)


def test_one_that_is_right_has_no_problem(path, tmp_path):
    assert problem(OwnHosts(path), tmp_path) is None


def test_a_directory_that_dnsmasq_reads_whole_is_as_good(path, tmp_path):
    path.write_text(f"dhcp-hostsfile={tmp_path}\ndhcp-optsfile={tmp_path / 'options'}\n")

    assert problem(OwnHosts(path), tmp_path) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("port=0\n", "does not say dhcp-hostsfile="),
        ("dhcp-boot=pxelinux.0\n", "dhcp-boot at"),
        ("dhcp-boot=tag:efi,grub.efi\n", None),
    ],
)
def test_what_keeps_hosts_from_being_served_is_told(path, tmp_path, text, told):
    path.write_text(text if text.startswith("port") else lines(tmp_path, text))

    found = problem(OwnHosts(path), tmp_path)

    assert found is None if told is None else told in found


@pytest.mark.parametrize(
    "ranges",
    [
        ("10.0.2.0,static,255.255.255.0",),
        ("10.0.2.10,10.0.2.20,255.255.255.0,12h", "192.168.1.10,192.168.1.20", "fd00::,ra-only"),
    ],
)
def test_an_address_that_no_range_is_for_is_refused(path, tmp_path, ranges):
    path.write_text(lines(tmp_path, *(f"dhcp-range={each}" for each in ranges)))
    own = OwnHosts(path)

    with pytest.raises(InvalidValue, match=r"10\.0\.1\.5 is not served: .*dnsmasq\.conf.* has no dhcp-range for it"):
        own.refuse_unranged([HOST])
    assert own.ranged([HOST]) == []


@pytest.mark.parametrize(
    "ranges",
    [
        # They are elsewhere, such as in a file that is named on the command line.
        (),
        ("10.0.2.0,static,255.255.255.0", "10.0.1.0,static,255.255.255.0"),
        ("10.0.2.0,static,255.255.255.0", "10.0.0.0,10.0.0.200,255.255.0.0"),
        # The netmask is that of an interface, which the files do not tell.
        ("10.0.2.10,10.0.2.20,12h",),
        # What it is for is not understood.
        ("10.0.2.10,10.0.2.20,255.0.255.0",),
    ],
)
def test_an_address_that_a_range_may_be_for_is_not(path, tmp_path, ranges):
    path.write_text(lines(tmp_path, *(f"dhcp-range={each}" for each in ranges)))
    own = OwnHosts(path)

    own.refuse_unranged([HOST])

    assert own.ranged([HOST]) == [HOST]


def test_without_a_configuration_no_range_is_missed():
    OwnHosts(None).refuse_unranged([HOST])
