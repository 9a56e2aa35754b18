"""Something fails half way, and Foreman takes back what it had done.

What Foreman takes back is gone from the book. What it does not take back stays, and is what each test expects: the step
that failed itself, and entries in External IPAM.
"""

from __future__ import annotations

import pytest

from tests.foreman.site import (
    BOTH,
    DHCP_ONLY,
    DHCP_THEN_IPAM,
    IN_IPAM,
    IPAM_ONLY,
    IPAM_THEN_DHCP,
    MAIL,
    ON_DHCP,
    WEB,
    changed,
    modes,
)
from tests.foreman.steps import ADD, ASK, GIVE_BACK, IPAM_LEFT, RESERVE, WITHDRAW, failing
from tests.foreman.wire import lost, refused


@pytest.fixture
def form(site, foreman):
    """The form of a new host, with what was suggested."""
    return foreman.suggest(site.interface("web", WEB))


@pytest.fixture
def web(site, foreman):
    """A host that was built an hour ago and more."""
    built, _ = foreman.build(site.interface("web", WEB))
    site.book.clock.pass_(minutes=61)
    return built


class TestCreate:
    @failing(
        (DHCP_ONLY, RESERVE),
        (IPAM_ONLY, ASK),
        (IPAM_ONLY, ADD),
        (DHCP_THEN_IPAM, RESERVE),
        (IPAM_THEN_DHCP, ASK),
        (IPAM_THEN_DHCP, ADD),
    )
    def test_first_step_fails_and_the_address_is_still_held(self, site, foreman, wire, form, request_that_fails):
        wire.trouble(*request_that_fails, refused)
        assert not foreman.create(form).fine
        site.check(held={form.ip: WEB})

    @failing((DHCP_THEN_IPAM, ASK), (DHCP_THEN_IPAM, ADD))
    def test_external_ipam_fails_and_the_dhcp_record_is_taken_back(self, site, foreman, wire, form, request_that_fails):
        wire.trouble(*request_that_fails, refused)
        assert not foreman.create(form).fine
        site.check(resting={form.ip: WEB})

    @modes(IPAM_THEN_DHCP)
    def test_entry_in_external_ipam_is_left_when_dhcp_fails_after_it(self, site, foreman, wire, form):
        wire.trouble(*RESERVE, refused)
        assert not foreman.create(form).fine
        site.check({form.ip: IPAM_LEFT})

    @modes(*ON_DHCP)
    def test_step_after_all_of_ours_fails(self, site, foreman, form, mode):
        """DNS, say: the DHCP record is taken back, the entry in External IPAM is not."""
        assert not foreman.create(form, later=lambda: False).fine
        site.check({form.ip: IPAM_LEFT} if mode.ipam else {}, resting={} if mode.ipam else {form.ip: WEB})

    @pytest.mark.parametrize("back_end", ["dhcp", "ipam"])
    def test_server_behind_us_fails(self, site, foreman, form, mode, back_end):
        """Nothing of the step that failed is in the book, whichever server was to blame."""
        if back_end == "dhcp":
            site.server.fails.add("publish")
        else:
            site.upstream.fails.add("create")
        outcome = foreman.create(form)
        reached = mode.dhcp or back_end == "ipam"
        assert outcome.fine is not reached
        if not reached:
            site.check(site.of(form))
        elif back_end == "dhcp" and mode.ipam_first:
            site.check({form.ip: IPAM_LEFT})
        else:
            site.check(held={form.ip: WEB})

    @modes(*BOTH)
    def test_cosmetic_update_of_the_ipam_fails_and_nobody_hears_of_it(self, site, foreman, form):
        site.upstream.fails.add("amend")
        assert foreman.create(form).fine
        site.check(site.of(form))

    @modes(DHCP_ONLY, IPAM_ONLY, DHCP_THEN_IPAM)
    def test_submitted_again_has_the_same_address(self, site, foreman, wire, form, mode):
        wire.trouble(*(ADD if mode.ipam else RESERVE), refused)
        assert not foreman.create(form).fine
        assert foreman.suggest(changed(form, ip=None)).ip == form.ip
        assert foreman.create(form).fine
        site.check(site.of(form))

    @modes(IPAM_THEN_DHCP)
    def test_submitted_again_after_an_entry_was_left_needs_it_deleted(self, site, foreman, wire, form):
        wire.trouble(*RESERVE, refused)
        foreman.create(form)
        assert foreman.create(form).marked == {"ip"}
        site.check({form.ip: IPAM_LEFT})
        foreman.ipam.delete_ip(form.ip, site.lab)
        assert foreman.create(form).fine
        site.check(site.of(form))

    @modes(IPAM_THEN_DHCP)
    def test_submitted_again_with_a_blank_address_has_another(self, site, foreman, wire, form):
        wire.trouble(*RESERVE, refused)
        foreman.create(form)
        again, outcome = foreman.build(changed(form, ip=None))
        assert outcome.fine
        site.check(site.of(again) | {form.ip: IPAM_LEFT})

    @modes(*ON_DHCP)
    def test_answer_to_the_dhcp_record_is_lost(self, site, foreman, wire, form, mode):
        """Foreman does not take back a step of which it never heard; submitted again, the record is its own."""
        wire.trouble(*RESERVE, lost)
        assert not foreman.create(form).fine
        uses = {"dhcp"} | ({"ipam"} if mode.ipam_first else set())
        site.check({form.ip: (uses, {WEB: "web"})})
        if not mode.ipam_first:
            assert foreman.create(form).fine
            site.check(site.of(form))

    @modes(*IN_IPAM)
    def test_answer_to_the_entry_in_external_ipam_is_lost(self, site, foreman, wire, form):
        wire.trouble(*ADD, lost)
        assert not foreman.create(form).fine
        site.check({form.ip: IPAM_LEFT})

    @modes(DHCP_THEN_IPAM)
    def test_taking_back_fails_too_and_helps_to_submit_again(self, site, foreman, wire, form):
        wire.trouble(*ADD, refused)
        wire.trouble(*WITHDRAW, refused)
        assert len(foreman.create(form).errors) == 2
        site.check({form.ip: ({"dhcp"}, {WEB: "web"})})
        assert foreman.create(form).fine
        site.check(site.of(form))

    @modes(*IN_IPAM)
    @pytest.mark.parametrize(("taken", "marked"), [("10.0.1.9", "ip"), ("2001:db8:1::9", "ip6")])
    def test_one_family_is_taken_and_the_other_is_taken_back(self, site, foreman, taken, marked):
        site.seed_ipam(taken)
        six = site.subnet(site.six)
        form = site.interface("web", WEB, ip="10.0.1.9", subnet6=six, ip6="2001:db8:1::9")
        assert foreman.create(form).marked == {marked}
        resting = {"10.0.1.9", "2001:db8:1::9"} - {taken}
        by_dhcp = site.mode.dhcp and marked == "ip6"
        site.check({taken: IPAM_LEFT}, resting=dict.fromkeys(resting, WEB if by_dhcp else None))


class TestUpdate:
    @pytest.fixture
    def new(self, web):
        return changed(web, ip="10.0.1.9")

    @failing((DHCP_ONLY, WITHDRAW), (DHCP_THEN_IPAM, WITHDRAW), (IPAM_ONLY, GIVE_BACK))
    def test_first_step_fails_and_nothing_changed(self, site, foreman, wire, web, new, request_that_fails):
        before = site.rows()
        wire.trouble(*request_that_fails, refused)
        assert not foreman.update(web, new, overwrite=True).fine
        assert site.rows() == before

    @modes(*BOTH)
    def test_giving_back_the_old_address_fails_and_its_record_is_back(self, site, foreman, wire, web, new):
        wire.trouble(*GIVE_BACK, refused)
        assert not foreman.update(web, new, overwrite=True).fine
        site.check(site.of(web))

    @modes(*ON_DHCP)
    def test_new_record_fails_and_the_old_one_is_back(self, site, foreman, wire, web, new, mode):
        """What was given back to External IPAM stays given back: Foreman says that it cannot compensate that."""
        wire.trouble(*RESERVE, refused)
        assert not foreman.update(web, new, overwrite=True).fine
        left = {web.ip: ({"dhcp"}, {WEB: "web"})}
        site.check(left | ({new.ip: IPAM_LEFT} if mode.ipam_first else {}))

    @modes(*IN_IPAM)
    @pytest.mark.parametrize("request_that_fails", [ASK, ADD], ids=["ask", "add"])
    def test_new_entry_fails(self, site, foreman, wire, web, new, mode, request_that_fails):
        wire.trouble(*request_that_fails, refused)
        assert not foreman.update(web, new, overwrite=True).fine
        if mode is IPAM_ONLY:
            site.check(resting={web.ip: WEB})
        else:
            resting = {} if mode.ipam_first else {new.ip: WEB}
            site.check({web.ip: ({"dhcp"}, {WEB: "web"})}, resting=resting)

    @modes(*ON_DHCP)
    def test_step_after_all_of_ours_fails(self, site, foreman, web, new, mode):
        assert not foreman.update(web, new, overwrite=True, later=lambda: False).fine
        left = {web.ip: ({"dhcp"}, {WEB: "web"})}
        if mode.ipam:
            site.check(left | {new.ip: IPAM_LEFT})
        else:
            site.check(left, resting={new.ip: WEB})

    @modes(*BOTH)
    @pytest.mark.parametrize("change", [{"name": "www"}, {"mac": MAIL}], ids=["renamed", "mac"])
    def test_changes_that_keep_the_address_are_taken_back_completely(self, site, foreman, web, change):
        assert not foreman.update(web, changed(web, **change), overwrite=True, later=lambda: False).fine
        site.check(site.of(web))

    @modes(*ON_DHCP)
    @pytest.mark.parametrize("change", [{"name": "www"}, {"mac": MAIL}, {"ip": "10.0.1.9"}], ids=["name", "mac", "ip"])
    def test_dhcp_server_refuses_the_new_record(self, site, foreman, web, change, mode):
        """It recovers before Foreman brings the old record back; otherwise there is nothing to bring it back to."""
        site.server.fail_once("publish")
        assert not foreman.update(web, changed(web, **change), overwrite=True).fine
        if mode.ipam and "ip" in change:
            site.check({web.ip: ({"dhcp"}, {WEB: "web"})} | ({"10.0.1.9": IPAM_LEFT} if mode.ipam_first else {}))
        else:
            site.check(site.of(web))

    @modes(*ON_DHCP)
    def test_old_address_was_taken_by_hand_before_its_record_could_come_back(
        self, site, foreman, wire, web, mode, other_foreman
    ):
        """The old record is refused, as the host's own and as what it overwrote; the other host keeps what it has."""
        thief = site.interface("mail", MAIL, ip=web.ip, subnet=site.subnet(site.lab))

        def steal(send):
            other_foreman().create(thief, overwrite=True)
            return refused(send)

        wire.trouble(*RESERVE, steal)
        outcome = foreman.update(web, changed(web, ip="10.0.1.9"), overwrite=True)
        assert len(outcome.errors) == 3
        site.check(site.of(thief) | ({"10.0.1.9": IPAM_LEFT} if mode.ipam_first else {}))

    @modes(*IN_IPAM)
    def test_new_address_of_one_family_is_taken(self, site, foreman):
        """Foreman has changed the other family by then, and leaves it so; of this one it takes the old address back."""
        old, _ = foreman.build(site.interface("web", WEB, subnet6=site.subnet(site.six)))
        site.seed_ipam("10.0.1.9")
        new = changed(old, ip="10.0.1.9", ip6="2001:db8:1::9")
        assert foreman.update(old, new, overwrite=True).marked >= {"ip"}
        expected = {old.ip: site.of(old)[old.ip], new.ip6: IPAM_LEFT, "10.0.1.9": IPAM_LEFT}
        site.check(expected, resting={old.ip6: WEB})
