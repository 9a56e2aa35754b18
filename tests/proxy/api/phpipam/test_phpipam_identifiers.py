from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from netaddr import IPAddress, IPNetwork

from providers.model import Group, Options, Strategy, Subnet
from proxy.api.phpipam.identifiers import address_id, is_number, split


def subnet(number: int, network: IPNetwork) -> Subnet:
    return Subnet(number, 1, network, Group(1, "g"), "", False, Strategy.FIRST, None, None, (), Options())


@st.composite
def places(draw):
    version = draw(st.sampled_from([4, 6]))
    bits = 32 if version == 4 else 128
    network = IPNetwork((draw(st.integers(0, 2**bits - 1)), draw(st.integers(0, bits))), version=version).cidr
    return subnet(draw(st.integers(1, 2**31)), network), IPAddress(
        draw(st.integers(network.first, network.last)), version
    )


@given(places())
def test_an_identifier_leads_back_to_subnet_and_place(place):
    where, address = place
    number = address_id(where, address)
    assert is_number(str(number))
    assert split(int(number)) == (where.id, int(address) - where.network.first)


@given(places())
def test_a_number_is_one_that_a_double_holds(place):
    number = address_id(*place)
    assert isinstance(number, str) or int(float(number)) == number


@given(places(), places())
def test_two_places_have_two_identifiers(one, other):
    same = (one[0].id, int(one[1]) - one[0].network.first) == (other[0].id, int(other[1]) - other[0].network.first)
    assert (int(address_id(*one)) == int(address_id(*other))) == same


@pytest.mark.parametrize("text", ["", "-1", "1.5", "10.0.1.5", "٣", "1" * 61])
def test_what_is_no_number(text):
    assert not is_number(text)
