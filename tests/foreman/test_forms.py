"""Forms that ask for an address: opened twice, left open, sent by two users at once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from netaddr import IPAddress

from providers.model import Lease
from tests.foreman.site import DHCP_ONLY, IN_IPAM, IPAM_ONLY, MAIL, SPARE, WEB, changed, modes

pytestmark = pytest.mark.parametrize("truth", ["noting"], indirect=True)


def test_same_form_opened_twice_has_the_same_address(site, foreman, other_foreman):
    first = foreman.suggest(site.interface("web", WEB))
    second = other_foreman().suggest(site.interface("web", WEB))
    assert first.ip == second.ip
    site.check(held={first.ip: WEB})


def test_asking_again_keeps_the_address_for_longer(site, foreman, clock):
    first = foreman.suggest(site.interface("web", WEB))
    clock.pass_(minutes=29)
    foreman.suggest(site.interface("web", WEB))
    clock.pass_(minutes=29)
    site.check(held={first.ip: WEB})


def test_form_left_open_too_long_still_has_its_address_when_nobody_else_took_it(site, foreman, clock):
    form = foreman.suggest(site.interface("web", WEB))
    clock.pass_(minutes=31)
    assert foreman.create(form).fine
    site.check(site.of(form))


def test_form_left_open_too_long_loses_its_address_to_another_host(site, foreman, other_foreman, clock):
    late = foreman.suggest(site.interface("web", WEB))
    clock.pass_(minutes=31)
    quick, _ = other_foreman().build(site.interface("mail", MAIL))
    assert quick.ip == late.ip
    assert not foreman.create(late).fine
    site.check(site.of(quick))


@pytest.mark.parametrize(("mac", "minutes"), [(WEB, 31), (None, 11)], ids=["with mac", "without mac"])
def test_form_that_is_never_submitted_gives_its_address_back(site, foreman, clock, mac, minutes):
    form = foreman.suggest(site.interface("web", mac))
    clock.pass_(minutes=minutes)
    assert site.holders() == {}
    assert foreman.suggest(site.interface("mail", MAIL)).ip == form.ip
    site.check(held={form.ip: MAIL})


def test_mac_typed_in_after_the_first_suggestion(site, foreman):
    """A new MAC empties the address and asks anew; the first answer was for nobody, and expires."""
    first = foreman.suggest(site.interface("web", None))
    web = foreman.suggest(changed(first, mac=WEB, ip=None))
    assert foreman.create(web).fine
    site.check(site.of(web), held={first.ip: None})


def test_mac_corrected(site, foreman):
    wrong = foreman.suggest(site.interface("web", SPARE))
    web = foreman.suggest(changed(wrong, mac=WEB, ip=None))
    assert wrong.ip != web.ip
    assert foreman.create(web).fine
    site.check(site.of(web), held={wrong.ip: SPARE})


def test_another_suggestion_is_another_address(site, foreman):
    """The link in the form that asks for another address leaves the MAC out."""
    first = foreman.suggest(site.interface("web", WEB))
    other = foreman.suggest(site.interface("web", None))
    assert first.ip != other.ip
    web = changed(other, mac=WEB)
    assert foreman.create(web).fine
    site.check(site.of(web), held={first.ip: WEB})


@modes(DHCP_ONLY)
def test_suggestion_for_a_host_that_is_there_is_its_address(site, foreman):
    web, _ = foreman.build(site.interface("web", WEB))
    assert foreman.suggest(changed(web, ip=None)).ip == web.ip
    site.check(site.of(web))


@modes(*IN_IPAM)
def test_suggestion_of_external_ipam_is_never_one_that_it_then_refuses(site, foreman):
    web, _ = foreman.build(site.interface("web", WEB))
    form = foreman.suggest(changed(web, ip=None))
    assert not foreman.ipam.ip_exists(form.ip, site.lab)
    site.check(site.of(web), held={form.ip: WEB})


def test_upper_case_mac_is_the_same_machine(site, foreman):
    first = foreman.suggest(site.interface("web", WEB.replace("1", "a")))
    second = foreman.suggest(site.interface("web", WEB.replace("1", "A")))
    assert first.ip == second.ip


def test_two_hosts_built_at_once(site, foreman, other_foreman):
    other = other_foreman()
    web, mail = foreman.suggest(site.interface("web", WEB)), other.suggest(site.interface("mail", MAIL))
    assert web.ip != mail.ip
    assert other.create(mail).fine
    assert foreman.create(web).fine
    site.check(site.of(web, mail))


def test_two_hosts_whose_machines_do_not_exist_yet(site, foreman, other_foreman):
    web, mail = foreman.suggest(site.interface("web", None)), other_foreman().suggest(site.interface("mail", None))
    assert web.ip != mail.ip
    web, mail = changed(web, mac=WEB), changed(mail, mac=MAIL)
    assert other_foreman().create(mail).fine
    assert foreman.create(web).fine
    site.check(site.of(web, mail))


@modes(DHCP_ONLY)
def test_two_interfaces_of_one_host_left_blank_ask_with_one_mac(site, foreman):
    """Foreman asks for every interface with the MAC of the first: same asker, same answer, and the second is refused.

    Through its form each interface asks with its own MAC; only hosts made through Foreman's API without addresses
    come here.
    """
    first, second = foreman.suggest(site.interface("web", WEB)), foreman.suggest(site.interface("web-1", WEB))
    assert first.ip == second.ip
    assert foreman.create(first).fine
    assert foreman.create(changed(second, mac=SPARE)).marked == {"conflict"}
    site.check(site.of(first))


def test_same_form_submitted_twice(site, foreman, other_foreman, mode):
    """A double click. What Foreman itself would refuse reaches us as the same request twice."""
    web, _ = foreman.build(site.interface("web", WEB))
    again = other_foreman().create(web)
    assert again.marked == ({"ip"} if mode.ipam else set())
    if mode.dhcp and mode.ipam and not mode.ipam_first:
        # Foreman takes its DHCP record back, which is that of the first: to it, they are one.
        site.check({web.ip: ({"ipam"}, {})})
    elif mode.ipam_first:
        site.check({web.ip: ({"ipam"}, {})})
    else:
        site.check(site.of(web))


def test_as_many_hosts_at_once_as_there_are_addresses(site, other_foreman):
    forms = [
        other_foreman().suggest(site.interface(f"h{number}", f"52:54:00:00:02:{number:02x}")) for number in range(22)
    ]
    suggested = [form for form in forms if form.ip]
    assert len({form.ip for form in suggested}) == len(suggested) == 22
    assert other_foreman().suggest(site.interface("late", WEB)).ip is None
    for form in reversed(suggested):
        assert other_foreman().create(form).fine
    site.check(site.of(*suggested))


@modes(DHCP_ONLY)
def test_range_of_the_subnet_in_foreman_is_kept_to(site, foreman):
    """Foreman's import takes the dynamic range of the subnet as the range of its own; active leases are avoided."""
    began = datetime(2026, 1, 2, tzinfo=UTC)
    site.server.given_out = [Lease(IPAddress("10.0.1.20"), SPARE, began, None, "active")]
    subnet = changed(site.subnet(site.lab), first="10.0.1.20", last="10.0.1.21")
    web, outcome = foreman.build(site.interface("web", WEB, subnet=subnet))
    assert outcome.fine
    assert web.ip == "10.0.1.21"
    assert foreman.suggest(site.interface("mail", MAIL, subnet=subnet)).ip is None
    assert foreman.suggest(site.interface("spare", SPARE, subnet=subnet)).ip == "10.0.1.20"
    site.check(site.of(web), held={"10.0.1.20": SPARE})


@modes(DHCP_ONLY)
def test_machine_with_a_lease_is_suggested_its_lease(site, foreman):
    began = datetime(2026, 1, 2, tzinfo=UTC)
    site.server.given_out = [Lease(IPAddress("10.0.1.9"), WEB, began, None, "active")]
    web, outcome = foreman.build(site.interface("web", WEB))
    assert outcome.fine
    assert web.ip == "10.0.1.9"
    site.check(site.of(web))


@modes(IPAM_ONLY)
def test_two_faces_of_two_subnets_in_foreman_share_one_book(site, foreman, other_foreman):
    """The same network twice in Foreman, once with DHCP and once with External IPAM: nobody gets an address twice."""
    on_dhcp = changed(site.subnet(site.lab), dhcp=True, ipam=False)
    web, first = foreman.build(site.interface("web", WEB))
    mail, second = other_foreman().build(site.interface("mail", MAIL, subnet=on_dhcp))
    assert first.fine
    assert second.fine
    assert web.ip != mail.ip
    site.check(site.of(web, mail))
