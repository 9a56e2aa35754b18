"""Names, notes and options that cannot be kept or served are refused before anything is changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from netaddr import IPAddress

from providers.errors import InvalidValue
from providers.model import Options, Subnet, Use
from tests.providers.desk import CALLER, Desk, description, host
from tests.providers.soundness import dump


@pytest.fixture
def subnet(desk: Desk) -> Subnet:
    """10.0.1.0/28."""
    return desk.add("10.0.1.0/28")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": " "},
        {"name": "  x"},
        {"name": "a\nb"},
        {"name": 'a"; }'},
        {"name": "x" * 256},
        {"name": "ü" * 128},
        {"hostname": "nul\0"},
        {"hostname": ""},
        {"hostname": "x "},
        {"next_server": "a b"},
        {"next_server": "999.1.1.1"},
        {"next_server": "10.0.1"},
        {"next_server": "10.0.1.5."},
        {"next_server": "x" * 65},
        {"filename": 'boot"'},
        {"filename": "x" * 129},
        {"options": {"root_path": "line\nbreak"}},
        {"options": {"nested": {"root_path": 'quote"'}}},
        {"options": {"root_path": "x" * 256}},
    ],
    ids=str,
)
def test_an_unfit_host_is_refused(desk: Desk, subnet: Subnet, changes: dict):
    before = dump(desk.book)
    with pytest.raises(InvalidValue):
        desk.address_book.reserve(
            subnet, IPAddress("10.0.1.3"), Use.DHCP, CALLER, host=replace(host(1), **changes)
        )
    assert dump(desk.book) == before


@pytest.mark.parametrize(
    "texts", [{"name": "a\nb"}, {"name": ""}, {"name": " x"}, {"note": "a\0"}, {"note": "x" * 1001}], ids=str
)
def test_an_unfit_name_or_note_is_refused(desk: Desk, subnet: Subnet, texts: dict):
    before = dump(desk.book)
    with pytest.raises(InvalidValue):
        desk.address_book.reserve(subnet, IPAddress("10.0.1.3"), Use.MANUAL, CALLER, **texts)
    assert dump(desk.book) == before


def test_names_at_the_bounds_are_kept(desk: Desk, subnet: Subnet):
    fit = replace(host(1), name="ü" * 127, hostname="x" * 255, filename="y" * 128, next_server="z" * 64)
    made = desk.address_book.reserve(subnet, IPAddress("10.0.1.3"), Use.DHCP, CALLER, host=fit, note="n" * 1000)
    assert made.hosts == (replace(fit, address=IPAddress("10.0.1.3")),)
    assert made.note == "n" * 1000


@pytest.mark.parametrize(
    "options",
    [
        Options(mtu=67),
        Options(mtu=65536),
        Options(domain='a"'),
        Options(domain="example.com "),
        Options(next_server="a b"),
        Options(next_server="256.0.0.1"),
    ],
    ids=str,
)
def test_unfit_options_of_a_subnet_are_refused(desk: Desk, options: Options):
    with pytest.raises(InvalidValue):
        desk.address_book.add_subnet(replace(description("10.0.2.0/28"), options=options), CALLER)
    assert desk.address_book.subnets() == []


@pytest.mark.parametrize("next_server", ["10.0.1.5", "boot", "boot.example.com", "3com.example.com", "10.0.1.5.lan"])
def test_a_boot_server_is_an_address_or_a_host_name(desk: Desk, subnet: Subnet, next_server: str):
    fit = replace(host(1), next_server=next_server)
    made = desk.address_book.reserve(subnet, IPAddress("10.0.1.3"), Use.DHCP, CALLER, host=fit)
    assert made.hosts[0].next_server == next_server


def test_blanks_inside_a_name_are_kept(desk: Desk, subnet: Subnet):
    made = desk.address_book.reserve(subnet, IPAddress("10.0.1.3"), Use.MANUAL, CALLER, name="a printer")
    assert made.name == "a printer"
