"""leasehold address show: who has one address."""

from __future__ import annotations

import pytest

from tests.proxy.commands.test_every_command import shop as shop  # the fixtures, used by their names
from tests.proxy.commands.test_every_command import stock as stock

MAC = "52:54:00:aa:00:01"


def test_a_reserved_address_with_all_that_is_known_of_it(shop):
    shown = shop("address", "show", "10.0.1.7").stdout

    assert "State       reserved\n" in shown
    assert f"DHCP hosts  {MAC} web1\n" in shown
    assert "dhcp since " in shown
    assert "Note" not in shown


def test_a_held_address_tells_for_whom(shop):
    held = shop.json("address", "show", "10.0.1.2")

    assert (held["state"], held["hold"]["key"], held["reservation"]) == ("held", "key:k", None)
    assert "Key         key:k\n" in shop("address", "show", "10.0.1.2").stdout


def test_the_guest_that_has_it(shop):
    shown = shop("address", "show", "10.0.1.9").stdout

    assert "lab/jail1 on node1, running" in shown
    assert [guest["name"] for guest in shop.json("address", "show", "10.0.1.9")["guests"]] == ["jail1"]


@pytest.mark.parametrize(
    ("address", "role"),
    [
        ("10.0.5.1", "gateway"),
        ("10.0.5.2", "name server"),
        ("10.0.5.3", "time server"),
        ("10.0.5.9", "in the dynamic range 10.0.5.8-10.0.5.9, which the DHCP server hands out by itself"),
        ("10.0.5.30", "excluded: 10.0.5.30"),
        ("10.0.5.31", None),
    ],
)
def test_what_the_subnet_says_of_it(leasehold, address, role):
    leasehold.done(
        "subnet", "add", "10.0.5.0/24", "--gateway", "10.0.5.1", "--dns", "10.0.5.2", "--ntp", "10.0.5.3",
        "--dynamic", "10.0.5.8-10.0.5.9", "--exclude", "10.0.5.30",
    )  # fmt: skip

    shown = leasehold.json("address", "show", address)

    assert (shown["state"], shown["role"]) == ("not reserved", role)


def test_releasing_the_address_of_a_guest_tells_that_the_guest_has_it_still(shop):
    released = shop("address", "release", "10.0.1.9")

    assert released.exit_code == 0
    assert "leasehold guest remove lab/jail1" in released.stderr
    assert "lab/jail1" in shop("address", "show", "10.0.1.9").stdout


def test_an_unknown_command_has_a_near_one(leasehold):
    result = leasehold("adress", "show", "10.0.1.7")

    assert result.exit_code == 2
    assert "No such command 'adress'. Did you mean address?" in result.stderr
