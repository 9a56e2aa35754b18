"""A bond: one address, a DHCP host for each MAC, and External IPAM told of it once."""

from __future__ import annotations

import pytest

from tests.foreman.client import Record
from tests.foreman.site import BOTH, DHCP_ONLY, DHCP_THEN_IPAM, MAIL, ON_DHCP, SPARE, WEB, changed, modes
from tests.foreman.wire import lost, refused

FIRST, SECOND, THIRD = (f"52:54:00:00:01:0{number}" for number in (1, 2, 3))


@pytest.fixture
def form(site, foreman):
    """The form of a bond of two."""
    return foreman.suggest(site.interface("db", FIRST, members=(FIRST, SECOND)))


@pytest.fixture
def db(foreman, form, clock):
    """A bond that was built an hour ago and more."""
    assert foreman.create(form).fine
    clock.pass_(minutes=61)
    return form


@modes(*ON_DHCP)
def test_a_created_bond_is_served_on_all_its_macs(site, foreman, form):
    assert foreman.create(form).fine
    site.check({form.ip: (site.mode.uses, {FIRST: "db-01", SECOND: "db-02"})})


@modes(*ON_DHCP)
def test_three_members_and_a_mac_of_its_own(site, foreman):
    db, outcome = foreman.build(site.interface("db", WEB, members=(FIRST, SECOND, THIRD)))
    assert outcome.fine
    site.check({db.ip: (site.mode.uses, {WEB: "db-01", FIRST: "db-02", SECOND: "db-03", THIRD: "db-04"})})


@modes(*ON_DHCP)
def test_every_member_is_told_at_its_address(foreman, db):
    told = foreman.dhcp.records_by_ip(db.subnet.path, db.ip)
    assert {(record.mac, record.name, record.hostname) for record in told} == {
        (FIRST, "db-01", "db"),
        (SECOND, "db-02", "db"),
    }


@modes(*ON_DHCP)
def test_its_own_members_are_no_conflict(foreman, db):
    assert not any(record.conflicts(foreman.dhcp) for record in db.records())


@modes(*ON_DHCP)
def test_a_deleted_bond_leaves_its_address_resting_for_the_first_mac(site, foreman, db):
    assert foreman.destroy(db).fine
    site.check(resting={db.ip: FIRST})


@modes(*ON_DHCP)
def test_deleted_and_built_again_at_once_has_its_address_back(site, foreman, db):
    """Foreman asks with the first MAC, whichever was deleted last."""
    foreman.destroy(db)
    again, outcome = foreman.build(changed(db, ip=None))
    assert outcome.fine
    assert again.ip == db.ip
    site.check(site.of(again))


@modes(*ON_DHCP)
def test_deleted_half_way_and_then_again(site, foreman, wire, db):
    wire.trouble("DELETE", f"/dhcp/10.0.1.0/mac/{SECOND}", refused)
    assert not foreman.destroy(db).fine
    uses = {"dhcp"} if site.mode.ipam_first else site.mode.uses
    site.check({db.ip: (uses, {SECOND: "db-02"})})
    assert foreman.destroy(db).fine
    site.check(resting={db.ip: FIRST})


@modes(*ON_DHCP)
def test_second_member_fails_and_the_form_is_submitted_again(site, foreman, wire, form):
    """Foreman does not take back the first member: to it, the step failed as a whole."""
    wire.trouble("POST", "/dhcp", lambda send: send())
    wire.trouble("POST", "/dhcp", refused)
    assert not foreman.create(form).fine
    site.check({form.ip: (site.mode.uses if site.mode.ipam_first else {"dhcp"}, {FIRST: "db-01"})})
    if not site.mode.ipam_first:
        assert foreman.create(form).fine
        site.check(site.of(form))


@modes(*ON_DHCP)
def test_answer_for_the_second_member_is_lost_and_the_form_is_submitted_again(site, foreman, wire, form):
    wire.trouble("POST", "/dhcp", lambda send: send())
    wire.trouble("POST", "/dhcp", lost)
    assert not foreman.create(form).fine
    if not site.mode.ipam_first:
        assert foreman.create(form).fine
        site.check(site.of(form))


@modes(*ON_DHCP)
def test_taken_back_when_a_later_step_fails(site, foreman, form):
    assert not foreman.create(form, later=lambda: False).fine
    if site.mode.ipam:
        site.check({form.ip: ({"ipam"}, {})})
    else:
        site.check(resting={form.ip: FIRST})


@modes(DHCP_THEN_IPAM)
def test_taken_back_when_external_ipam_fails(site, foreman, wire, form):
    wire.trouble("POST", "/ipam", refused)
    assert not foreman.create(form).fine
    site.check(resting={form.ip: FIRST})


@modes(*ON_DHCP)
def test_address_changed(site, foreman, db):
    new = changed(db, ip="10.0.1.9")
    assert foreman.update(db, new, overwrite=True).fine
    site.check(site.of(new), resting={db.ip: FIRST})


@modes(*ON_DHCP)
def test_a_renamed_bond_keeps_its_address(site, foreman, db):
    new = changed(db, name="data")
    assert foreman.update(db, new).fine
    site.check(site.of(new))


@modes(*ON_DHCP)
@pytest.mark.parametrize(
    "members",
    [(FIRST, SECOND, THIRD), (FIRST,), (SECOND, FIRST), (FIRST, THIRD)],
    ids=["more", "one", "turned", "other"],
)
def test_members_changed(site, foreman, db, members):
    new = changed(db, mac=members[0], members=members)
    assert foreman.update(db, new, overwrite=True).fine
    site.check(site.of(new))


@modes(*ON_DHCP)
def test_members_changed_and_taken_back(site, foreman, db):
    new = changed(db, members=(FIRST, THIRD))
    assert not foreman.update(db, new, overwrite=True, later=lambda: False).fine
    site.check(site.of(db))


@modes(*ON_DHCP)
def test_single_interface_becomes_a_bond(site, foreman):
    single, _ = foreman.build(site.interface("db", FIRST))
    new = changed(single, members=(FIRST, SECOND))
    assert foreman.update(single, new).fine
    site.check(site.of(new))


@modes(*ON_DHCP)
def test_stranger_does_not_join(site, foreman, db):
    before = site.taken()
    assert foreman.create(site.interface("mail", MAIL, ip=db.ip)).marked == {"conflict"}
    assert site.taken() == before


@modes(DHCP_ONLY)
def test_half_of_a_bond_does_not_join_a_stranger(site, foreman, db):
    """Related MACs must name all that are there: SPARE knows of one member only."""
    record = Record("spare", "spare", db.ip, SPARE, "10.0.1.0", related_macs=[FIRST])
    assert [each.mac for each in record.conflicts(foreman.dhcp)] == [SECOND]
    site.check(site.of(db))


@modes(*BOTH)
def test_name_and_mac_of_the_first_member_are_told_to_the_ipam(site, db):
    row = site.upstream.rows[db.ip]
    assert (row.name, row.mac) == ("db", FIRST)


@modes(*ON_DHCP)
def test_infiniband_members(site, foreman):
    long = ":".join(f"{number:02x}" for number in range(20))
    db, outcome = foreman.build(site.interface("db", FIRST, ip="10.0.1.9", members=(FIRST, long)))
    assert outcome.fine
    site.check({db.ip: (site.mode.uses, {FIRST: "db-01", long: "db-02"})})
