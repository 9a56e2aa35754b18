"""leasehold events."""

from __future__ import annotations

import os
import pwd

import pytest


@pytest.fixture
def eventful(lab):
    lab.done("subnet", "add", "10.0.2.0/24", "--group", "Production")
    lab.done("address", "reserve", "10.0.1.7", "--name", "web1")
    lab.done("address", "reserve", "10.0.2.7", "--name", "web2")
    return lab


def test_events_name_who_typed(eventful):
    assert {row["actor"] for row in eventful.json("events")} == {f"cli:{pwd.getpwuid(os.getuid()).pw_name}"}


def test_events_begin_with_the_latest(eventful):
    assert eventful.json("events")[0]["address"] == "10.0.2.7"


def test_events_of_one_address(eventful):
    assert {row["address"] for row in eventful.json("events", "--address", "10.0.1.7")} == {"10.0.1.7"}


def test_events_of_one_subnet(eventful):
    assert {row["subnet"] for row in eventful.json("events", "--subnet", "10.0.2.0/24")} == {"10.0.2.0/24"}


def test_events_of_one_subnet_in_the_named_group(eventful):
    eventful.done("subnet", "add", "10.0.2.0/24", "--group", "Other", "--no-dhcp")

    rows = eventful.json("events", "--subnet", "10.0.2.0/24", "--group", "Other")

    assert {row["group"] for row in rows} == {"Other"}


def test_events_of_a_group_without_a_subnet_is_a_usage_error(eventful):
    result = eventful("events", "--group", "Lab")

    assert result.exit_code == 2
    assert "--subnet" in result.stderr


def test_events_are_limited(eventful):
    assert len(eventful.json("events", "--limit", "2")) == 2


def test_events_are_a_table(eventful):
    head, _, first, *_ = eventful.done("events").splitlines()

    assert head.split() == ["Time", "Who", "Action", "Subnet", "Group", "Address", "Detail"]
    assert "10.0.2.7" in first


def test_no_events(leasehold):
    result = leasehold("events")

    assert (result.stdout, result.stderr) == ("", "No events.\n")


@pytest.mark.parametrize("limit", ["0", "100001", "99999999999999999999"])
def test_a_limit_out_of_bounds_is_a_usage_error(eventful, limit):
    result = eventful("events", "--limit", limit)

    assert result.exit_code == 2
    assert "1<=x<=100000" in result.stderr


def test_the_largest_limit(eventful):
    assert eventful.json("events", "--limit", "100000") == eventful.json("events")
