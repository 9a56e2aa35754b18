"""leasehold sync."""

from __future__ import annotations

import json

import pytest

import proxy.assembly
from providers.dhcp.contract import Health
from providers.errors import Unavailable
from providers.model import DHCPHost
from tests.providers.dhcp.recording_double import RecordingDHCP, Server


@pytest.fixture
def server(monkeypatch):
    """The DHCP server that the settings name."""
    server = Server()
    monkeypatch.setattr(RecordingDHCP, "__init__", lambda self, book, _: setattr(self, "book", book) or setattr(
        self, "server", server))  # fmt: skip
    monkeypatch.setitem(proxy.assembly.DHCP_PROVIDERS, "dhcp_none", f"{RecordingDHCP.__module__}:RecordingDHCP")
    return server


@pytest.fixture
def hosts(lab, server):
    """Two hosts, imported while there was no DHCP server."""
    with open("hosts.csv", "w") as file:
        file.write("address,name,mac\n10.0.1.5,web1,52:54:00:00:00:01\n10.0.1.6,web2,52:54:00:00:00:02\n")
    lab.done("import", "csv", "hosts.csv", "--apply")
    return lab


def test_where_nothing_differs_that_is_said_and_no_error(hosts):
    result = hosts("sync")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "The DHCP server serves what the book says.\n"


def test_a_plan_changes_nothing(hosts, server):
    server.served.clear()
    result = hosts("sync", "--plan")
    assert result.exit_code == 0
    assert [line.split()[1:4] for line in result.stdout.splitlines()[2:]] == [
        ["add", "10.0.1.5", "52:54:00:00:00:01"],
        ["add", "10.0.1.6", "52:54:00:00:00:02"],
    ]
    assert server.served == {}


def test_a_plan_tells_when_the_server_is_not_well(hosts, monkeypatch):
    monkeypatch.setattr(RecordingDHCP, "health", lambda _: Health(False, "it is stopped"))
    result = hosts("sync", "--plan")
    assert result.stdout == ""
    assert result.stderr.endswith("serves what the book says.\nBut dhcp_double: it is stopped\n")


def test_a_plan_of_a_server_that_does_not_answer_is_none(hosts, monkeypatch):
    def nobody(*_):
        raise Unavailable("dhcpd cannot be reached")

    monkeypatch.setattr(RecordingDHCP, "served", nobody)
    result = hosts("sync", "--plan")
    assert (result.exit_code, result.stdout, result.stderr) == (4, "", "Error: dhcpd cannot be reached\n")


def test_it_adds_changes_and_removes(hosts, server):
    (first, one), (second, two) = server.served.items()
    del server.served[first]
    server.served[second] = DHCPHost(two.mac, two.name, two.hostname, "old.0", address=two.address)
    server.served[first[0], "52:54:00:00:00:99"] = DHCPHost(
        "52:54:00:00:00:99", "stray", "stray", address=two.address + 1
    )
    rows = json.loads(hosts.done("sync", "--json"))
    assert [(row["change"], row["name"], row["differs"]) for row in rows] == [
        ("add", "web1", ""),
        ("change", "web2", "filename old.0 -> none"),
        ("remove", "stray", ""),
    ]
    assert server.served == {first: one, second: two}


def test_too_much_is_refused_unless_forced(hosts, server):
    (subnet, _), stray = next(iter(server.served.items()))
    for number in range(20):
        mac = f"52:54:00:00:01:{number:02x}"
        server.served[subnet, mac] = DHCPHost(
            mac, f"stray{number}", "stray", address=stray.address + 100 + number
        )
    result = hosts("sync")
    assert result.exit_code == 1
    assert "20 would go" in result.stderr
    assert "--force" in result.stderr
    assert len(server.served) == 22
    hosts.done("sync", "--force")
    assert len(server.served) == 2


def test_a_server_that_is_away(hosts, server, monkeypatch):
    def away(*_):
        raise server.error

    monkeypatch.setattr(RecordingDHCP, "served", away)
    result = hosts("sync")
    assert (result.exit_code, result.stdout) == (4, "")
    assert "does not answer" in result.stderr
