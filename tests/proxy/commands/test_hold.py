"""leasehold hold: list and release."""

from __future__ import annotations

MAC = "52:54:00:aa:00:01"


def test_list_of_nothing_says_how_to_ask(lab):
    result = lab("hold", "list")

    assert (result.exit_code, result.stdout) == (0, "")
    assert "leasehold address next" in result.stderr


def test_list_is_a_table(lab):
    lab.done("address", "next", "10.0.1.0/24", "--mac", MAC)

    head, _, line = lab.done("hold", "list").splitlines()

    assert head.split() == ["Address", "Subnet", "Group", "Key", "MAC", "Taken", "Expires"]
    assert line.startswith("10.0.1.2")
    assert MAC in line


def test_list_of_one_subnet_or_group(lab):
    lab.done("subnet", "add", "10.0.2.0/24", "--group", "Production")
    lab.done("address", "next", "10.0.1.0/24")
    lab.done("address", "next", "10.0.2.0/24")

    assert [row["subnet"] for row in lab.json("hold", "list", "10.0.2.0/24")] == ["10.0.2.0/24"]
    assert [row["subnet"] for row in lab.json("hold", "list", "--group", "lab")] == ["10.0.1.0/24"]
    assert len(lab.json("hold", "list")) == 2


def test_a_released_hold_is_listed_no_more(lab):
    lab.done("address", "next", "10.0.1.0/24", "--mac", MAC)

    assert "10.0.1.2" in lab.done("hold", "release", "10.0.1.2")

    assert lab.json("hold", "list") == []


def test_release_of_what_is_not_held_is_refused(lab):
    result = lab("hold", "release", "10.0.1.2")

    assert result.exit_code == 1
    assert "10.0.1.2" in result.stderr
