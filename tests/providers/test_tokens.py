"""Tokens: made, checked, limited, revoked, expired, and when they were last used."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest
from netaddr import IPNetwork
from sqlalchemy import Engine, event, select, text

from providers.address_book import AddressBook
from providers.book.database import Book
from providers.book.tables import tokens as table
from providers.errors import Conflict, InvalidValue, NotAuthenticated, NotFound
from providers.model import Caller
from providers.token_use import THREAD_NAME, LastUse, in_a_thread
from providers.tokens import Scope, Token, Tokens
from tests.conftest import HandClock

CALLER = Caller("test", "request-1")
READ = frozenset({Scope.READ})
UNKNOWN = "lh_" + "A" * 43


def at_once(work: Callable[[], None]) -> None:
    """For notes of uses: write them before the check returns."""
    work()


@pytest.fixture
def tokens(book: Book, clock: HandClock) -> Tokens:
    return Tokens(book, clock, LastUse(book, at_once))


def make(tokens: Tokens, name: str = "hooks", **described: object) -> tuple[Token, str]:
    return tokens.create(name, READ, CALLER, **described)


def refusal(tokens: Tokens, secret: str) -> str:
    with pytest.raises(NotAuthenticated) as refused:
        tokens.check(secret)
    return str(refused.value)


class TestCreate:
    def test_a_secret_is_32_random_bytes_behind_a_prefix(self, tokens):
        _, secret = make(tokens)

        assert re.fullmatch(r"lh_[A-Za-z0-9_-]{43}", secret)

    def test_no_two_secrets_are_equal(self, tokens):
        assert make(tokens, "one")[1] != make(tokens, "two")[1]

    def test_the_token_is_as_described(self, tokens, clock):
        end = clock() + timedelta(days=90)

        made, secret = tokens.create(
            "node 7, jails",
            {Scope.GUEST, Scope.READ},
            CALLER,
            node="node7",
            cluster="east",
            subnets=[IPNetwork("10.0.1.0/24"), IPNetwork("2001:db8::/64")],
            groups=["Lab", "Büro"],
            expires_at=end,
        )

        assert made == Token(
            id=made.id,
            name="node 7, jails",
            scopes=frozenset({Scope.GUEST, Scope.READ}),
            node="node7",
            cluster="east",
            subnets=(IPNetwork("10.0.1.0/24"), IPNetwork("2001:db8::/64")),
            groups=("Lab", "Büro"),
            created_at=clock(),
            expires_at=end,
            last_used_at=None,
        )
        assert tokens.check(secret) == made

    def test_without_more_it_is_without_limits_and_never_ends(self, tokens):
        made, _ = make(tokens)

        assert (made.node, made.cluster, made.subnets, made.groups, made.expires_at) == (None, None, (), (), None)

    def test_what_is_named_twice_counts_once(self, tokens):
        made, _ = make(tokens, subnets=[IPNetwork("10.0.1.0/24")] * 2, groups=["Lab", "Lab"])

        assert (made.subnets, made.groups) == ((IPNetwork("10.0.1.0/24"),), ("Lab",))

    def test_the_end_is_kept_whatever_its_time_zone(self, tokens):
        end = datetime(2026, 3, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))

        assert make(tokens, expires_at=end)[0].expires_at == datetime(2026, 2, 28, 23, 0, tzinfo=UTC)

    @pytest.mark.parametrize("name", ["x", "x" * 64, "two words", "ü", "a/b:c"])
    def test_names_that_are_fine(self, tokens, name):
        assert make(tokens, name)[0].name == name

    @pytest.mark.parametrize("name", ["", " ", "x" * 65, " x", "x ", "a\nb", "a\x1bb", "a\x00", "\udcff"])
    def test_names_that_are_refused(self, tokens, name):
        with pytest.raises(InvalidValue, match="1 to 64 printable"):
            make(tokens, name)
        assert list(tokens.list()) == []

    @pytest.mark.parametrize(
        ("scopes", "described", "message"),
        [
            ((), {}, "at least one scope: read, reserve, guest, admin"),
            ((Scope.GUEST,), {}, "say which node"),
            ((Scope.GUEST,), {"cluster": "east"}, "say which node"),
            ((Scope.GUEST,), {"node": ""}, "say which node"),
            ((Scope.GUEST,), {"node": "a\nb"}, "A node's name"),
            ((Scope.GUEST,), {"node": "n", "cluster": "x" * 256}, "A cluster's name"),
            ((Scope.GUEST,), {"node": "n", "cluster": "east/web"}, "no slash"),
            ((Scope.GUEST,), {"node": "east/web"}, "no slash"),
            ((Scope.READ,), {"node": "node7"}, "Only scope guest"),
            ((Scope.RESERVE,), {"cluster": "east"}, "Only scope guest"),
            ((Scope.READ,), {"subnets": [IPNetwork("10.0.1.5/24")]}, "did you mean 10.0.1.0/24"),
            ((Scope.READ,), {"groups": [""]}, "A group's name"),
            ((Scope.READ,), {"groups": ["Lab", " Lab"]}, "A group's name"),
            ((Scope.READ,), {"expires_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)}, "that is past"),
        ],
    )
    def test_descriptions_that_are_refused(self, tokens, address_book, scopes, described, message):
        with pytest.raises(InvalidValue, match=message):
            tokens.create("hooks", scopes, CALLER, **described)
        assert list(tokens.list()) == []
        assert address_book.events() == []

    def test_a_name_that_lives_is_a_conflict(self, tokens):
        made, secret = make(tokens)

        with pytest.raises(Conflict, match="hooks"):
            make(tokens)
        assert tokens.check(secret) == made

    def test_the_name_of_an_expired_token_may_be_taken(self, tokens, clock):
        _, old = make(tokens, expires_at=clock() + timedelta(hours=1))
        clock.pass_(hours=1)

        made, new = make(tokens)

        assert tokens.check(new).id == made.id
        assert len(tokens.list()) == 1
        refusal(tokens, old)


class TestCheck:
    def test_of_several_it_is_the_one_with_that_secret(self, tokens):
        made = [make(tokens, name) for name in ("one", "two", "three")]

        assert [tokens.check(secret).name for _, secret in made] == ["one", "two", "three"]

    @pytest.mark.parametrize(
        "secret",
        [
            UNKNOWN,
            "",
            "lh_",
            "A" * 43,
            UNKNOWN[:-1],
            UNKNOWN + "A",
            UNKNOWN + "\n",
            "LH_" + "A" * 43,
            "lh_" + "ä" * 43,
            "lh_" + "\udcff" * 43,
            "lh_" + "A" * 10_000_000,
            "' OR 1=1 --",
        ],
        ids=lambda secret: ascii(secret[:12]),
    )
    def test_what_is_no_secret_of_ours_is_refused(self, tokens, secret):
        make(tokens)

        assert refusal(tokens, secret) == refusal(tokens, UNKNOWN)

    @pytest.mark.parametrize("secret", ["", "nonsense", UNKNOWN[:-1], UNKNOWN + "A", UNKNOWN + "\n", "A" * 1_000_000])
    def test_what_does_not_look_like_a_secret_costs_no_search(self, tokens, book, secret):
        seen = []
        event.listen(book.engine, "before_cursor_execute", lambda *call: seen.append(call[2]))

        refusal(tokens, secret)

        assert seen == []

    def test_neither_the_hash_nor_the_name_opens(self, tokens):
        made, secret = make(tokens)

        for wrong in (made.name, sha256(secret.encode()).hexdigest(), "lh_" + sha256(secret.encode()).hexdigest()[:43]):
            refusal(tokens, wrong)

    def test_no_character_of_the_secret_may_differ(self, tokens):
        _, secret = make(tokens)

        for place in range(3, len(secret)):
            other = "A" if secret[place] != "A" else "B"
            refusal(tokens, secret[:place] + other + secret[place + 1 :])

    def test_it_lives_until_its_end_and_not_at_it(self, tokens, clock):
        _, secret = make(tokens, expires_at=clock() + timedelta(minutes=1))

        clock.pass_(seconds=59.999999)
        tokens.check(secret)
        clock.pass_(seconds=0.000001)
        refusal(tokens, secret)

    def test_the_words_are_the_same_whatever_is_wrong(self, tokens, clock):
        _, expired = make(tokens, "expired", expires_at=clock() + timedelta(minutes=1))
        _, revoked = make(tokens, "revoked")
        tokens.revoke("revoked", CALLER)
        clock.pass_(minutes=2)

        assert len({refusal(tokens, secret) for secret in (expired, revoked, UNKNOWN, "nonsense")}) == 1

    def test_it_costs_one_search_by_index(self, tokens, book):
        _, secret = make(tokens)
        tokens.check(secret)
        seen = []
        event.listen(book.engine, "before_cursor_execute", lambda *call: seen.append(call[2:4]))

        tokens.check(secret)

        ((statement, values),) = [each for each in seen if each[0] != "BEGIN"]
        with book.read() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
        assert len(plan) == 1
        assert "SEARCH tokens USING INDEX" in plan[0].detail
        assert "hash=?" in plan[0].detail


class TestRevoke:
    def test_it_returns_what_it_was_and_the_secret_is_refused(self, tokens):
        made, secret = make(tokens)

        assert tokens.revoke("hooks", CALLER) == made

        refusal(tokens, secret)
        assert list(tokens.list()) == []

    def test_it_holds_at_once_for_who_has_the_book_open(self, tokens, book, clock):
        elsewhere = Book(book.url)
        other = Tokens(elsewhere, clock, LastUse(elsewhere, at_once))
        _, secret = make(tokens)
        other.check(secret)

        tokens.revoke("hooks", CALLER)

        refusal(other, secret)
        elsewhere.close()

    def test_other_tokens_stay(self, tokens):
        make(tokens)
        _, secret = make(tokens, "other")

        tokens.revoke("hooks", CALLER)

        assert tokens.check(secret).name == "other"

    def test_the_name_may_be_used_again_with_another_secret(self, tokens):
        _, old = make(tokens)
        tokens.revoke("hooks", CALLER)

        _, new = make(tokens)

        assert tokens.check(new).name == "hooks"
        refusal(tokens, old)

    @pytest.mark.parametrize("name", ["nobody", "", "Hooks", "a\nb", "x" * 1000])
    def test_what_is_not_there_is_not_found(self, tokens, name):
        make(tokens)

        with pytest.raises(NotFound) as refused:
            tokens.revoke(name, CALLER)
        assert str(refused.value).isprintable()
        assert len(tokens.list()) == 1


def test_a_list_is_by_name_and_has_the_expired_too(tokens, clock):
    make(tokens, "b", expires_at=clock() + timedelta(minutes=1))
    make(tokens, "C")
    make(tokens, "a")
    clock.pass_(hours=1)

    assert [(token.name, token.expired(clock())) for token in tokens.list()] == [
        ("a", False),
        ("b", True),
        ("C", False),
    ]


class TestEvents:
    def test_one_for_each_change_that_names_who_and_which(self, tokens, address_book: AddressBook, clock):
        tokens.create("hooks", READ, CALLER, groups=["Lab"], expires_at=clock() + timedelta(days=1))
        tokens.revoke("hooks", Caller("anna"))

        revoked, created = address_book.events()

        assert (created.action, created.actor, created.request_id) == ("token.create", "test", "request-1")
        assert created.detail == {
            "name": "hooks",
            "scopes": ["read"],
            "groups": ["Lab"],
            "expires_at": "2026-01-03T03:04:05+00:00",
        }
        assert (revoked.action, revoked.actor, revoked.detail) == ("token.revoke", "anna", {"name": "hooks"})

    def test_taking_the_name_of_an_expired_one_tells_of_both(self, tokens, address_book, clock):
        make(tokens, expires_at=clock() + timedelta(days=1))
        clock.pass_(days=1)

        make(tokens)

        assert [each.action for each in address_book.events()] == ["token.create", "token.expire", "token.create"]

    def test_none_for_what_was_refused_or_only_checked(self, tokens, address_book):
        _, secret = make(tokens)
        before = address_book.events()

        with pytest.raises(Conflict):
            make(tokens)
        with pytest.raises(NotFound):
            tokens.revoke("nobody", CALLER)
        tokens.check(secret)
        refusal(tokens, UNKNOWN)

        assert address_book.events() == before


class TestSecrecy:
    def test_the_database_has_the_hash_alone(self, tokens, book, tmp_path):
        _, secret = make(tokens)
        tokens.check(secret)

        with book.read() as connection:
            assert connection.execute(select(table.c.hash)).scalar_one() == sha256(secret.encode()).hexdigest()
        for file in tmp_path.iterdir():
            assert secret.removeprefix("lh_").encode() not in file.read_bytes()

    def test_events_have_neither(self, tokens, address_book):
        _, secret = make(tokens)
        tokens.revoke("hooks", CALLER)

        told = repr(address_book.events())

        assert secret not in told
        assert sha256(secret.encode()).hexdigest() not in told

    def test_nothing_is_logged(self, tokens, caplog):
        caplog.set_level("DEBUG")
        _, secret = make(tokens)
        tokens.check(secret)
        refusal(tokens, UNKNOWN)
        tokens.revoke("hooks", CALLER)

        assert secret not in caplog.text
        assert UNKNOWN not in caplog.text
        assert sha256(secret.encode()).hexdigest() not in caplog.text


def last_use(tokens: Tokens) -> datetime | None:
    (token,) = tokens.list()
    return token.last_used_at


class TestLastUse:
    def test_a_use_is_noted(self, tokens, clock):
        _, secret = make(tokens)
        assert last_use(tokens) is None

        clock.pass_(hours=1)
        tokens.check(secret)

        assert last_use(tokens) == clock()

    def test_a_refused_use_is_not(self, tokens, clock):
        _, secret = make(tokens, expires_at=clock() + timedelta(hours=1))
        clock.pass_(hours=1)

        refusal(tokens, secret)

        assert last_use(tokens) is None

    def test_it_is_noted_once_a_minute(self, tokens, clock):
        _, secret = make(tokens)
        first = clock()
        tokens.check(secret)

        clock.pass_(seconds=59)
        tokens.check(secret)
        assert last_use(tokens) == first

        clock.pass_(seconds=1)
        tokens.check(secret)
        assert last_use(tokens) == clock()

    def test_within_a_minute_nothing_is_written(self, tokens, book, clock):
        _, secret = make(tokens)
        tokens.check(secret)
        seen = []
        event.listen(book.engine, "before_cursor_execute", lambda *call: seen.append(call[2].split()[0]))

        clock.pass_(seconds=59)
        tokens.check(secret)

        assert "UPDATE" not in seen

    def test_a_process_that_comes_a_little_later_does_not_write_it_again(self, tokens, book, clock):
        made, secret = make(tokens)
        first = clock()
        tokens.check(secret)

        clock.pass_(seconds=30)
        what_it_read_before = made.last_used_at
        LastUse(book, at_once).note(made.id, what_it_read_before, clock())

        assert last_use(tokens) == first

    def test_what_another_process_noted_lately_is_not_even_tried(self, tokens, book, clock):
        _, secret = make(tokens)
        tokens.check(secret)
        starts = []

        clock.pass_(seconds=59)
        Tokens(book, clock, LastUse(book, starts.append)).check(secret)
        assert starts == []

        clock.pass_(seconds=1)
        Tokens(book, clock, LastUse(book, starts.append)).check(secret)
        assert len(starts) == 1

    def test_the_book_may_be_closed_while_it_is_written(self, tokens, book, clock):
        _, secret = make(tokens)

        def close(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
            if statement.startswith("UPDATE tokens"):
                book.close()

        event.listen(Engine, "before_cursor_execute", close)
        try:
            tokens.check(secret)
        finally:
            event.remove(Engine, "before_cursor_execute", close)

        assert last_use(tokens) == clock()

    def test_a_process_that_ends_waits_for_it(self):
        seen = []
        done = threading.Event()

        in_a_thread(lambda: (seen.append(threading.current_thread().daemon), done.set()))

        assert done.wait(60)
        assert seen == [False]

    def test_it_is_that_of_the_token_and_not_of_a_later_one_of_that_name(self, book, clock):
        waiting: list[Callable[[], None]] = []
        tokens = Tokens(book, clock, LastUse(book, waiting.append))
        _, secret = make(tokens)
        tokens.check(secret)
        tokens.revoke("hooks", CALLER)
        make(tokens)

        (work,) = waiting
        work()

        assert last_use(tokens) is None

    def test_uses_of_several_tokens_are_written_together(self, book, clock):
        waiting: list[Callable[[], None]] = []
        tokens = Tokens(book, clock, LastUse(book, waiting.append))
        for name in ("one", "two", "three"):
            tokens.check(make(tokens, name)[1])

        (work,) = waiting
        work()

        assert {token.last_used_at for token in tokens.list()} == {clock()}

    def test_a_busy_book_does_not_delay_the_check_and_gets_the_note_later(self, book, clock):
        tokens = Tokens(book, clock)
        _, secret = make(tokens)
        begun, go_on = threading.Event(), threading.Event()

        def hold_everybody_up(_connection: object) -> bool:
            begun.set()
            return go_on.wait(60)

        busy = threading.Thread(target=book.write, args=[hold_everybody_up])
        busy.start()
        assert begun.wait(60)

        tokens.check(secret)

        assert busy.is_alive()
        assert last_use(tokens) is None
        go_on.set()
        for thread in threading.enumerate():
            if thread is busy or thread.name == THREAD_NAME:
                thread.join(60)
        assert last_use(tokens) == clock()

    def test_a_note_that_cannot_be_written_is_passed_over_for_a_minute(self, tokens, book, clock):
        _, secret = make(tokens)
        refuse = "CREATE TRIGGER full BEFORE UPDATE ON tokens BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        book.write(lambda connection: connection.execute(text(refuse)))

        assert tokens.check(secret).name == "hooks"
        book.write(lambda connection: connection.execute(text("DROP TRIGGER full")))
        clock.pass_(seconds=59)
        tokens.check(secret)
        assert last_use(tokens) is None

        clock.pass_(seconds=1)
        tokens.check(secret)
        assert last_use(tokens) == clock()

    def test_without_a_thread_to_spare_it_is_passed_over(self, book, clock):
        starts = []

        def start(work: Callable[[], None]) -> None:
            starts.append(work)
            if len(starts) == 1:
                raise RuntimeError("can't start new thread")
            work()

        tokens = Tokens(book, clock, LastUse(book, start))
        _, secret = make(tokens)

        assert tokens.check(secret).name == "hooks"
        clock.pass_(minutes=1)
        tokens.check(secret)

        assert last_use(tokens) == clock()
