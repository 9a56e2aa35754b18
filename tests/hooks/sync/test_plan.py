"""What has to be told, of what is here and what the service knows."""

from __future__ import annotations

from typing import Any

import pytest

from hooks.addresses import Address
from hooks.sync.guest import Found, Present
from hooks.sync.plan import plan

ALL = frozenset({"jail", "bhyve"})


def here(name: str = "web1", *addresses: str, runs: bool = False, mac: str | None = None, **more: Any) -> Present:
    listed = tuple(Address(each) for each in addresses)
    nics = None if mac is None else ({"name": "nic0", "mac": mac, "parent": None},)
    return Present(name, "jail", name, runs, listed, nics)._replace(**more)


def there(name: str = "web1", *addresses: str, mac: str | None = None, **more: Any) -> dict[str, Any]:
    listed = [{"address": each, "subnet": "10.0.1.0/24", "shared": False} for each in addresses]
    nics = [] if mac is None else [{"mac": mac}]
    return {
        "name": name, "emulator": "jail", "state": "stopped", "hostname": name, "note": None,
        "addresses": listed, "nics": nics,
    } | more  # fmt: skip


def planned(guests: list[Present], known: list[dict[str, Any]], *unread: str):
    return plan(Found(tuple(guests), ALL, frozenset(unread)), known)


def test_nothing_is_told_of_what_is_known():
    assert not planned([here("web1", "10.0.1.5", mac="a")], [there("web1", "10.0.1.5", mac="a")]).changes


def test_a_guest_that_nobody_reported_is_told_whole():
    (report,) = planned([here("web1", "10.0.1.5", runs=True)], []).reports
    assert report == {
        "name": "web1", "emulator": "jail", "state": "running", "hostname": "web1",
        "addresses": [{"address": "10.0.1.5", "shared": False}],
    }  # fmt: skip


@pytest.mark.parametrize("state", ["created", "starting", "stopped"])
def test_what_does_not_run_yet_is_no_news(state):
    assert not planned([here()], [there(state=state)]).changes


@pytest.mark.parametrize(
    ("guest", "news"),
    [
        (here("web1", "10.0.1.5", runs=True), {"state": "running"}),
        (here("web1", "10.0.1.6"), {"addresses": [{"address": "10.0.1.6", "shared": False}]}),
        (here("web1", "10.0.1.5", hostname="www"), {"hostname": "www"}),
        (here("web1", "10.0.1.5", note="for people"), {"note": "for people"}),
        (here("web1", "10.0.1.5", mac="b"), {"nics": [{"name": "nic0", "mac": "b", "parent": None}]}),
    ],
)
def test_only_news_are_told_so_that_what_hooks_told_stays(guest, news):
    (report,) = planned([guest], [there("web1", "10.0.1.5")]).reports
    assert report == {"name": "web1", "emulator": "jail", "state": "stopped"} | news


def test_addresses_that_the_tool_does_not_tell_are_no_news():
    assert not planned([here(addresses=None)], [there("web1", "10.0.1.5")]).changes


def test_an_address_that_is_not_reserved_is_told_again():
    known = there("web1", "10.0.1.5")
    known["addresses"][0]["subnet"] = None
    assert [each["name"] for each in planned([here("web1", "10.0.1.5")], [known]).reports] == ["web1"]


def test_what_is_gone_is_released():
    assert planned([], [there("web1")]).removals == ("web1",)


def test_what_cannot_be_read_is_neither_told_nor_released():
    assert not planned([], [there("web1")], "web1").changes


def test_guests_of_tools_that_were_not_asked_are_left_alone():
    assert not planned([], [there("m1", emulator="vmadm"), there("m2", emulator=None)]).changes


def test_a_guest_that_came_with_the_address_of_one_that_is_gone_was_renamed():
    found = planned([here("new", "10.0.1.5")], [there("old", "10.0.1.5")])
    assert (found.renames, found.removals) == ((("old", "new"),), ())
    # The host name is that of the new one.
    assert [each["name"] for each in found.reports] == ["new"]


@pytest.mark.parametrize(
    ("new", "known"),
    [
        ([here("new", "10.0.1.6")], [there("old", "10.0.1.5")]),
        ([here("new", "10.0.1.5", mac="b")], [there("old", "10.0.1.5", mac="a")]),
        ([here("new", "10.0.1.5", emulator="bhyve")], [there("old", "10.0.1.5")]),
        ([here("new", addresses=(Address("10.0.1.5", shared=True),))], [there("old", "10.0.1.5")]),
        ([here("new", "10.0.1.5")], [there("old1", "10.0.1.5"), there("old2", "10.0.1.5")]),
    ],
)
def test_what_is_not_certainly_the_same_guest_was_not_renamed(new, known):
    assert planned(new, known).renames == ()


def test_a_clone_beside_its_original_is_no_rename():
    found = planned([here("orig", "10.0.1.5"), here("clone", "10.0.1.5")], [there("orig", "10.0.1.5")])
    assert (found.renames, found.removals, [each["name"] for each in found.reports]) == ((), (), ["clone"])


def yields(found: list[Present], known: list[dict[str, Any]]) -> dict[str, list[str]]:
    return {each["name"]: [at["address"] for at in each["addresses"]] for each in planned(found, known).yields}


def test_guests_that_swapped_addresses_give_them_up_first():
    known = [there("a", "10.0.1.5", "10.0.1.7"), there("b", "10.0.1.6")]
    found = [here("a", "10.0.1.6", "10.0.1.7"), here("b", "10.0.1.5")]
    assert yields(found, known) == {"a": ["10.0.1.7"], "b": []}
    assert [each["name"] for each in planned(found, known).reports] == ["a", "b"]


def test_what_only_a_new_guest_wants_is_given_up_first():
    assert yields([here("a", "10.0.1.5"), here("b", "10.0.1.6")], [there("b", "10.0.1.5")]) == {"b": []}


@pytest.mark.parametrize(
    ("found", "known"),
    [
        # Nobody wants it.
        ([here("a", "10.0.1.6"), here("b", "10.0.1.8")], [there("a", "10.0.1.5"), there("b", "10.0.1.7")]),
        # A clone wants what its original still has.
        ([here("a", "10.0.1.5"), here("b", "10.0.1.5")], [there("a", "10.0.1.5")]),
        # It is not told which addresses it has.
        ([here("a", addresses=None), here("b", "10.0.1.5")], [there("a", "10.0.1.5")]),
    ],
)
def test_nothing_is_given_up_for_nobody(found, known):
    assert yields(found, known) == {}


def test_a_renamed_guest_gives_up_under_its_new_name():
    known = [there("old", "10.0.1.5", "10.0.1.9")]
    assert yields([here("new", "10.0.1.9"), here("b", "10.0.1.5")], known) == {"new": ["10.0.1.9"]}


def test_people_can_read_it():
    found = planned([here("new", "10.0.1.5"), here("x", mac="a")], [there("old", "10.0.1.5"), there("gone")])
    assert found.lines() == [
        "rename  old to new",
        "report  new: jail, stopped, host name new",
        "report  x: jail, stopped, no address, host name x, MACs a",
        "release gone: it is not on this node any more",
    ]
