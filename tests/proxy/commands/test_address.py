"""leasehold address: list, next, reserve, release."""

from __future__ import annotations

from datetime import datetime

import pytest

MAC = "52:54:00:aa:00:01"


def minutes_held(row) -> float:
    taken, expires = (datetime.fromisoformat(row[key]) for key in ("taken_at", "expires_at"))
    return (expires - taken).total_seconds() / 60


def test_next_prints_the_bare_address_and_holds_it(lab):
    assert lab("address", "next", "10.0.1.0/24").output == "10.0.1.2\n"

    assert [row["address"] for row in lab.json("hold", "list")] == ["10.0.1.2"]


def test_next_gives_one_mac_the_same_address_again(lab):
    first = lab.done("address", "next", "10.0.1.0/24", "--mac", MAC)

    assert lab.done("address", "next", "10.0.1.0/24", "--mac", MAC.upper()) == first


def test_next_gives_a_reserved_mac_what_it_has(lab):
    lab.done("address", "reserve", "10.0.1.7", "--name", "web1", "--mac", MAC)

    assert lab.done("address", "next", "10.0.1.0/24", "--mac", MAC) == "10.0.1.7\n"
    assert lab.json("hold", "list") == []


def test_next_gives_one_key_the_same_address_again(lab):
    first = lab.done("address", "next", "10.0.1.0/24", "--key", "cluster/web1/0")

    assert lab.done("address", "next", "10.0.1.0/24", "--key", "cluster/web1/0") == first


def test_next_gives_nobody_in_particular_another_address(lab):
    assert lab.done("address", "next", "10.0.1.0/24") != lab.done("address", "next", "10.0.1.0/24")


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        (["--from", "10.0.1.40"], "10.0.1.40"),
        (["--to", "10.0.1.40"], "10.0.1.2"),
        (["--from", "10.0.1.40", "--to", "10.0.1.41"], "10.0.1.40"),
    ],
)
def test_next_stays_within_from_and_to(lab, bounds, expected):
    assert lab.done("address", "next", "10.0.1.0/24", *bounds).strip() == expected


@pytest.mark.parametrize(
    "bounds", [["--from", "10.0.1.40", "--to", "10.0.1.30"], ["--from", "10.9.9.9"], ["--from", "2001:db8::1"]]
)
def test_next_refuses_bounds_that_make_no_range_of_the_subnet(lab, bounds):
    result = lab("address", "next", "10.0.1.0/24", *bounds)

    assert result.exit_code == 2
    assert lab.json("hold", "list") == []


def test_next_holds_as_long_as_told(lab):
    lab.done("address", "next", "10.0.1.0/24", "--mac", MAC, "--ttl", "90")

    (held,) = lab.json("hold", "list")

    assert minutes_held(held) == 90


def test_next_of_a_full_subnet_has_its_own_exit_code(leasehold):
    leasehold.done("subnet", "add", "10.0.1.0/30")
    for _ in range(2):
        leasehold.done("address", "next", "10.0.1.0/30")

    result = leasehold("address", "next", "10.0.1.0/30")

    assert (result.exit_code, result.stdout) == (3, "")
    assert "10.0.1.0/30" in result.stderr


def test_next_of_an_unknown_subnet_is_refused(lab):
    assert lab("address", "next", "10.9.9.0/24").exit_code == 1


def test_next_in_ipv6(leasehold):
    leasehold.done("subnet", "add", "2001:db8:1::/64")

    assert leasehold.done("address", "next", "2001:db8:1::/64") == "2001:db8:1::1\n"


def test_reserve_keeps_name_mac_and_note(lab):
    lab.done("address", "reserve", "10.0.1.7", "--name", "web1", "--mac", MAC.upper(), "--note", "until May")

    (row,) = lab.json("address", "list", "10.0.1.0/24")

    assert (row["address"], row["name"], row["mac"], row["note"]) == ("10.0.1.7", "web1", MAC, "until May")
    assert list(row["uses"])[-1] == "manual"


def test_reserve_with_a_mac_makes_a_dhcp_host_named_after_it(lab):
    printed = lab.done("address", "reserve", "10.0.1.7", "--name", "web1", "--mac", MAC)

    (row,) = lab.json("address", "list")
    (host,) = row["hosts"]
    assert (host["name"], host["hostname"], host["mac"]) == ("web1", "web1", MAC)
    assert MAC in printed


def test_reserve_with_a_mac_off_dhcp_makes_no_dhcp_host(leasehold):
    leasehold.done("subnet", "add", "10.0.1.0/24", "--no-dhcp")

    leasehold.done("address", "reserve", "10.0.1.7", "--mac", MAC)

    (row,) = leasehold.json("address", "list")
    assert (row["mac"], row["hosts"]) == (MAC, [])


def test_reserve_with_a_mac_on_dhcp_asks_for_a_name(lab):
    result = lab("address", "reserve", "10.0.1.7", "--mac", MAC)

    assert result.exit_code == 2
    assert "--name" in result.stderr
    assert lab.json("address", "list") == []


def test_reserve_overrules_a_hold(lab):
    held = lab.done("address", "next", "10.0.1.0/24").strip()

    lab.done("address", "reserve", held)

    assert lab.json("hold", "list") == []
    assert [row["address"] for row in lab.json("address", "list")] == [held]


def test_reserve_of_what_is_taken_is_refused_and_names_the_other(lab):
    lab.done("address", "reserve", "10.0.1.7", "--name", "web1")

    result = lab("address", "reserve", "10.0.1.7", "--name", "web2")

    assert result.exit_code == 1
    assert "web1" in result.stderr


@pytest.mark.parametrize("address", ["10.0.1.0", "10.0.1.255", "10.0.1.1"])
def test_reserve_of_network_broadcast_or_gateway_is_refused(lab, address):
    result = lab("address", "reserve", address)

    assert result.exit_code == 2
    assert address in result.stderr


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--name", 'web1"; option x'),
        ("--name", "two\nlines"),
        ("--name", "a" * 256),
        ("--note", "\x1b[31mred"),
        ("--note", "a" * 1001),
        ("--mac", "52-54-00-aa-00-01"),
    ],
)
def test_reserve_with_a_wrong_value_names_the_option_and_reserves_nothing(lab, option, value):
    result = lab("address", "reserve", "10.0.1.7", option, value)

    assert result.exit_code == 2
    assert f"'{option}'" in result.stderr
    assert lab.json("address", "list") == []


def test_reserve_outside_all_subnets_is_refused(lab):
    result = lab("address", "reserve", "10.9.9.9")

    assert result.exit_code == 1
    assert "10.9.9.9" in result.stderr


def test_reserve_in_the_named_group(lab):
    lab.done("subnet", "add", "10.0.1.0/24", "--group", "Other", "--no-dhcp")

    lab.done("address", "reserve", "10.0.1.7", "--group", "Other")

    assert [row["group"] for row in lab.json("address", "list")] == ["Other"]


def test_release_gives_everything_back(lab):
    lab.done("address", "reserve", "10.0.1.7", "--name", "web1", "--mac", MAC)

    printed = lab.done("address", "release", "10.0.1.7")

    assert "10.0.1.7 (web1" in printed
    assert lab.json("address", "list") == []


def test_release_of_a_free_address_says_so_and_is_no_error(lab):
    assert "10.0.1.7 was not reserved" in lab.done("address", "release", "10.0.1.7")


def test_release_of_a_held_address_says_how_to_end_the_hold(lab):
    lab.done("address", "next", "10.0.1.0/24")

    assert "leasehold hold release 10.0.1.2" in lab.done("address", "release", "10.0.1.2")


def test_list_of_nothing_says_how_to_reserve(lab):
    result = lab("address", "list")

    assert (result.exit_code, result.stdout) == (0, "")
    assert "leasehold address reserve" in result.stderr


def test_list_is_a_table(lab):
    lab.done("address", "reserve", "10.0.1.7", "--name", "web1", "--note", "until May")

    head, _, line = lab.done("address", "list").splitlines()

    assert head.split() == ["Address", "Group", "Name", "MAC", "Uses", "Note", "Changed"]
    assert line.split()[:3] == ["10.0.1.7", "Lab", "web1"]


def test_list_of_one_subnet_or_group(lab):
    lab.done("subnet", "add", "10.0.2.0/24", "--group", "Production")
    lab.done("address", "reserve", "10.0.1.7")
    lab.done("address", "reserve", "10.0.2.7")

    assert [row["address"] for row in lab.json("address", "list", "10.0.2.0/24")] == ["10.0.2.7"]
    assert [row["address"] for row in lab.json("address", "list", "--group", "Lab")] == ["10.0.1.7"]
    assert [row["address"] for row in lab.json("address", "list")] == ["10.0.1.7", "10.0.2.7"]


def test_list_tells_times_in_utc(lab):
    lab.done("address", "reserve", "10.0.1.7")

    (row,) = lab.json("address", "list")

    assert row["created_at"].endswith("Z")
    assert datetime.fromisoformat(row["created_at"]).tzinfo is not None


@pytest.mark.parametrize("minutes", ["0", "525601", "99999999999999"])
def test_next_refuses_to_hold_longer_than_a_year_or_no_time(lab, minutes):
    result = lab("address", "next", "10.0.1.0/24", "--ttl", minutes)

    assert result.exit_code == 2
    assert "'--ttl'" in result.stderr
    assert lab.json("hold", "list") == []


def test_next_holds_for_a_year(lab):
    lab.done("address", "next", "10.0.1.0/24", "--ttl", "525600")

    (held,) = lab.json("hold", "list")

    assert minutes_held(held) == 525600
