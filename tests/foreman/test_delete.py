"""A host is deleted, at the first attempt or at the second."""

from __future__ import annotations

import pytest

from tests.foreman.site import (
    DHCP_ONLY,
    DHCP_THEN_IPAM,
    IN_IPAM,
    IPAM_ONLY,
    IPAM_THEN_DHCP,
    MAIL,
    ON_DHCP,
    WEB,
    modes,
)
from tests.foreman.steps import GIVE_BACK, WITHDRAW, failing
from tests.foreman.wire import lost, refused


@pytest.fixture
def web(site, foreman, clock):
    """A host that was built an hour ago and more."""
    built, _ = foreman.build(site.interface("web", WEB))
    clock.pass_(minutes=61)
    return built


def test_deleted_address_rests_and_is_free_afterwards(site, foreman, clock, web):
    assert foreman.destroy(web).fine
    site.check(resting={web.ip: WEB})
    clock.pass_(minutes=6)
    mail = foreman.suggest(site.interface("mail", MAIL))
    assert mail.ip == web.ip
    site.check(held={web.ip: MAIL})


def test_deleted_twice(site, foreman, web):
    assert foreman.destroy(web).fine
    assert foreman.destroy(web).fine
    site.check(resting={web.ip: WEB})


def test_deleting_one_that_was_never_built(site, foreman):
    assert foreman.destroy(site.interface("web", WEB, ip="10.0.1.9")).fine
    site.check()


def test_another_host_stays(site, foreman, web):
    mail, _ = foreman.build(site.interface("mail", MAIL))
    assert foreman.destroy(web).fine
    site.check(site.of(mail), resting={web.ip: WEB})


def test_deleted_and_built_again_at_once_has_its_address_back(site, foreman, web):
    foreman.destroy(web)
    again, outcome = foreman.build(site.interface("web", WEB))
    assert outcome.fine
    assert again.ip == web.ip
    site.check(site.of(again))


def test_deleted_address_is_had_at_once_by_who_names_it(site, foreman, web):
    foreman.destroy(web)
    mail = site.interface("mail", MAIL, ip=web.ip)
    assert foreman.create(mail).fine
    site.check(site.of(mail))


def test_deleted_address_is_not_suggested_to_another_while_it_rests(site, foreman, web):
    foreman.destroy(web)
    mail, _ = foreman.build(site.interface("mail", MAIL))
    assert mail.ip != web.ip
    site.check(site.of(mail), resting={web.ip: WEB})


@modes(*IN_IPAM)
def test_both_families(site, foreman):
    web, _ = foreman.build(site.interface("web", WEB, subnet6=site.subnet(site.six)))
    assert foreman.destroy(web).fine
    site.check(resting={web.ip: WEB, web.ip6: WEB})


@modes(DHCP_ONLY)
def test_stale_form_deletes_nothing_of_the_host_that_has_the_address_now(site, foreman, web):
    """Foreman deletes by MAC on ``/dhcp``: an address that went to another machine meanwhile stays there."""
    foreman.destroy(web)
    mail = site.interface("mail", MAIL, ip=web.ip)
    foreman.create(mail)
    assert foreman.destroy(web).fine
    site.check(site.of(mail))


class TestFailure:
    @failing((DHCP_ONLY, WITHDRAW), (DHCP_THEN_IPAM, WITHDRAW), (IPAM_ONLY, GIVE_BACK))
    def test_first_step_fails_and_nothing_changed(self, site, foreman, wire, web, request_that_fails):
        before = site.rows()
        wire.trouble(*request_that_fails, refused)
        assert not foreman.destroy(web).fine
        assert site.rows() == before

    @modes(DHCP_THEN_IPAM)
    def test_second_step_fails_and_the_record_is_back(self, site, foreman, wire, web):
        wire.trouble(*GIVE_BACK, refused)
        assert not foreman.destroy(web).fine
        site.check(site.of(web))

    @modes(IPAM_THEN_DHCP)
    def test_entry_is_gone_when_dhcp_fails_after_it(self, site, foreman, wire, web):
        wire.trouble(*WITHDRAW, refused)
        assert not foreman.destroy(web).fine
        site.check({web.ip: ({"dhcp"}, {WEB: "web"})})

    @pytest.mark.parametrize("trouble", [refused, lost])
    @failing(*((mode, WITHDRAW) for mode in ON_DHCP), *((mode, GIVE_BACK) for mode in IN_IPAM))
    def test_deleted_again_leaves_nothing(self, site, foreman, wire, web, trouble, request_that_fails):
        wire.trouble(*request_that_fails, trouble)
        assert not foreman.destroy(web).fine
        assert foreman.destroy(web).fine
        site.check(resting={web.ip: WEB})

    @pytest.mark.parametrize("back_end", ["dhcp", "ipam"])
    def test_server_behind_us_fails_and_deleting_again_leaves_nothing(self, site, foreman, web, mode, back_end):
        if back_end == "dhcp":
            site.server.fail_once("withdraw")
        else:
            site.upstream.fail_once("delete")
        assert foreman.destroy(web).fine is (back_end == "dhcp" and not mode.dhcp)
        assert foreman.destroy(web).fine
        site.check(resting={web.ip: WEB})

    @modes(*ON_DHCP)
    def test_step_after_all_of_ours_fails_and_the_record_is_back(self, site, foreman, web):
        assert not foreman.destroy(web, later=lambda: False).fine
        site.check({web.ip: ({"dhcp"}, {WEB: "web"})})
