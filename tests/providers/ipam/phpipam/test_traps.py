"""Every trap of phpIPAM's API that was measured, by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from netaddr import IPAddress

from providers.address_book import subnet_spec
from providers.book.database import Book
from providers.errors import Conflict, Exhausted, InvalidValue, Refused, Unavailable
from providers.ipam.contract import Record
from providers.ipam.phpipam.provider import PhpIPAM
from providers.model import Strategy, Subnet, Use
from tests.conftest import HandClock
from tests.phpipam import Double
from tests.phpipam.accounts import CODE
from tests.phpipam.certificates import server_context
from tests.phpipam.faults import Fault, FaultProxy
from tests.providers.desk import CALLER, Desk, mac
from tests.providers.ipam.phpipam.site import provider, subnet_of

APP_CODE = {"user": None, "password": None, "app": "leaseholdcode"}


@pytest.fixture
def ipam(desk: Desk) -> PhpIPAM:
    """The provider of the desk."""
    found = desk.address_book.ipam
    assert isinstance(found, PhpIPAM)
    return found


def record(address: str, **more) -> Record:
    return Record(IPAddress(address), **{"name": "web1", **more})


class TestLookingUp:
    def test_the_broken_look_up_of_1_8_2_is_never_used(self, desk: Desk, subnet: Subnet, double: Double, key: int):
        for last in (3, 4, 5):
            double.add_address(key, f"10.0.1.{last}")
        assert [desk.exists(subnet, f"10.0.1.{last}") for last in (3, 4, 5, 6)] == [True, True, True, False]
        assert not [call for call in double.calls if call.kind == "GET addresses/by-ip"]

    def test_an_address_in_another_subnet_only_is_free(self, desk: Desk, subnet: Subnet, double: Double):
        office = double.add_subnet("10.0.1.0/28", "Office")
        double.add_address(office, "10.0.1.3")
        assert not desk.exists(subnet, "10.0.1.3")

    def test_a_row_that_the_filter_let_through_by_mistake_is_passed_over(
        self, desk: Desk, subnet: Subnet, line: FaultProxy
    ):
        line.wrong = b'{"code":200,"success":true,"data":[{"id":9,"subnetId":99,"ip":"10.0.1.3"}]}'
        line.next(Fault.WRONG_JSON, only="GET addresses/search")
        assert not desk.exists(subnet, "10.0.1.3")

    def test_rows_without_an_id_are_no_answer(self, desk: Desk, subnet: Subnet, line: FaultProxy):
        line.wrong = b'{"code":200,"success":true,"data":[{"name":"x"}]}'
        line.always(Fault.WRONG_JSON)
        with pytest.raises(Unavailable, match="without an id"):
            desk.exists(subnet, "10.0.1.3")
        desk.clock.pass_(minutes=5)
        assert desk.address_book.subnets() == [subnet]

    def test_a_whole_number_in_a_string_is_an_address_too(
        self, desk: Desk, subnet: Subnet, double: Double, key: int
    ):
        """As it comes when another subnet has the address in a row with a lower id."""
        office = double.add_subnet("10.0.1.0/28", "Office")
        double.add_address(office, "10.0.1.3", hostname="theirs")
        double.add_address(key, "10.0.1.3", hostname="ours")
        assert desk.address_book.ipam.record(subnet, IPAddress("10.0.1.3")).name == "ours"

    def test_numbers_as_strings(self, desk: Desk, subnet: Subnet, double: Double, key: int):
        double.stringify = True
        double.add_address(key, "10.0.1.1")
        assert desk.ask(subnet, 1) == "10.0.1.2"
        desk.serve(subnet, "10.0.1.2", 1)
        desk.release(subnet, "10.0.1.2")
        assert double.row(key, "10.0.1.2") is None

    def test_ipv6_in_any_spelling(self, desk: Desk, subnet: Subnet, double: Double):
        six = double.add_subnet("2001:db8:0:1::/64", "Lab")
        double.add_address(six, "2001:db8:0:1:0:0:0:a")
        found = subnet_of(desk, "2001:db8:0:1::/64")
        assert desk.exists(found, "2001:db8:0:1::a")

    def test_first_free_of_ipv6_is_the_network_address_and_is_not_asked_for(self, desk: Desk, double: Double):
        six = double.add_subnet("2001:db8:0:1::/64", "Lab")
        found = subnet_of(desk, "2001:db8:0:1::/64")
        assert desk.ask(found, 1) == "2001:db8:0:1::1"
        assert desk.address_book.ipam.hint(found) is None
        assert double.rows(six) == []


class TestWriting:
    def test_patch_repeats_the_tag(self, desk: Desk, subnet: Subnet, double: Double, key: int):
        desk.take(subnet, "10.0.1.3")
        double.change_address(double.row(key, "10.0.1.3")["id"], tag=3)
        desk.serve(subnet, "10.0.1.3", 1)
        row = double.row(key, "10.0.1.3")
        assert (row["tag"], row["hostname"], row["mac"]) == (3, "host1.example.com", mac(1))

    def test_a_patch_that_would_change_nothing_is_not_sent(
        self, desk: Desk, subnet: Subnet, double: Double, ipam: PhpIPAM
    ):
        desk.serve(subnet, "10.0.1.3", 1)
        double.forget_calls()
        ipam.amend(subnet, record("10.0.1.3", name="host1.example.com", mac=mac(1)))
        assert [call.kind for call in double.calls] == ["GET addresses/search"]

    def test_only_known_keys_are_in_a_body(self, desk: Desk, subnet: Subnet, double: Double, ipam: PhpIPAM, key: int):
        """A key ``id`` in the body would count for more than the one in the path."""
        desk.serve(subnet, "10.0.1.3", 1)
        row = double.row(key, "10.0.1.3")
        body = ipam._parts.fields.changes(record("10.0.1.3", name="other", mac=mac(2)), row)
        assert set(body) <= {"hostname", "mac", "note", "tag"}

    @pytest.mark.parametrize("name", ["a+b", "a/b", "index.php", "0", "100%", "ü 日本 \N{GRINNING FACE}", "x&y=z"])
    def test_odd_names_are_written_as_they_are(
        self, desk: Desk, subnet: Subnet, double: Double, ipam: PhpIPAM, key: int, name: str
    ):
        ipam.create(subnet, record("10.0.1.3", name=name))
        assert double.row(key, "10.0.1.3")["hostname"] == name
        assert ipam.record(subnet, IPAddress("10.0.1.3")).name == name

    def test_what_follows_a_less_than_sign_is_not_lost(
        self, desk: Desk, subnet: Subnet, double: Double, ipam: PhpIPAM, key: int
    ):
        ipam.create(subnet, record("10.0.1.3", description="a<b>c"))
        assert double.row(key, "10.0.1.3")["description"] == "a\u2039b\u203ac"

    def test_what_is_too_long_is_cut_here(
        self, desk: Desk, subnet: Subnet, double: Double, ipam: PhpIPAM, key: int
    ):
        ipam.create(subnet, record("10.0.1.3", name="n" * 255, description="ü" * 65, owner="o" * 129))
        row = double.row(key, "10.0.1.3")
        assert (row["hostname"], row["description"]) == ("n" * 255, "ü" * 63 + "\u2026")
        assert len(row["owner"]) == 128
        assert ipam.record(subnet, IPAddress("10.0.1.3")).ours

    def test_what_was_cut_does_not_differ(self, desk: Desk, subnet: Subnet, double: Double):
        desk.address_book.reserve(subnet, IPAddress("10.0.1.3"), Use.MANUAL, CALLER, description="d" * 200)
        assert list(desk.address_book.check()) == []

    def test_an_infiniband_address_stays_out_of_the_mac_field(
        self, desk: Desk, subnet: Subnet, double: Double, ipam: PhpIPAM, key: int
    ):
        ipam.create(subnet, record("10.0.1.3", mac=":".join(["52"] * 20)))
        assert double.row(key, "10.0.1.3")["mac"] is None

    def test_what_phpipam_cannot_keep_is_the_callers_error(
        self, book: Book, desk: Desk, subnet: Subnet, line: FaultProxy, clock: HandClock
    ):
        short = provider(book, line.url, clock, field_node="custom_node")
        with pytest.raises(InvalidValue, match="Data too long"):
            short.create(subnet, record("10.0.1.3", node="n" * 33))

    def test_html_in_front_of_the_json(self, desk: Desk, subnet: Subnet, double: Double, key: int):
        double.html_before_json = True
        desk.serve(subnet, "10.0.1.3", 1)
        assert double.row(key, "10.0.1.3") is not None
        desk.release(subnet, "10.0.1.3")
        assert double.row(key, "10.0.1.3") is None

    def test_deleting_what_is_nowhere_is_no_empty_500(
        self, desk: Desk, subnet: Subnet, double: Double, ipam: PhpIPAM
    ):
        ipam.delete(subnet, IPAddress("10.0.1.3"))
        assert not [call for call in double.calls if call.status == 500]

    def test_an_address_that_was_removed_between_look_up_and_delete(
        self, desk: Desk, subnet: Subnet, double: Double, ipam: PhpIPAM, key: int
    ):
        desk.take(subnet, "10.0.1.3")
        double.meanwhile["DELETE addresses"] = lambda: double.remove_address(key, "10.0.1.3")
        desk.release(subnet, "10.0.1.3")
        assert desk.at(subnet, "10.0.1.3") is None


class TestOthersAreFaster:
    @pytest.mark.parametrize("how", ["duplicate"])
    def test_the_databases_last_line_is_a_conflict(
        self, desk: Desk, subnet: Subnet, double: Double, key: int, how: str
    ):
        double.breaks["POST addresses"] = [how]
        double.meanwhile["POST addresses"] = lambda: double.add_address(key, "10.0.1.3", hostname="faster")
        with pytest.raises(Conflict, match="faster"):
            desk.take(subnet, "10.0.1.3")
        assert desk.at(subnet, "10.0.1.3") is None

    @pytest.mark.parametrize("how", ["lock", "deadlock"])
    def test_a_lock_that_was_not_had_is_tried_again(
        self, desk: Desk, subnet: Subnet, double: Double, key: int, how: str
    ):
        """The time-out of the lock is HTTP 200 with success false."""
        double.breaks["POST addresses"] = [how, how]
        desk.take(subnet, "10.0.1.3")
        assert double.row(key, "10.0.1.3") is not None

    def test_a_lock_that_is_never_had_is_an_error(self, desk: Desk, subnet: Subnet, double: Double, key: int):
        desk.ask(subnet, 1)
        with double.locked(), pytest.raises(Unavailable, match="Cannot obtain lock"):
            desk.take(subnet, "10.0.1.3")
        assert desk.at(subnet, "10.0.1.3") is None
        assert double.row(key, "10.0.1.3") is None


class TestRights:
    def test_a_read_only_apps_401_does_not_log_in_again(
        self, book: Book, desk: Desk, subnet: Subnet, double: Double, line: FaultProxy, clock: HandClock
    ):
        reader = provider(book, line.url, clock, app="leaseholdro")
        double.forget_calls()
        with pytest.raises(Refused, match="read/write permission"):
            reader.create(subnet, record("10.0.1.3"))
        assert double.count("POST user") == 0

    @pytest.mark.parametrize(("app", "told"), [("leaseholdoff", "disabled"), ("nobody", "Invalid application id")])
    def test_an_app_that_is_not_there_or_off(
        self, book: Book, double: Double, line: FaultProxy, clock: HandClock, app: str, told: str
    ):
        with pytest.raises(Refused, match=told):
            provider(book, line.url, clock, app=app).picture()

    def test_an_app_code_needs_no_log_in(self, book: Book, double: Double, clock: HandClock, tmp_path: Path):
        context, ca = server_context(tmp_path)
        with double.serve(tls=context) as url:
            code = provider(book, url, clock, **APP_CODE, token=CODE, ca_file=str(ca))
            assert [group.name for group in code.picture().groups] == ["Lab"]
        assert double.count("POST user") == 0

    def test_a_wrong_app_code_is_not_tried_again(self, book: Book, double: Double, clock: HandClock, tmp_path: Path):
        context, ca = server_context(tmp_path)
        with double.serve(tls=context) as url:
            code = provider(book, url, clock, **APP_CODE, token="x" * 32, ca_file=str(ca))
            with pytest.raises(Refused, match=":token:"):
                code.picture()
        assert len(double.calls) == 1

    def test_an_app_that_wants_tls(self, book: Book, line: FaultProxy, clock: HandClock):
        with pytest.raises(Refused, match="SSL connection is required"):
            provider(book, line.url, clock, **APP_CODE, token=CODE).picture()

    def test_custom_fields_in_a_nest(
        self, book: Book, desk: Desk, subnet: Subnet, double: Double, line: FaultProxy, clock: HandClock, key: int
    ):
        nested = provider(book, line.url, clock, app="leaseholdnest", field_node="custom_node")
        double.add_address(key, "10.0.1.3", custom_node="node7")
        assert nested.record(subnet, IPAddress("10.0.1.3")).node == "node7"


class TestSession:
    def test_the_session_cookie_is_kept(self, desk: Desk, subnet: Subnet, double: Double):
        """Each call without it leaves a row in php_sessions, perhaps for ever."""
        desk.serve(subnet, desk.ask(subnet, 1), 1)
        desk.release(subnet, number=1)
        assert len(double.calls) > 5
        assert double.sessions == 1


class TestForeignRows:
    def test_a_row_of_the_ruby_proxy_is_a_use_of_ipam(self, desk: Desk, subnet: Subnet, double: Double, key: int):
        double.add_address(key, "10.0.1.3", description="Address auto added by Foreman")
        assert desk.exists(subnet, "10.0.1.3")
        with pytest.raises(Conflict):
            desk.take(subnet, "10.0.1.3")
        desk.serve(subnet, "10.0.1.3", 1)
        assert desk.uses(subnet, "10.0.1.3") == {Use.DHCP, Use.IPAM}
        row = double.row(key, "10.0.1.3")
        assert (row["hostname"], row["mac"]) == ("host1.example.com", mac(1))

    def test_a_row_of_the_ruby_proxy_is_deleted_as_foreman_says(
        self, desk: Desk, subnet: Subnet, double: Double, key: int
    ):
        double.add_address(key, "10.0.1.3", description="Address auto added by Foreman")
        desk.release(subnet, "10.0.1.3", use=Use.IPAM)
        assert double.row(key, "10.0.1.3") is None

    def test_a_row_of_the_same_mac_gets_what_it_lacks_and_no_mark(
        self, desk: Desk, subnet: Subnet, double: Double, key: int
    ):
        double.add_address(key, "10.0.1.3", mac=mac(1), note="do not touch", tag=3)
        desk.serve(subnet, "10.0.1.3", 1)
        row = double.row(key, "10.0.1.3")
        assert (row["hostname"], row["note"], row["tag"]) == ("host1.example.com", "do not touch", 3)

    def test_a_row_with_the_mark_of_another_book_is_foreign(
        self, desk: Desk, subnet: Subnet, double: Double, ipam: PhpIPAM, key: int
    ):
        double.add_address(key, "10.0.1.3", note="[leasehold 00000000]")
        assert not ipam.record(subnet, IPAddress("10.0.1.3")).ours
        ipam.delete(subnet, IPAddress("10.0.1.3"))
        assert double.row(key, "10.0.1.3") is not None

    def test_the_mark_stands_behind_the_note_and_survives_what_people_add(
        self, desk: Desk, subnet: Subnet, double: Double, ipam: PhpIPAM, key: int
    ):
        desk.address_book.reserve(subnet, IPAddress("10.0.1.3"), Use.MANUAL, CALLER, note="rack 4")
        row = double.row(key, "10.0.1.3")
        assert row["note"].startswith("rack 4 [leasehold ")
        double.change_address(row["id"], note=f"{row['note']} moved to rack 5")
        there = ipam.record(subnet, IPAddress("10.0.1.3"))
        assert (there.ours, there.note) == (True, "rack 4 moved to rack 5")

    def test_a_mark_in_a_field_of_its_own(
        self, book: Book, desk: Desk, subnet: Subnet, double: Double, line: FaultProxy, clock: HandClock, key: int
    ):
        marking = provider(book, line.url, clock, mark_field="custom_node")
        marking.create(subnet, record("10.0.1.3", note="rack 4"))
        row = double.row(key, "10.0.1.3")
        assert (row["note"], row["custom_node"][:10]) == ("rack 4", "leasehold ")
        assert marking.record(subnet, IPAddress("10.0.1.3")).ours

    def test_fields_as_cbsds_module_has_them(
        self, book: Book, desk: Desk, subnet: Subnet, double: Double, line: FaultProxy, clock: HandClock, key: int
    ):
        cbsd = provider(
            book,
            line.url,
            clock,
            field_description="none",
            field_emulator="description",
            field_note="none",
            field_node="note",
        )
        guest = record("10.0.1.3", name="jail1", owner="jail1", node="node1.example.com", emulator="jail", online=False)
        cbsd.create(subnet, guest)
        row = double.row(key, "10.0.1.3")
        assert (row["description"], row["owner"], row["tag"]) == ("jail", "jail1", 1)
        assert row["note"].startswith("node1.example.com [leasehold ")
        cbsd.amend(subnet, replace(guest, node="node2.example.com", online=True))
        row = double.row(key, "10.0.1.3")
        assert (row["tag"], row["note"].partition(" ")[0]) == (2, "node2.example.com")


class TestFull:
    def test_nothing_is_suggested_from_a_subnet_that_is_marked_as_full(
        self, desk: Desk, subnet: Subnet, double: Double, key: int
    ):
        double.change_subnet(key, full=True)
        desk.clock.pass_(minutes=5)
        desk.address_book.subnets()
        with pytest.raises(Exhausted, match="marked as full"):
            desk.ask(subnet, 1)
        desk.take(subnet, "10.0.1.3")
        double.change_subnet(key, full=False)
        desk.clock.pass_(minutes=5)
        desk.address_book.subnets()
        assert desk.ask(subnet, 1) == "10.0.1.1"


class TestLargeSubnets:
    """Rule 14, where the whole subnet cannot be read and the book knows nothing of it."""

    @pytest.fixture
    def large(self, desk: Desk, double: Double) -> Subnet:
        """10.50.0.0/16 with 60,000 rows of others."""
        key = double.add_subnet("10.50.0.0/16", "Lab")
        double.fill(key, 60_000)
        double.forget_calls()
        return subnet_of(desk, "10.50.0.0/16")

    def test_the_whole_read_fails_and_the_hint_helps(self, desk: Desk, double: Double, large: Subnet):
        double.forget_calls()
        address = desk.ask(large, 1)
        assert int(IPAddress(address)) == int(IPAddress("10.50.0.0")) + 60_001
        kinds = [call.kind for call in double.calls]
        assert kinds.count("GET subnets/first_free") == 1
        assert kinds.count("GET addresses/search") == 4
        assert len(kinds) == 6

    def test_a_range_around_the_hint_begins_there(self, desk: Desk, large: Subnet):
        assert desk.ask(large, 1, span="10.50.200.0-10.50.255.254") == "10.50.234.97"

    def test_a_range_above_the_hint_is_probed(self, desk: Desk, double: Double, large: Subnet):
        key = double.subnet_id("10.50.0.0/16", "Lab")
        for last in range(1, 9):
            double.add_address(key, f"10.50.250.{last}")
        desk.ask(large, 1, span="10.50.250.1-10.50.250.200")
        assert double.count("GET addresses/search") <= 32

    def test_afterwards_it_is_one_call_for_everybody(self, desk: Desk, double: Double, large: Subnet):
        desk.ask(large, 1)
        double.forget_calls()
        assert [desk.ask(large, number) for number in (2, 3)] == ["10.50.234.98", "10.50.234.99"]
        assert [call.kind for call in double.calls] == ["GET addresses/search"] * 2

    def test_what_is_taken_above_as_well_costs_three_calls(self, desk: Desk, double: Double, large: Subnet):
        desk.ask(large, 1)
        key = double.subnet_id("10.50.0.0/16", "Lab")
        double.add_address(key, "10.50.234.98")
        double.forget_calls()
        assert desk.ask(large, 2) == "10.50.234.99"
        assert [call.kind for call in double.calls] == [
            "GET addresses/search",
            "GET subnets/first_free",
            "GET addresses/search",
        ]

    def test_also_where_addresses_are_picked_at_random(self, desk: Desk, double: Double, large: Subnet):
        desk.ask(large, 1)
        spec = replace(subnet_spec(large), strategy=Strategy.RANDOM)
        at_random = desk.address_book.change_subnet(large, spec, CALLER)
        double.forget_calls()
        told = {desk.ask(at_random, number) for number in range(2, 8)}
        assert all(IPAddress(each) > IPAddress("10.50.234.97") for each in told)
        assert len(double.calls) == 6

    def test_what_others_gave_back_below_is_found_again_later(self, desk: Desk, double: Double, large: Subnet):
        desk.ask(large, 1)
        double.remove_address(double.subnet_id("10.50.0.0/16", "Lab"), "10.50.0.9")
        assert desk.ask(large, 2) == "10.50.234.98"
        desk.clock.pass_(minutes=15)
        assert desk.ask(large, 3) == "10.50.0.9"
