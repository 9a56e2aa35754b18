"""The hosts of dhcpd.conf, as its files are now."""

from __future__ import annotations

import pytest

from providers.dhcp.isc.declared import Declared
from providers.errors import Unavailable

HOST = "host {name} {{ hardware ethernet 52:54:00:00:00:0{number}; fixed-address 10.0.1.{number}; }}\n"
SUBNET = "subnet 10.0.1.0 netmask 255.255.255.0 { }\n"


@pytest.fixture
def moment():
    return [0.0]


@pytest.fixture
def declared(tmp_path, moment):
    (tmp_path / "hosts.conf").write_text(HOST.format(name="inner", number=2))
    inside = HOST.format(name="a", number=1)
    (tmp_path / "dhcpd.conf").write_text(f'{SUBNET}include "hosts.conf";\ngroup {{ {inside} }}')
    return Declared(tmp_path / "dhcpd.conf", lambda: moment[0])


def names(declared):
    return [each.host.name for each in declared.hosts().all]


def test_hosts_are_found_by_name_mac_and_address_with_their_place(declared, tmp_path):
    (host,) = declared.hosts().named("inner")

    assert declared.hosts().of(host.host.mac) == declared.hosts().at(host.host.address) == [host]
    assert host.place == f"{tmp_path}/hosts.conf:1"
    assert declared.hosts().named("b") == []


def test_an_included_file_that_changes_is_read_again_after_a_second(declared, tmp_path, moment):
    assert names(declared) == ["inner", "a"]
    (tmp_path / "hosts.conf").write_text(HOST.format(name="changed", number=2))

    moment[0] = 0.9
    assert names(declared) == ["inner", "a"]
    moment[0] = 1.0
    assert names(declared) == ["changed", "a"]


def test_nothing_is_read_again_when_nothing_changed(declared, moment):
    first = declared.hosts()
    moment[0] = 5.0
    assert declared.hosts() is first


def test_a_file_that_cannot_be_read_is_told_until_it_can(declared, tmp_path, moment):
    (tmp_path / "hosts.conf").rename(tmp_path / "away.conf")
    with pytest.raises(Unavailable, match=r"hosts\.conf cannot be read: No such file.*see :config: in dhcp_isc\.yml"):
        declared.hosts()

    (tmp_path / "away.conf").rename(tmp_path / "hosts.conf")
    moment[0] = 1.0
    assert names(declared) == ["inner", "a"]


def test_a_host_at_several_addresses_is_at_each(tmp_path):
    path = tmp_path / "dhcpd.conf"
    path.write_text("host a { hardware ethernet 52:54:00:00:00:01; fixed-address 10.0.1.1, 10.0.2.1; }")

    assert [str(each.host.address) for each in Declared(path).hosts().named("a")] == ["10.0.1.1", "10.0.2.1"]


def test_what_was_known_counts_while_the_files_cannot_be_read(declared, tmp_path, moment, caplog):
    assert names(declared) == ["inner", "a"]
    (tmp_path / "dhcpd.conf").write_text("host a {")

    moment[0] = 1.0
    assert names(declared) == ["inner", "a"]
    assert "dhcpd.conf:1: a statement begins here and does not end" in declared.problem
    assert "counts as it was" in caplog.text

    (tmp_path / "dhcpd.conf").write_text(HOST.format(name="b", number=3))
    moment[0] = 2.0
    assert (names(declared), declared.problem) == (["b"], None)
