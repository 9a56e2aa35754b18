"""A host is built: the form asks for an address, then it is reserved through every face that the subnet has."""

from __future__ import annotations

from dataclasses import replace

import pytest
from netaddr import IPNetwork

from providers.model import SubnetSpec
from proxy.app import create_app
from proxy.settings import load
from tests.foreman.orchestration import Foreman, ForemanSubnet, Interface
from tests.foreman.site import BOTH, GROUP, IN_IPAM, MAIL, ON_DHCP, OPERATOR, WEB, Site, changed, modes
from tests.foreman.wire import Wire
from tests.providers.soundness import assert_sound


def test_suggestion_alone_is_held(site, foreman):
    form = foreman.suggest(site.interface("web", WEB))
    assert form.ip == "10.0.1.3"
    site.check(held={form.ip: WEB})


def test_host_has_its_address_and_nothing_is_held_any_more(site, foreman):
    web, outcome = foreman.build(site.interface("web", WEB))
    assert outcome.fine
    site.check(site.of(web))


def test_host_without_mac_until_its_machine_exists(site, foreman):
    form = foreman.suggest(site.interface("web", None))
    site.check(held={form.ip: None})
    web = changed(form, mac=WEB)
    assert foreman.create(web).fine
    site.check(site.of(web))


def test_address_edited_by_hand_is_had_and_the_suggested_one_expires(site, foreman, clock):
    form = foreman.suggest(site.interface("web", WEB))
    web = changed(form, ip="10.0.1.9")
    assert foreman.create(web).fine
    site.check(site.of(web), held={form.ip: WEB})
    clock.pass_(minutes=31)
    foreman.suggest(site.interface("mail", MAIL))
    site.check(site.of(web), held={form.ip: MAIL})


def test_address_edited_to_one_that_is_held_for_another_is_had(site, foreman, other_foreman):
    mail = other_foreman().suggest(site.interface("mail", MAIL))
    web = site.interface("web", WEB, ip=mail.ip)
    assert foreman.create(web).fine
    site.check(site.of(web))
    assert other_foreman().suggest(site.interface("mail", MAIL)).ip != mail.ip


def test_address_in_the_dynamic_range_is_had_when_named(site, foreman):
    web = site.interface("web", WEB, ip="10.0.1.21")
    assert foreman.create(web).fine
    site.check(site.of(web))


@pytest.mark.parametrize("address", ["10.0.1.0", "10.0.1.31", "10.0.1.1"])
def test_address_that_nobody_may_have_is_refused_and_nothing_is_left(site, foreman, address):
    assert not foreman.create(site.interface("web", WEB, ip=address)).fine
    site.check()


def test_host_in_a_subnet_without_group(site, foreman):
    subnet = replace(site.subnet(site.lab), group="")
    web, outcome = foreman.build(site.interface("web", WEB, subnet=subnet))
    assert outcome.fine
    site.check(site.of(web))


@modes(*ON_DHCP)
def test_boot_values_are_told_as_they_were_sent(site, foreman):
    web, outcome = foreman.build(site.interface("web", WEB, filename="grub2/grubx64.efi", next_server="10.0.1.4"))
    assert outcome.fine
    told = foreman.dhcp.record(web.subnet.path, WEB)
    assert (told.filename, told.next_server, told.name, told.type) == (
        "grub2/grubx64.efi",
        "10.0.1.4",
        "web",
        "reservation",
    )


@modes(*IN_IPAM)
def test_ipv6_through_external_ipam(site, foreman):
    web, outcome = foreman.build(site.interface("web", WEB, subnet=None, subnet6=site.subnet(site.six)))
    assert outcome.fine
    assert web.ip6 == "2001:db8:1::1"
    site.check(site.of(web))


@modes(*IN_IPAM)
def test_both_families(site, foreman):
    web, outcome = foreman.build(site.interface("web", WEB, subnet6=site.subnet(site.six)))
    assert outcome.fine
    site.check(site.of(web))


@modes(*IN_IPAM)
def test_address_that_external_ipam_has_marks_the_field_and_nothing_is_left(site, foreman):
    site.seed_ipam("10.0.1.9")
    outcome = foreman.create(site.interface("web", WEB, ip="10.0.1.9"))
    assert outcome.marked == {"ip"}
    site.check({"10.0.1.9": ({"ipam"}, {})})


@modes(*BOTH)
def test_address_that_has_long_been_on_dhcp_alone_is_somebodys(site, foreman, clock):
    """An hour after its DHCP record was made, an address is no longer the host that Foreman is just building."""
    subnet = replace(site.subnet(site.lab), ipam=False)
    web, outcome = foreman.build(site.interface("web", WEB, subnet=subnet))
    assert outcome.fine
    assert not foreman.ipam.ip_exists(web.ip, site.lab)
    clock.pass_(minutes=61)
    assert foreman.ipam.ip_exists(web.ip, site.lab)
    site.check(site.of(web))


@modes(*BOTH)
def test_name_and_mac_travel_on_to_the_ipam(site, foreman):
    web, _ = foreman.build(site.interface("web", WEB))
    row = site.upstream.rows[web.ip]
    assert (row.name, row.mac) == ("web", WEB)


def test_every_event_names_the_request_of_the_user(site, foreman, wire):
    foreman.suggest(site.interface("web", WEB))
    suggested = wire.request_id
    foreman.create(site.interface("web", WEB, ip="10.0.1.3"))
    made = [event.request_id for event in site.book.events() if event.action.startswith(("hold", "address"))]
    assert set(made) == {suggested, wire.request_id}
    assert OPERATOR.request_id not in made


def test_everything_is_asked_for_once_only(site, foreman, wire, mode):
    """The stand-in itself: a create is these requests and no others."""
    web, _ = foreman.build(site.interface("web", WEB))
    asked = [(method, path.partition("?")[0]) for method, path, _ in wire.sent[1:]]
    dhcp = [("POST", "/dhcp/10.0.1.0")] if mode.dhcp else []
    ipam = [(verb, f"/ipam/subnet/10.0.1.0/27/{web.ip}") for verb in ("GET", "POST")] if mode.ipam else []
    looks = [("GET", f"/dhcp/10.0.1.0/{what}") for what in (f"mac/{WEB}", f"ip/{web.ip}")] if mode.dhcp else []
    assert asked == looks + (ipam + dhcp if mode.ipam_first else dhcp + ipam)


def test_life_of_a_host_with_the_providers_that_are_shipped(address_book, mode, tmp_path, monkeypatch):
    """Everywhere else in this package servers behind us keep notes; these two have nobody to tell."""
    monkeypatch.chdir(tmp_path)
    for cidr in (Site.lab, Site.six):
        address_book.add_subnet(SubnetSpec(IPNetwork(cidr), GROUP), OPERATOR)
    foreman = Foreman(Wire(create_app(address_book, load(environ={}))), ipam_first=mode.ipam_first)
    lab = ForemanSubnet(IPNetwork(Site.lab), mode.dhcp, mode.ipam, GROUP)
    web, outcome = foreman.build(Interface("web", WEB, subnet=lab))
    assert outcome.fine
    new = changed(web, ip="10.0.1.9", name="www")
    assert foreman.update(web, new, overwrite=True).fine
    assert [(str(each.address), set(each.uses)) for each in address_book.reservations()] == [("10.0.1.9", mode.uses)]
    assert_sound(address_book.book)
    assert foreman.destroy(new).fine
    assert list(address_book.reservations()) == []
    assert_sound(address_book.book)
