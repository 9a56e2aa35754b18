"""Rules 1 to 4, 8 and 14: what is suggested is held, and the same asker gets the same answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from netaddr import IPAddress

from providers.errors import Exhausted, InvalidValue, NotFound, SubnetNotFound
from providers.model import Asker, Hold, Strategy, Use
from tests.providers.desk import CALLER, Desk, mac


def test_rule_1_what_is_suggested_is_held(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    assert desk.ask(subnet, 1) == "10.0.1.1"
    now = desk.clock()
    assert desk.address_book.holds(subnet) == [
        Hold(subnet, IPAddress("10.0.1.1"), f"mac:{mac(1)}", mac(1), now, now + timedelta(minutes=30))
    ]


def test_rule_1_nobody_else_is_told_a_held_address(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    assert [desk.ask(subnet, number) for number in (1, 2, 3)] == ["10.0.1.1", "10.0.1.2", "10.0.1.3"]


def test_rule_1_holds_of_all_subnets_are_listed_by_subnet_and_address(desk: Desk):
    late, early = desk.add("10.0.2.0/29"), desk.add("10.0.1.0/29")
    desk.ask(late, 1)
    desk.ask(early, 1)
    desk.ask(early, 2)
    assert list(desk.held()) == ["10.0.1.1", "10.0.1.2", "10.0.2.1"]


def test_rule_1_an_operator_releases_a_hold_and_the_address_is_free_at_once(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.ask(subnet, 1)
    assert desk.release_hold(subnet, "10.0.1.1").key == f"mac:{mac(1)}"
    assert desk.held() == {}
    assert desk.ask(subnet, 2) == "10.0.1.1"


def test_rule_1_releasing_a_hold_that_is_not_there_says_so(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    with pytest.raises(NotFound, match=r"10\.0\.1\.3 in 10\.0\.1\.0/29 is not held"):
        desk.release_hold(subnet, "10.0.1.3")


def test_rule_1_an_expired_hold_cannot_be_released(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.ask(subnet, 1)
    desk.clock.pass_(minutes=30)
    with pytest.raises(NotFound):
        desk.release_hold(subnet, "10.0.1.1")


def test_rule_2_the_same_mac_gets_the_same_address(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    assert {desk.ask(subnet, 1) for _ in range(10)} == {"10.0.1.1"}
    assert len(desk.held()) == 1


@pytest.mark.parametrize("nobodys", ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", ":".join(["00"] * 20)])
def test_rule_2_a_mac_that_is_nobodys_makes_nobody_the_same_asker(desk: Desk, nobodys: str):
    subnet = desk.add("10.0.1.0/29")
    asker = Asker(mac=nobodys)
    assert len({desk.address_book.suggest(subnet, asker, CALLER) for _ in range(4)}) == 4
    assert all(key.startswith("anonymous:") for key in desk.held().values())


def test_rule_2_the_same_key_gets_the_same_address_whatever_its_mac(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    assert desk.ask(subnet, 1, key="web1/nic0") == desk.ask(subnet, 2, key="web1/nic0") == desk.ask(
        subnet, key="web1/nic0"
    )
    assert desk.held() == {"10.0.1.1": "key:web1/nic0"}


def test_rule_2_a_key_that_reads_like_a_mac_is_another_asker(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    assert desk.ask(subnet, 1) != desk.ask(subnet, key=mac(1))


def test_rule_2_nobody_known_gets_another_address_each_time(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    assert len({desk.ask(subnet) for _ in range(4)}) == 4


def test_rule_2_one_hold_for_each_subnet(desk: Desk):
    one, two = desk.add("10.0.1.0/29"), desk.add("10.0.2.0/29")
    assert (desk.ask(one, 1), desk.ask(two, 1)) == ("10.0.1.1", "10.0.2.1")
    assert len(desk.held()) == 2


def test_rule_2_asking_again_elsewhere_in_the_subnet_moves_the_hold(desk: Desk):
    subnet = desk.add("10.0.1.0/28")
    desk.ask(subnet, 1)
    assert desk.ask(subnet, 1, span="10.0.1.8-10.0.1.9") == "10.0.1.8"
    assert list(desk.held(subnet)) == ["10.0.1.8"]


def test_rule_2_the_address_of_a_moved_hold_rests_for_its_asker(desk: Desk):
    subnet = desk.add("10.0.1.0/28")
    desk.ask(subnet, 1)
    desk.ask(subnet, 1, span="10.0.1.8-10.0.1.9")
    assert desk.ask(subnet, 2, span="10.0.1.1-10.0.1.7") == "10.0.1.2"
    assert desk.ask(subnet, 1, span="10.0.1.1-10.0.1.7") == "10.0.1.1"


def test_rule_2_a_hold_stays_when_the_range_asked_for_is_full(desk: Desk):
    subnet = desk.add("10.0.1.0/28")
    desk.ask(subnet, 1)
    desk.take(subnet, "10.0.1.8")
    with pytest.raises(Exhausted):
        desk.ask(subnet, 1, span="10.0.1.8-10.0.1.8")
    assert list(desk.held(subnet)) == ["10.0.1.1"]


def test_rule_2_a_mac_with_a_dhcp_host_is_told_its_own_address(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.4", 1)
    assert desk.ask(subnet, 1) == "10.0.1.4"
    assert desk.held() == {}


def test_rule_2_a_dhcp_host_outside_the_range_does_not_count(desk: Desk):
    subnet = desk.add("10.0.1.0/28")
    desk.serve(subnet, "10.0.1.4", 1)
    assert desk.ask(subnet, 1, span="10.0.1.8-10.0.1.9") == "10.0.1.8"


def test_rule_2_next_ip_tells_a_mac_the_address_of_a_dhcp_host_it_can_still_join(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.4", 1)
    assert desk.ask(subnet, 1, use=Use.IPAM) == "10.0.1.4"
    assert not desk.exists(subnet, "10.0.1.4")


@pytest.mark.parametrize("how", ["joined already", "alone for too long"])
def test_rule_2_next_ip_never_tells_an_address_that_exists(desk: Desk, how: str):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.4", 1)
    if how == "joined already":
        desk.take(subnet, "10.0.1.4")
    else:
        desk.clock.pass_(minutes=60, seconds=1)
    assert desk.exists(subnet, "10.0.1.4")
    told = desk.ask(subnet, 1, use=Use.IPAM)
    assert told == "10.0.1.1"
    assert not desk.exists(subnet, told)


@pytest.mark.parametrize("key", ["", "x" * 252, "line\nbreak", "nul\0"])
def test_an_unfit_request_key_is_refused(desk: Desk, key: str):
    subnet = desk.add("10.0.1.0/29")
    with pytest.raises(InvalidValue, match="request key"):
        desk.ask(subnet, key=key)


def test_a_request_key_may_be_long(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    assert desk.ask(subnet, key="x" * 251) == desk.ask(subnet, key="x" * 251)


def test_rule_4_a_reservation_consumes_the_hold_of_somebody_else(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.ask(subnet, 1)
    desk.serve(subnet, "10.0.1.1", 2)
    assert desk.held() == {}
    assert desk.ask(subnet, 1) == "10.0.1.2"


def test_rule_4_a_reservation_consumes_the_hold_of_its_own_asker(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    address = desk.ask(subnet, 1)
    desk.serve(subnet, address, 1)
    assert desk.held() == {}
    assert desk.ask(subnet, 2) == "10.0.1.2"


def test_rule_4_a_reservation_beats_a_rest(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.serve(subnet, "10.0.1.1", 1)
    desk.release(subnet, "10.0.1.1")
    desk.serve(subnet, "10.0.1.1", 2)
    assert desk.at(subnet, "10.0.1.1").mac == mac(2)


def test_the_first_strategy_takes_the_lowest_free_address(desk: Desk):
    subnet = desk.add("10.0.1.0/28")
    for address in ("10.0.1.1", "10.0.1.2", "10.0.1.4"):
        desk.take(subnet, address)
    assert [desk.ask(subnet, number) for number in (1, 2)] == ["10.0.1.3", "10.0.1.5"]


def test_the_random_strategy_hands_out_every_address_once(desk: Desk):
    subnet = desk.add("10.0.1.0/27", strategy=Strategy.RANDOM, exclude=["10.0.1.9-10.0.1.12"])
    told = [desk.ask(subnet) for _ in range(26)]
    assert len(set(told)) == 26
    assert not {f"10.0.1.{last}" for last in range(9, 13)} & set(told)
    assert told != sorted(told, key=IPAddress)
    with pytest.raises(Exhausted):
        desk.ask(subnet)


def test_the_random_strategy_obeys_a_range_of_one(desk: Desk):
    subnet = desk.add("10.0.1.0/27", strategy=Strategy.RANDOM)
    assert desk.ask(subnet, span="10.0.1.7-10.0.1.7") == "10.0.1.7"


def test_exhausted_counts_what_is_in_the_way(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    for number in range(1, 4):
        desk.ask(subnet, number)
    for last in range(4, 7):
        desk.take(subnet, f"10.0.1.{last}")
    with pytest.raises(Exhausted, match=r"No free address in 10\.0\.1\.0/29: 3 reserved, 3 held") as raised:
        desk.ask(subnet, 9)
    assert (raised.value.used, raised.value.held) == (3, 3)


def test_exhausted_in_a_range_counts_that_range(desk: Desk):
    subnet = desk.add("10.0.1.0/28")
    desk.ask(subnet, 1)
    desk.take(subnet, "10.0.1.8")
    with pytest.raises(Exhausted, match=r"10\.0\.1\.8 of 10\.0\.1\.0/28: 1 reserved, 0 held"):
        desk.ask(subnet, 2, span="10.0.1.8-10.0.1.8")


def test_one_empty_handed_asker_does_not_change_the_book(desk: Desk):
    subnet = desk.add("10.0.1.0/30")
    desk.take(subnet, "10.0.1.1")
    desk.take(subnet, "10.0.1.2")
    before = desk.actions()
    with pytest.raises(Exhausted):
        desk.ask(subnet, 1)
    assert desk.actions() == before


def test_a_subnet_that_was_removed_meanwhile_is_named(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.address_book.remove_subnet(subnet, CALLER)
    with pytest.raises(SubnetNotFound, match=r"10\.0\.1\.0/29 was removed"):
        desk.ask(subnet, 1)


def test_rule_14_an_ipv6_subnet_is_not_enumerated(desk: Desk):
    subnet = desk.add("2001:db8::/64")
    assert [desk.ask(subnet, number) for number in (1, 2)] == ["2001:db8::1", "2001:db8::2"]
    assert desk.ask(subnet, 3, span="2001:db8::ffff:0:0-2001:db8::ffff:0:9") == "2001:db8::ffff:0:0"


def test_the_anonymous_are_told_apart_from_a_key(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    first = desk.address_book.suggest(subnet, Asker(), CALLER)
    assert desk.held()[str(first)].startswith("anonymous:")
