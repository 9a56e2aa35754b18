"""Rules 7 and 8: exclusions, pool, dynamic range and the caller's own range steer what is suggested."""

from __future__ import annotations

import pytest

from providers.errors import Exhausted, InvalidValue
from providers.model import Use
from tests.providers.desk import CALLER, Desk, description


def everything(desk: Desk, subnet, span: str | None = None) -> list[str]:
    """All that can be had from the subnet, in order."""
    told = []
    while True:
        try:
            told.append(desk.ask(subnet, span=span))
        except Exhausted:
            return told


def lasts(told: list[str]) -> list[int]:
    return [int(address.rpartition(".")[2]) for address in told]


def test_rule_7_exclusions_are_not_suggested(desk: Desk):
    subnet = desk.add("10.0.1.0/28", exclude=["10.0.1.1", "10.0.1.4-10.0.1.6", "10.0.1.5-10.0.1.8", "10.0.1.14"])
    assert lasts(everything(desk, subnet)) == [2, 3, 9, 10, 11, 12, 13]


def test_rule_7_exclusions_are_not_suggested_in_a_range_either(desk: Desk):
    subnet = desk.add("10.0.1.0/28", exclude=["10.0.1.4-10.0.1.6"])
    assert lasts(everything(desk, subnet, "10.0.1.3-10.0.1.7")) == [3, 7]


def test_rule_7_everything_may_be_excluded(desk: Desk):
    subnet = desk.add("10.0.1.0/29", exclude=["10.0.1.0-10.0.1.7"])
    with pytest.raises(Exhausted, match="0 reserved, 0 held"):
        desk.ask(subnet, 1)


def test_rule_7_an_excluded_address_may_be_reserved_by_naming_it(desk: Desk):
    subnet = desk.add("10.0.1.0/28", exclude=["10.0.1.4-10.0.1.6"])
    assert desk.uses(subnet, str(desk.serve(subnet, "10.0.1.5", 1).address)) == {Use.DHCP}


def test_rule_7_an_excluded_address_is_not_suggested_after_its_release(desk: Desk):
    subnet = desk.add("10.0.1.0/29", exclude=["10.0.1.1-10.0.1.3"])
    desk.take(subnet, "10.0.1.2")
    desk.release(subnet, "10.0.1.2")
    desk.clock.pass_(minutes=5)
    assert lasts(everything(desk, subnet)) == [4, 5, 6]


def test_rule_7_a_released_exclusion_is_not_suggested_to_whoever_had_it(desk: Desk):
    subnet = desk.add("10.0.1.0/29", exclude=["10.0.1.1-10.0.1.3"])
    desk.serve(subnet, "10.0.1.2", 1)
    desk.release(subnet, "10.0.1.2")
    assert desk.ask(subnet, 1) == "10.0.1.4"


def test_rule_7_a_held_address_that_was_excluded_since_is_not_told_again(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    assert desk.ask(subnet, 1) == "10.0.1.1"
    desk.address_book.change_subnet(subnet, description("10.0.1.0/29", exclude=["10.0.1.1-10.0.1.3"]), CALLER)
    assert desk.ask(subnet, 1) == "10.0.1.4"
    assert list(desk.held()) == ["10.0.1.4"]


def test_rule_7_a_held_address_that_became_the_gateway_is_not_told_again(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.ask(subnet, 1)
    desk.address_book.change_subnet(subnet, description("10.0.1.0/29", gateway="10.0.1.1"), CALLER)
    assert desk.ask(subnet, 1) == "10.0.1.2"


def test_a_new_exclusion_takes_addresses_out_and_the_next_change_puts_them_back(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.address_book.change_subnet(subnet, description("10.0.1.0/29", exclude=["10.0.1.1-10.0.1.5"]), CALLER)
    assert desk.ask(subnet, 1) == "10.0.1.6"
    desk.address_book.change_subnet(subnet, description("10.0.1.0/29"), CALLER)
    assert desk.ask(subnet, 2) == "10.0.1.1"


def test_the_hold_of_an_excluded_address_expires_without_making_it_free(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    desk.ask(subnet, 1)
    desk.address_book.change_subnet(subnet, description("10.0.1.0/29", exclude=["10.0.1.1"]), CALLER)
    desk.clock.pass_(hours=1)
    assert lasts(everything(desk, subnet)) == [2, 3, 4, 5, 6]


def test_name_and_time_servers_inside_the_subnet_are_not_suggested(desk: Desk):
    subnet = desk.add("10.0.1.0/29", dns=["10.0.1.2", "10.0.9.9", "2001:db8::53"], ntp=["10.0.1.4"])
    assert lasts(everything(desk, subnet)) == [1, 3, 5, 6]


def test_rule_7_a_name_server_may_be_reserved_by_naming_it(desk: Desk):
    subnet = desk.add("10.0.1.0/29", dns=["10.0.1.2"])
    desk.take(subnet, "10.0.1.2", Use.MANUAL)
    desk.release(subnet, "10.0.1.2")
    desk.clock.pass_(minutes=5)
    assert "10.0.1.2" not in everything(desk, subnet)


def test_rule_8_suggestions_come_from_the_pool(desk: Desk):
    subnet = desk.add("10.0.1.0/28", pool="10.0.1.4-10.0.1.6")
    assert lasts(everything(desk, subnet)) == [4, 5, 6]


def test_rule_2_without_a_range_an_asker_keeps_what_it_has_outside_the_pool(desk: Desk):
    subnet = desk.add("10.0.1.0/28", pool="10.0.1.4-10.0.1.6")
    assert desk.ask(subnet, 1, span="10.0.1.9-10.0.1.10") == desk.ask(subnet, 1) == "10.0.1.9"
    desk.serve(subnet, "10.0.1.11", 2)
    assert desk.ask(subnet, 2) == "10.0.1.11"
    desk.release(subnet, "10.0.1.11")
    assert desk.ask(subnet, 2) == "10.0.1.11"


def test_occupancy_counts_the_pool_as_free(desk: Desk):
    pooled = desk.add("10.0.1.0/28", pool="10.0.1.4-10.0.1.6")
    dynamic = desk.add("10.0.2.0/28", dynamic="10.0.2.3-10.0.2.12")
    desk.ask(pooled, 1)
    desk.take(pooled, "10.0.1.9")
    assert (desk.address_book.occupancy(pooled).free, desk.address_book.occupancy(dynamic).free) == (2, 4)


def test_rule_7_an_address_outside_the_pool_may_be_reserved_by_naming_it(desk: Desk):
    subnet = desk.add("10.0.1.0/28", pool="10.0.1.4-10.0.1.6")
    assert desk.take(subnet, "10.0.1.9")


def test_rule_8_without_a_pool_the_dynamic_range_is_left_out(desk: Desk):
    subnet = desk.add("10.0.1.0/28", dynamic="10.0.1.3-10.0.1.12")
    assert lasts(everything(desk, subnet)) == [1, 2, 13, 14]


def test_rule_8_a_dynamic_range_may_be_all_there_is(desk: Desk):
    subnet = desk.add("10.0.1.0/28", dynamic="10.0.1.1-10.0.1.14")
    with pytest.raises(Exhausted):
        desk.ask(subnet, 1)


def test_rule_8_a_pool_may_lie_in_the_dynamic_range(desk: Desk):
    subnet = desk.add("10.0.1.0/28", dynamic="10.0.1.3-10.0.1.12", pool="10.0.1.5-10.0.1.6")
    assert lasts(everything(desk, subnet)) == [5, 6]


def test_rule_8_a_callers_range_is_obeyed_inside_the_dynamic_range(desk: Desk):
    subnet = desk.add("10.0.1.0/28", dynamic="10.0.1.3-10.0.1.12")
    assert lasts(everything(desk, subnet, "10.0.1.3-10.0.1.5")) == [3, 4, 5]


def test_rule_8_a_callers_range_is_obeyed_outside_the_pool(desk: Desk):
    subnet = desk.add("10.0.1.0/28", pool="10.0.1.4-10.0.1.6")
    assert lasts(everything(desk, subnet, "10.0.1.6-10.0.1.8")) == [6, 7, 8]


def test_rule_8_a_callers_range_is_clipped_to_the_host_addresses(desk: Desk):
    subnet = desk.add("10.0.1.0/29")
    assert lasts(everything(desk, subnet, "10.0.1.0-10.0.1.7")) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("span", ["10.0.2.1-10.0.2.9", "10.0.1.250-10.0.2.3", "2001:db8::1-2001:db8::9"])
def test_rule_8_a_callers_range_outside_the_subnet_is_refused(desk: Desk, span: str):
    subnet = desk.add("10.0.1.0/24")
    with pytest.raises(InvalidValue, match=r"does not belong to subnet 10\.0\.1\.0/24"):
        desk.ask(subnet, 1, span=span)


@pytest.mark.parametrize("span", ["10.0.1.0", "10.0.1.255"])
def test_rule_8_a_callers_range_without_a_host_address_is_refused(desk: Desk, span: str):
    subnet = desk.add("10.0.1.0/24")
    with pytest.raises(InvalidValue, match="has no host address"):
        desk.ask(subnet, 1, span=span)
