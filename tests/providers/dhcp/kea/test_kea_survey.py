"""Kea's configuration as subnets and reservations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from netaddr import IPAddress, IPNetwork

from providers.addresses import Range
from providers.dhcp.kea.grammar import read
from providers.dhcp.kea.survey import survey
from providers.errors import InvalidValue
from providers.model import DHCPHost

SAMPLE = """
# A comment with "quotes" and { braces
{ "Dhcp4": { // another, with <?include "nowhere"?>
    "next-server": "10.0.1.5",
    "option-data": [ { "name": "domain-name-servers", "data": "10.0.1.2, 10.0.1.3" },
                     { "name": "time-offset", "data": "0" } ],
    "shared-networks": [ { "name": "lab",
        "option-data": [ { "code": 15, "data": "lab.example.com" } ],
        "subnet4": [ { "id": 7, "subnet": "10.0.2.0/24", "pools": [ { "pool": "10.0.2.128/25" } ] } ],
    } ],
    "subnet4": [ {
        "id": 1, "subnet": "10.0.1.0/24",
        "pools": [ { "pool": "10.0.1.100 - 10.0.1.150" }, { "pool": "10.0.1.200-10.0.1.250" } ],
        /* more
           of it */
        "option-data": [ { "name": "routers", "data": "10.0.1.1" } ],
        "reservations": <?include "hosts.json"?>
    }, ],
} }
"""
HOSTS = [
    {"hw-address": "52:54:00:00:00:01", "ip-address": "10.0.1.10", "hostname": "web1 # no comment, <?include \"x\"?>"},
    {
        "hw-address": "525400000002",
        "ip-address": "10.0.1.11",
        "boot-file-name": "pxelinux.0",
        "next-server": "10.0.1.6",
    },
    {"hw-address": "52-54-00-00-00-03", "ip-address": "10.0.1.12", "hostname": "db"},
    {"hw-address": "52:54:00:00:00:04", "ip-address": "10.0.1.12", "hostname": "db", "client-classes": ["x"]},
    {"duid": "01:02:03", "ip-address": "10.0.1.13"},
    {"hw-address": "52:54:00:00:00:05", "ip-address": "10.0.9.9"},
]


@pytest.fixture
def found(tmp_path: Path):
    (tmp_path / "kea.conf").write_text(SAMPLE)
    (tmp_path / "hosts.json").write_text(json.dumps(HOSTS))
    return survey(read(tmp_path / "kea.conf"), group="Lab")


def test_subnets_with_what_holds_for_them(found):
    shared, own = sorted((each.spec for each in found.incoming.subnets), key=lambda spec: spec.network, reverse=True)
    assert (own.network, shared.network) == (IPNetwork("10.0.1.0/24"), IPNetwork("10.0.2.0/24"))
    assert (own.group, own.options.gateway, own.options.next_server) == ("Lab", IPAddress("10.0.1.1"), "10.0.1.5")
    assert own.options.dns == shared.options.dns == (IPAddress("10.0.1.2"), IPAddress("10.0.1.3"))
    assert (own.options.domain, shared.options.domain) == (None, "lab.example.com")
    assert own.dynamic == Range.parse("10.0.1.100-10.0.1.150")
    assert own.exclusions == (Range.parse("10.0.1.200-10.0.1.250"),)
    assert shared.dynamic == Range.parse("10.0.2.128-10.0.2.254")


def test_reservations(found):
    hosts = [each.host for each in found.incoming.addresses]
    first = "web1 # no comment, <?include \"x\"?>"
    assert hosts[:2] == [
        DHCPHost("52:54:00:00:00:01", first, first, address=IPAddress("10.0.1.10")),
        DHCPHost("52:54:00:00:00:02", "10.0.1.11", "10.0.1.11", "pxelinux.0", "10.0.1.6", {}, IPAddress("10.0.1.11")),
    ]


def test_a_bond_has_names_of_its_own_and_knows_its_macs(found):
    bond = [each for each in found.incoming.addresses if str(each.address) == "10.0.1.12"]
    assert [(each.host.name, each.host.hostname) for each in bond] == [("db", "db"), ("db-525400000004", "db")]
    assert {each.related_macs for each in bond} == {frozenset({"52:54:00:00:00:03", "52:54:00:00:00:04"})}


def test_what_is_left_out_and_not_used_is_said(found):
    assert len(found.problems) == 3
    assert "several pools" in found.problems[0]
    assert "reservation 10.0.1.13: left out" in found.problems[1]
    assert "10.0.9.9: left out, it is not in 10.0.1.0/24" in found.problems[2]
    assert set(found.unused) == {"option time-offset", "client-classes of reservations"}


def test_the_answer_to_config_get_is_read_too(tmp_path: Path):
    dhcp4 = {"subnet4": [{"subnet": "10.0.1.0/24", "reservations": HOSTS[:1]}]}
    (tmp_path / "answer.json").write_text(json.dumps([{"result": 0, "arguments": {"Dhcp4": dhcp4}}]))
    assert len(survey(read(tmp_path / "answer.json")).incoming.addresses) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Expecting"),
        ("[]", "no Dhcp4"),
        ('{"Dhcp6": {}}', "no Dhcp4"),
        ('{"Dhcp4": <?include "missing"?>}', "missing cannot be read"),
        ('{"Dhcp4": <?include "kea.conf"?>}', "more than 10 deep"),
        ("[" * 100_000, "kea.conf"),
    ],
)
def test_what_is_no_configuration_is_refused(tmp_path: Path, text: str, reason: str):
    (tmp_path / "kea.conf").write_text(text)
    with pytest.raises(InvalidValue, match=reason):
        read(tmp_path / "kea.conf")
