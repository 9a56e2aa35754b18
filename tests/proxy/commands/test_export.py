"""leasehold export."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from netaddr import IPAddress, IPNetwork

from providers.clock import utc_now
from providers.guests import GuestReport, WantedAddress
from providers.model import DHCPHost, Use
from proxy.assembly import open_address_book
from proxy.settings import load
from tests.providers.desk import CALLER

MAC = "52:54:00:aa:00:01"
HEAD = "address,name,mac,hostname,filename,next_server,description,note,uses,subnet,group"


@pytest.fixture
def stocked(lab):
    """The lab with a DHCP host that boots, an address with a note, and a subnet of another group."""
    lab.done("subnet", "add", "10.0.2.0/24", "--group", "Production")
    lab.done("subnet", "add", "10.0.1.128/25", "--group", "Lab")
    book = open_address_book(load())
    subnet = book.subnet(IPNetwork("10.0.1.0/24"))
    host = DHCPHost(MAC, "web1.example.com", "web1", "pxelinux.0", "10.0.1.2")
    book.reserve(subnet, subnet.network[5], Use.DHCP, CALLER, host=host)
    book.close()
    lab.done("address", "reserve", "10.0.1.6", "--note", '=1+1, "quoted"')
    lab.done("address", "reserve", "10.0.1.130", "--name", "inner")
    lab.done("address", "reserve", "10.0.2.7", "--name", "Düsseldorf 1")
    return lab


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_csv_has_a_line_for_each_host_and_each_address_without_one(stocked):
    text = stocked.done("export", "csv")

    assert text.splitlines()[0] == HEAD
    assert [row["address"] for row in rows(text)] == ["10.0.1.5", "10.0.1.6", "10.0.1.130", "10.0.2.7"]
    assert rows(text)[0] == {
        "address": "10.0.1.5", "name": "web1.example.com", "mac": MAC, "hostname": "web1", "filename": "pxelinux.0",
        "next_server": "10.0.1.2", "description": "", "note": "", "uses": "dhcp",
        "subnet": "10.0.1.0/24", "group": "Lab",
    }  # fmt: skip


def test_csv_keeps_values_as_they_are(stocked):
    assert rows(stocked.done("export", "csv"))[1]["note"] == '=1+1, "quoted"'


def test_csv_of_nothing_is_a_head(lab):
    assert lab.done("export", "csv") == f"{HEAD}\n"


def test_a_bond_has_a_line_for_each_mac(lab):
    book = open_address_book(load())
    subnet = book.subnet(IPNetwork("10.0.1.0/24"))
    other = "52:54:00:aa:00:02"
    for mac, name in ((MAC, "bond-a"), (other, "bond-b")):
        book.reserve(
            subnet, subnet.network[5], Use.DHCP, CALLER, host=DHCPHost(mac, name, "bond"), related_macs=[MAC, other]
        )
    book.close()

    assert [row["name"] for row in rows(lab.done("export", "csv"))] == ["bond-a", "bond-b"]
    assert lab.done("export", "hosts") == "10.0.1.5\tbond bond-a bond-b\n"


def test_json_has_subnets_and_reservations(stocked):
    found = json.loads(stocked.done("export", "json"))

    assert [subnet["network"] for subnet in found["subnets"]] == ["10.0.1.0/24", "10.0.1.128/25", "10.0.2.0/24"]
    assert found["reservations"] == stocked.json("address", "list")


def test_json_of_an_empty_book(leasehold):
    assert json.loads(leasehold.done("export", "json")) == {"subnets": [], "reservations": [], "guests": []}


@pytest.mark.parametrize(
    ("options", "names"),
    [([], ["db", "web"]), (["--subnet", "10.0.1.0/24"], ["web"]), (["--group", "production"], ["db"])],
)
def test_json_has_the_guests(stocked, options, names):
    book = open_address_book(load())
    for name, address in (("web", "10.0.1.20"), ("db", "10.0.2.20")):
        wanted = (WantedAddress(IPAddress(address)),)
        book.report_guest(GuestReport("east", name, "node1", utc_now(), addresses=wanted), CALLER)
    book.close()

    found = json.loads(stocked.done("export", "json", *options))["guests"]

    assert [guest["name"] for guest in found] == names
    assert {guest["node"] for guest in found} == {"node1"}


def test_hosts_has_what_is_fit_for_a_hosts_file(stocked):
    result = stocked("export", "hosts")

    assert result.stdout == "10.0.1.5\tweb1 web1.example.com\n10.0.1.130\tinner\n"
    assert "2 addresses without a name" in result.stderr


@pytest.mark.parametrize("name", ["localhost", "LocalHost.example.com"])
def test_nobody_is_localhost_in_a_hosts_file(lab, name):
    lab.done("address", "reserve", "10.0.1.9", "--name", name)
    lab.done("address", "reserve", "10.0.1.10", "--name", "localhost-1")

    assert lab.done("export", "hosts") == "10.0.1.10\tlocalhost-1\n"


@pytest.mark.parametrize(
    ("options", "addresses"),
    [
        (["--subnet", "10.0.2.0/24"], ["10.0.2.7"]),
        (["--subnet", "10.0.1.0/24"], ["10.0.1.5", "10.0.1.6", "10.0.1.130"]),
        (["--subnet", "10.0.1.128/25"], ["10.0.1.130"]),
        (["--group", "production"], ["10.0.2.7"]),
    ],
)
def test_a_part_of_the_book(stocked, options, addresses):
    assert [row["address"] for row in rows(stocked.done("export", "csv", *options))] == addresses


def test_a_subnet_that_is_not_there_is_refused(stocked):
    assert stocked("export", "csv", "--subnet", "10.9.9.0/24").exit_code == 1


def test_output_goes_into_a_file(stocked):
    result = stocked("export", "csv", "--output", "out.csv")

    assert (result.exit_code, result.stdout) == (0, "")
    assert Path("out.csv").read_text() == stocked.done("export", "csv")
    assert [path.name for path in Path().iterdir() if "export" in path.name] == []


def test_a_file_that_cannot_be_written_is_told(stocked):
    result = stocked("export", "csv", "--output", "nowhere/out.csv")

    assert result.exit_code == 1
    assert "nowhere/out.csv" in result.stderr


def test_a_form_that_is_not_there_is_refused(lab):
    assert lab("export", "xml").exit_code == 2


def test_csv_is_read_by_import(stocked, tmp_path):
    """What is exported here is already there: nothing to do, and no column that is not known."""
    stocked.done("export", "csv", "--output", "out.csv")

    result = stocked("import", "csv", "out.csv")

    assert result.exit_code == 0, result.output
