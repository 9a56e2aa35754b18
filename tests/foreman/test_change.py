"""A host that is there already: its form is submitted again with other values, or it is installed anew.

On ``/dhcp`` Foreman finds the host's own reservation in the way of a new address or MAC, and goes on when the user says
so; hence ``overwrite``.
"""

from __future__ import annotations

import pytest

from tests.foreman.site import BOTH, IN_IPAM, IPAM_ONLY, MAIL, ON_DHCP, SPARE, WEB, changed, modes


@pytest.fixture
def web(site, foreman):
    """A host that was built an hour ago and more: nothing of that is fresh."""
    built, outcome = foreman.build(site.interface("web", WEB))
    assert outcome.fine
    site.book.clock.pass_(minutes=61)
    return built


@modes(*ON_DHCP)
@pytest.mark.parametrize("change", [{"ip": "10.0.1.9"}, {"mac": SPARE}], ids=["address", "mac"])
def test_own_reservation_in_the_way_is_a_conflict_until_the_user_overwrites(site, foreman, web, change):
    assert foreman.update(web, changed(web, **change)).marked == {"conflict"}
    site.check(site.of(web))


def test_address_changed(site, foreman, web):
    new = changed(web, ip="10.0.1.9")
    assert foreman.update(web, new, overwrite=True).fine
    site.check(site.of(new), resting={web.ip: WEB})


def test_address_changed_to_the_one_that_is_suggested(site, foreman, web, mode):
    """The link that suggests another address asks without a MAC on DHCP; External IPAM is asked with it."""
    form = foreman.suggest(changed(web, ip=None, mac=WEB if mode.ipam else None))
    assert form.ip != web.ip
    new = changed(web, ip=form.ip)
    assert foreman.update(web, new, overwrite=True).fine
    site.check(site.of(new), resting={web.ip: WEB})


def test_address_changed_and_changed_back(site, foreman, web):
    new = changed(web, ip="10.0.1.9")
    foreman.update(web, new, overwrite=True)
    assert foreman.update(new, web, overwrite=True).fine
    site.check(site.of(web), resting={new.ip: site.mac_known(WEB)})


def test_two_hosts_exchange_their_addresses_by_way_of_a_third(site, foreman, web):
    mail, _ = foreman.build(site.interface("mail", MAIL))
    aside = changed(web, ip="10.0.1.9")
    assert foreman.update(web, aside, overwrite=True).fine
    assert foreman.update(mail, changed(mail, ip=web.ip), overwrite=True).fine
    assert foreman.update(aside, changed(web, ip=mail.ip), overwrite=True).fine
    site.check(site.of(changed(web, ip=mail.ip), changed(mail, ip=web.ip)), resting={aside.ip: site.mac_known(WEB)})


def test_mac_changed(site, foreman, web):
    new = changed(web, mac=SPARE)
    assert foreman.update(web, new, overwrite=True).fine
    site.check(site.of(new))


@modes(*BOTH)
def test_new_mac_travels_on_to_the_ipam(site, foreman, web):
    assert foreman.update(web, changed(web, mac=SPARE), overwrite=True).fine
    assert site.upstream.rows[web.ip].mac == SPARE


def test_mac_and_address_changed(site, foreman, web):
    """As the form does it: a new MAC empties the address and asks for one."""
    new = foreman.suggest(changed(web, mac=SPARE, ip=None))
    assert foreman.update(web, new, overwrite=True).fine
    site.check(site.of(new), resting={web.ip: WEB})


def test_a_renamed_host_keeps_its_address(site, foreman, web):
    new = changed(web, name="www")
    assert foreman.update(web, new).fine
    site.check(site.of(new))


@modes(*BOTH)
def test_new_name_travels_on_to_the_ipam(site, foreman, web):
    assert foreman.update(web, changed(web, name="www")).fine
    assert site.upstream.rows[web.ip].name == "www"


@modes(*ON_DHCP)
def test_other_boot_file(site, foreman, web):
    new = changed(web, filename="ipxe.efi")
    assert foreman.update(web, new).fine
    site.check(site.of(new))
    assert site.server.hosts[WEB].filename == "ipxe.efi"


def test_installed_again_with_everything_in_place_changes_nothing(site, foreman, web, wire):
    before = site.rows()
    wire.sent.clear()
    assert foreman.update(web, web, build=True).fine
    assert {method for method, _, _ in wire.sent} <= {"GET"}
    assert site.rows() == before
    site.check(site.of(web))


@modes(*ON_DHCP)
def test_installed_again_after_its_reservation_was_lost(site, foreman, web):
    foreman.dhcp.delete(web.subnet.path, WEB)
    assert foreman.update(web, web, build=True).fine
    site.check(site.of(web))


def test_configuration_rebuilt(site, foreman, web):
    assert foreman.rebuild_configuration(web)
    site.check(site.of(web))


@modes(*ON_DHCP)
def test_configuration_rebuilt_although_it_cannot_be_deleted(site, foreman, web):
    site.server.fails.add("withdraw")
    assert foreman.rebuild_configuration(web)
    site.check(site.of(web))


@modes(*ON_DHCP)
def test_address_is_not_suggested_to_others_in_between(site, foreman, other_foreman, web):
    """Foreman renames and rebuilds by delete and create; whoever asks in between must not get in."""
    foreman.wire.trouble(
        "POST", "/dhcp", lambda send: (other_foreman().suggest(site.interface("mail", MAIL)), send())[1]
    )
    new = changed(web, name="www")
    assert foreman.update(web, new).fine
    assert web.ip not in site.holders()


def test_moved_to_another_subnet(site, foreman, web):
    new = foreman.suggest(changed(web, subnet=site.subnet(site.annex), ip=None))
    assert foreman.update(web, new, overwrite=True).fine
    assert new.ip == "10.0.2.1"
    site.check(site.of(new), resting={web.ip: WEB})


@modes(*IN_IPAM)
def test_family_added(site, foreman, web):
    new = foreman.suggest(changed(web, subnet6=site.subnet(site.six)))
    assert foreman.update(web, new).fine
    site.check(site.of(new))


@modes(*IN_IPAM)
def test_family_removed(site, foreman, web):
    with_six = foreman.suggest(changed(web, subnet6=site.subnet(site.six)))
    foreman.update(web, with_six)
    assert foreman.update(with_six, changed(web, ip6=None)).fine
    site.check(site.of(web), resting={with_six.ip6: WEB})


@modes(IPAM_ONLY)
def test_address_removed(site, foreman, web):
    assert foreman.update(web, changed(web, ip=None, subnet=None)).fine
    site.check(resting={web.ip: WEB})


@modes(*IN_IPAM)
def test_both_addresses_changed(site, foreman):
    old, _ = foreman.build(site.interface("web", WEB, subnet6=site.subnet(site.six)))
    new = changed(old, ip="10.0.1.9", ip6="2001:db8:1::9")
    assert foreman.update(old, new, overwrite=True).fine
    site.check(site.of(new), resting={old.ip: WEB, old.ip6: WEB})
