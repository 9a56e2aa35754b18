"""Moving from the Ruby smart proxy: after the import the book and the dhcpd that it left behind are the same."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from netaddr import IPAddress

from providers.dhcp.isc.grammar import read
from providers.dhcp.isc.leases import written
from providers.dhcp.isc.survey import survey
from tests.providers.desk import CALLER, mac

# As its dhcp_isc provider writes them.
STATEMENTS = (
    'filename = "grub2/grubx64.efi"; next-server = 0a:4d:00:05; option host-name = "{name}";',
    'option host-name = "{name}";',
    'filename = "pxelinux.0"; option host-name = "short";',
    'option host-name = "{name}"; option SUNW.root-path-name = "/x"; vendor-option-space SUNW;',
)


@pytest.fixture
def left_behind(dhcpd, provider):
    """A dhcpd with hosts of the Ruby smart proxy, a bond among them, and one of its configuration."""
    for number, statements in enumerate(STATEMENTS, 1):
        name = f"host{number}.example.com"
        told, deadline = statements.format(name=name), time.monotonic() + 60
        provider._omapi.create(name, mac(number), IPAddress(f"10.77.0.{20 + number}"), told, deadline)
    for number in (7, 8):
        told = 'option host-name = "db";'
        provider._omapi.create(f"db-0{number}", mac(number), IPAddress("10.77.0.30"), told, time.monotonic() + 60)


def test_the_import_changes_nothing_in_dhcpd_and_what_came_in_can_be_deleted(desk, dhcpd, left_behind):
    before = dhcpd.leases.read_bytes()
    found = survey(read(dhcpd.configuration), written(read(dhcpd.leases, torn=True), datetime.now(UTC)), group="Lab")
    assert not [each.text for each in found.unused if "supersede" in each.text]

    plan = desk.address_book.apply_import(found.incoming, CALLER)

    assert dhcpd.leases.read_bytes() == before
    assert (len(plan.new_subnets), len(plan.new_addresses), plan.clashes) == (1, 7, ())
    assert list(desk.address_book.differences()) == []
    (subnet,) = desk.address_book.subnets()
    assert dhcpd.network.discover(mac(1)).boot_file == "grub2/grubx64.efi"
    desk.release(subnet, number=1)
    assert str(dhcpd.network.discover(mac(1)).yiaddr) == "10.77.0.100"
    desk.release(subnet, number=7)
    assert str(dhcpd.network.discover(mac(8)).yiaddr) == "10.77.0.30"
