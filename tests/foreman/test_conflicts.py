"""Somebody else has the address or the MAC; Foreman looks before it acts, shows what it found, and may overwrite it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from netaddr import IPAddress

from providers.model import Lease, Use
from tests.foreman.client import Record
from tests.foreman.site import (
    BOTH,
    DHCP_ONLY,
    IPAM_ONLY,
    MAIL,
    ON_DHCP,
    OPERATOR,
    WEB,
    changed,
    modes,
)
from tests.foreman.wire import after, refused

TAKEN = "10.0.1.9"
ELSEWHERE = "10.0.1.8"


@pytest.fixture
def stranger(foreman):
    """Makes a DHCP reservation that Foreman knows nothing of."""

    def stranger(name, mac, ip):
        assert Record(name, name, ip, mac, "10.0.1.0").create(foreman.dhcp)

    return stranger


def strangers(**taken):
    """What the book has for strangers: address by ``name=(mac, address)``."""
    return {ip: ({"dhcp"}, {mac: name}) for name, (mac, ip) in taken.items()}


@modes(*ON_DHCP)
@pytest.mark.parametrize(
    ("there", "found"),
    [
        ({"old": (MAIL, TAKEN)}, 1),
        ({"old": (WEB, ELSEWHERE)}, 1),
        ({"old": (MAIL, TAKEN), "older": (WEB, ELSEWHERE)}, 2),
    ],
    ids=["address", "mac", "address and mac"],
)
class TestOverwriting:
    def test_conflict_is_shown_and_nothing_is_done(self, site, foreman, stranger, there, found):
        for name, (mac, ip) in there.items():
            stranger(name, mac, ip)
        outcome = foreman.create(site.interface("web", WEB, ip=TAKEN))
        assert [where for where, _ in outcome.errors] == ["conflict"] * found
        site.check(strangers(**there))

    def test_overwriting_takes_the_place_of_what_is_in_the_way(self, site, foreman, stranger, there, found):
        for name, (mac, ip) in there.items():
            stranger(name, mac, ip)
        web = site.interface("web", WEB, ip=TAKEN)
        assert foreman.create(web, overwrite=True).fine
        site.check(site.of(web), resting={ip: mac for mac, ip in there.values() if ip != TAKEN})

    def test_overwritten_although_it_is_old(self, site, foreman, stranger, clock, there, found):
        for name, (mac, ip) in there.items():
            stranger(name, mac, ip)
        clock.pass_(hours=2)
        web = site.interface("web", WEB, ip=TAKEN)
        assert foreman.create(web, overwrite=True).fine
        site.check(site.of(web), resting={ip: mac for mac, ip in there.values() if ip != TAKEN})

    @pytest.mark.parametrize("step", ["POST", "later"])
    def test_overwriting_fails_half_way_and_what_was_there_is_back(
        self, site, foreman, wire, stranger, there, found, step
    ):
        for name, (mac, ip) in there.items():
            stranger(name, mac, ip)
        if step == "POST":
            wire.trouble("POST", "/dhcp", refused)
        web = site.interface("web", WEB, ip=TAKEN)
        assert not foreman.create(web, overwrite=True, later=lambda: False).fine
        expected = strangers(**there)
        resting = {}
        if site.mode.ipam and (site.mode.ipam_first or step == "later"):
            dhcp_uses, hosts = expected.get(TAKEN, (set(), {}))
            expected[TAKEN] = (dhcp_uses | {"ipam"}, hosts)
        elif TAKEN not in expected and step == "later":
            resting[TAKEN] = WEB
        site.check(expected, resting=resting)


@modes(*BOTH)
def test_host_of_foreman_cannot_be_overwritten_while_external_ipam_has_its_address(site, foreman):
    """Deleting the DHCP record frees nothing: the address is that host's in External IPAM, and Foreman sees it."""
    mail, _ = foreman.build(site.interface("mail", MAIL))
    outcome = foreman.create(site.interface("web", WEB, ip=mail.ip), overwrite=True)
    assert outcome.marked == {"ip"}
    site.check(site.of(mail))


@modes(DHCP_ONLY)
def test_host_of_foreman_overwritten_has_no_address_any_more(site, foreman):
    mail, _ = foreman.build(site.interface("mail", MAIL))
    web = site.interface("web", WEB, ip=mail.ip)
    assert foreman.create(web, overwrite=True).fine
    assert foreman.destroy(mail).fine
    site.check(site.of(web))


@modes(*ON_DHCP)
def test_same_mac_and_address_under_another_name_is_no_conflict_to_foreman_but_is_refused(site, foreman, stranger):
    stranger("old", WEB, TAKEN)
    assert foreman.create(site.interface("web", WEB, ip=TAKEN)).marked == {"base"}
    site.check({TAKEN: ({"dhcp"} | ({"ipam"} if site.mode.ipam_first else set()), {WEB: "old"})})


@modes(*ON_DHCP)
def test_same_record_is_there_already(site, foreman, stranger):
    stranger("web", WEB, TAKEN)
    web = site.interface("web", WEB, ip=TAKEN)
    assert foreman.create(web).fine
    site.check(site.of(web))


@modes(*ON_DHCP)
def test_name_is_another_machines(site, foreman, stranger):
    stranger("web", MAIL, ELSEWHERE)
    assert foreman.create(site.interface("web", WEB, ip=TAKEN)).marked == {"base"}
    left = {TAKEN: ({"ipam"}, {})} if site.mode.ipam_first else {}
    site.check(strangers(web=(MAIL, ELSEWHERE)) | left)


@pytest.fixture
def leased(site):
    """The address that a machine got before Foreman knew of it."""
    began = datetime(2026, 1, 2, tzinfo=UTC)
    site.server.given_out = [Lease(IPAddress("10.0.1.20"), WEB, began, None, "active")]
    return "10.0.1.20"


@modes(*ON_DHCP)
@pytest.mark.parametrize("address", ["10.0.1.20", TAKEN], ids=["the same address", "another"])
def test_lease_is_no_conflict(site, foreman, leased, address):
    web = site.interface("web", WEB, ip=address)
    assert foreman.create(web).fine
    site.check(site.of(web))


@modes(*ON_DHCP)
def test_machine_with_a_lease_gets_another_address(site, foreman, leased):
    """Foreman, overwriting a host's own record, deletes it twice; the second time it finds the lease alone."""
    web = site.interface("web", WEB, ip=TAKEN)
    foreman.create(web)
    moved = changed(web, ip=ELSEWHERE)
    assert foreman.update(web, moved, overwrite=True).fine
    site.check(site.of(moved), resting={TAKEN: WEB})


@pytest.mark.parametrize("use", [Use.MANUAL, Use.GUEST])
def test_address_of_an_operator_or_a_guest_is_refused_and_cannot_be_overwritten(site, foreman, use):
    """``/dhcp`` shows DHCP hosts only, so Foreman finds nothing that it could overwrite."""
    site.book.reserve(site.book.subnet_of(IPAddress(TAKEN)), IPAddress(TAKEN), use, OPERATOR, name="router")
    assert not foreman.create(site.interface("web", WEB, ip=TAKEN), overwrite=True).fine
    site.check({TAKEN: ({use.value}, {})})


@modes(IPAM_ONLY)
def test_two_hosts_with_one_address_typed_in(site, foreman):
    web = site.interface("web", WEB, ip=TAKEN)
    assert foreman.create(web).fine
    assert foreman.create(site.interface("mail", MAIL, ip=TAKEN)).marked == {"ip"}
    site.check(site.of(web))


def test_taken_between_looking_and_acting(site, foreman, wire, other_foreman, mode):
    """The other one was quicker: the later create fails as a whole, and leaves nothing."""
    mail = site.interface("mail", MAIL, ip=TAKEN)
    first = "/ipam" if mode.ipam_first or not mode.dhcp else "/dhcp"
    wire.trouble("POST", first, after(lambda: other_foreman().create(mail)))
    assert not foreman.create(site.interface("web", WEB, ip=TAKEN)).fine
    site.check(site.of(mail))


@modes(*ON_DHCP)
def test_mac_has_another_host_in_another_subnet(site, foreman):
    """One machine with two reservations: a MAC has one in each subnet."""
    here, _ = foreman.build(site.interface("web", WEB))
    there, outcome = foreman.build(site.interface("web", WEB, subnet=site.subnet(site.annex)))
    assert outcome.fine
    site.check(site.of(here, there))
