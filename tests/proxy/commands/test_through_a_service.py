"""Every command on the local book and through a service: the same output, the same status, the same book afterwards."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from shutil import copy, copytree
from typing import Any

import pytest
from click.testing import Result
from netaddr import IPAddress, IPNetwork
from werkzeug.serving import make_server

from providers.address_book.incoming import Incoming, IncomingAddress
from providers.book.database import Book
from providers.book.tables import metadata
from providers.clock import utc_now
from providers.guests import GuestReport, WantedAddress
from providers.model import Asker, Caller, SubnetSpec, Use
from providers.tokens import Scope, Tokens
from proxy.app import create_app
from proxy.assembly import open_address_book
from proxy.settings import load
from tests.ports import free_port
from tests.proxy.commands.test_every_command import CASES, MAC, Case, command_of
from tests.proxy.commands.test_every_command import stock as stock  # the fixture, used by its name

LOCAL_ONLY = {"serve", "import", "token", "config", "check", "database", "sync"}
FROM_ELSEWHERE = [case for case in CASES if case.typed[0] not in {*LOCAL_ONLY, "--config"}]

_BY_CHANCE = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?|datetime\.datetime\([^)]*\)"
    r"|(anonymous|allocation):[0-9a-f]{16}"
)
OPERATOR = Caller("operator")


@contextmanager
def service(book_file: Path, **keys: Any) -> Iterator[str]:
    """The URL of a service on a book, as long as it is wanted."""
    settings = load(environ={}, database=f"sqlite:///{book_file}", **keys)
    book = open_address_book(settings)
    server = make_server("127.0.0.1", 0, create_app(book, settings), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        book.close()


def a_token(book_file: Path, *scopes: Scope) -> str:
    """The secret of a new token."""
    book = Book(f"sqlite:///{book_file}")
    secret = Tokens(book, utc_now).create("operator", scopes, OPERATOR)[1]
    book.close()
    return secret


@dataclass(frozen=True)
class Elsewhere:
    """A service with a copy of the stock: where it is, its book, and a token of scope admin."""

    url: str
    book_file: Path
    secret: str


@pytest.fixture
def here(empty_place: Path, stock: Path) -> Path:
    """The file of a book with something of everything, which commands find without being told."""
    copytree(stock, empty_place, dirs_exist_ok=True)
    file = empty_place / "var" / "leasehold.db"
    a_token(file, Scope.ADMIN)
    return file


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory, stock: Path) -> Iterator[Elsewhere]:
    """The same, behind a service that lets nobody in without a token."""
    file = tmp_path_factory.mktemp("service") / "leasehold.db"
    copy(stock / "var" / "leasehold.db", file)
    secret = a_token(file, Scope.ADMIN)
    with service(file, trusted_hosts=()) as url:
        yield Elsewhere(url, file, secret)


def told(result: Result) -> tuple[int, list[str], str]:
    """Status, output and errors of a command, without moments and chance, and the width of columns that they make."""
    words = [word for word in _BY_CHANCE.sub("*", result.stdout).split() if not set(word) <= {"-"}]
    return result.exit_code, words, _BY_CHANCE.sub("*", result.stderr)


def contents(book_file: Path) -> dict[str, list[str]]:
    """Every row of a book without moments, the secrets of tokens, and who did it: that is another by definition."""
    left_out = {"actor", "request_id", "hash", "last_used_at"}
    book = Book(f"sqlite:///{book_file}")
    with book.read() as connection:
        found = {
            table.name: [
                _BY_CHANCE.sub("*", str({key: value for key, value in row._asdict().items() if key not in left_out}))
                for row in connection.execute(table.select())
            ]
            for table in metadata.sorted_tables
        }
    book.close()
    return found


@pytest.mark.parametrize("case", FROM_ELSEWHERE, ids=str)
def test_a_command_does_the_same_through_a_service(bookless, here, elsewhere, case: Case, monkeypatch):
    local = bookless(*case.typed)
    monkeypatch.setenv("LEASEHOLD_TOKEN", elsewhere.secret)
    remote = bookless("--url", elsewhere.url, *case.typed)

    assert told(remote) == told(local)
    assert contents(elsewhere.book_file) == contents(here)


NET = "10.0.1.0/24"
INNER = "10.0.1.128/28"
WITH_OPTIONS = (
    ("address", "next", NET, "--mac", "52:54:00:aa:00:09", "--from", "10.0.1.20", "--to", "10.0.1.30"),
    ("address", "next", NET, "--mac", MAC),
    ("address", "next", INNER, "--key", "inside"),
    ("address", "list", NET),
    ("address", "list", INNER),
    ("address", "list", "--group", "Lab"),
    ("address", "reserve", "10.0.1.140", "--name", "web140", "--description", "a test", "--note", "rack 3"),
    ("address", "reserve", "10.0.1.8", "--name", "web8", "--mac", "52:54:00:aa:00:08", "--group", "Lab"),
    ("address", "reserve", "--next", NET, "--name", "web9", "--key", "order-17", "--from", "10.0.1.20"),
    ("address", "reserve", "--next", NET, "--name", "web9", "--mac", "52:54:00:aa:00:09", "--note", "rack 3"),
    ("hold", "list", NET),
    ("hold", "list", "--group", "lab"),
    ("events", "--limit", "3", "--subnet", NET, "--json"),
    ("events", "--address", "10.0.1.7", "--json"),
    ("export", "json"),
    ("export", "json", "--subnet", NET),
    ("export", "hosts", "--group", "Lab"),
    ("guest", "list", "--cluster", "lab", "--state", "running", "--address", "10.0.1.9", "--json"),
    ("claim", "list", "--node", "node2"),
    ("claim", "list", "--cluster", "lab", "--text", "JAIL", "--json"),
    ("subnet", "list", "--json"),
    ("subnet", "set", NET, "--gateway", "", "--domain", "example.com", "--dns", "10.0.1.3,10.0.1.4", "--mtu", "1400"),
    ("subnet", "add", "10.0.3.0/24", "--pool", "10.0.3.10-10.0.3.20", "--exclude", "10.0.3.12", "--strategy", "random"),
    ("subnet", "add", "10.0.3.0/24", "--no-dhcp"),
)


@pytest.mark.parametrize("typed", WITH_OPTIONS, ids=" ".join)
def test_options_mean_the_same_through_a_service(bookless, here, elsewhere, typed, monkeypatch):
    """With a subnet inside the other one, and something held in it."""
    for file in (here, elsewhere.book_file):
        desk = open_address_book(load(environ={}, database=f"sqlite:///{file}"))
        inner = desk.add_subnet(SubnetSpec(IPNetwork(INNER), "Lab"), OPERATOR)
        desk.suggest(inner, Asker(key="somebody"), OPERATOR)
        desk.reserve(inner, IPAddress("10.0.1.130"), Use.MANUAL, OPERATOR, name="inner")
        desk.close()
    local = bookless(*typed)
    monkeypatch.setenv("LEASEHOLD_TOKEN", elsewhere.secret)
    remote = bookless("--url", elsewhere.url, *typed)

    assert local.exit_code == 0, local.output
    assert told(remote) == told(local)
    assert contents(elsewhere.book_file) == contents(here)


def test_a_hold_is_as_long_as_asked_for(bookless, here, elsewhere, monkeypatch):
    monkeypatch.setenv("LEASEHOLD_TOKEN", elsewhere.secret)
    monkeypatch.setenv("LEASEHOLD_URL", elsewhere.url)
    bookless.done("address", "next", NET, "--key", "long", "--ttl", "2000")

    (row,) = [row for row in bookless.json("hold", "list") if row["key"] == "key:long"]
    length = datetime.fromisoformat(row["expires_at"]) - datetime.fromisoformat(row["taken_at"])
    assert length == timedelta(minutes=2000)


HERE_ALONE = {command_of(case): case for case in CASES if case.typed[0] in LOCAL_ONLY and not case.code}


@pytest.mark.parametrize("leaf", sorted(HERE_ALONE), ids=" ".join)
def test_what_belongs_where_the_book_is_says_so(bookless, here, leaf, monkeypatch):
    command, case = leaf[0], HERE_ALONE[leaf]
    before = contents(here)
    monkeypatch.setenv("LEASEHOLD_URL", "http://127.0.0.1:1")

    result = bookless(*case.typed)

    assert (result.exit_code, result.stdout) == (2, "")
    assert f"leasehold {command} works where the book is" in result.stderr
    assert contents(here) == before
    assert bookless(*command_of(case), "--help").exit_code == 0


class TestProof:
    """What is shown to the service, and where it comes from."""

    @pytest.fixture
    def ask(self, bookless, here, elsewhere, monkeypatch) -> Callable[..., Result]:
        """List subnets through the service; nothing is shown unless a test says so."""
        monkeypatch.setenv("LEASEHOLD_URL", elsewhere.url)
        return lambda *options: bookless(*options, "subnet", "list")

    def test_nothing_is_refused(self, ask):
        result = ask()
        assert (result.exit_code, result.stdout) == (1, "")
        assert "Error: Untrusted client" in result.stderr

    def test_a_token_in_the_environment(self, ask, elsewhere, monkeypatch):
        monkeypatch.setenv("LEASEHOLD_TOKEN", elsewhere.secret)
        assert ask().exit_code == 0

    @pytest.mark.parametrize("by", ["option", "variable"])
    def test_a_token_in_a_file(self, ask, elsewhere, tmp_path, monkeypatch, by):
        file = tmp_path / "token"
        file.write_text(f"{elsewhere.secret}\n")
        monkeypatch.setenv("LEASEHOLD_TOKEN", "lh_another")
        if by == "variable":
            monkeypatch.setenv("LEASEHOLD_TOKEN_FILE", str(file))

        assert ask(*(("--token-file", str(file)) if by == "option" else ())).exit_code == 0

    def test_a_wrong_token_is_refused_and_not_repeated(self, ask, monkeypatch):
        monkeypatch.setenv("LEASEHOLD_TOKEN", "lh_" + "A" * 43)
        result = ask()
        assert result.exit_code == 1
        assert "AAAA" not in result.output

    @pytest.mark.parametrize("text", ["", "two words", "l\N{LATIN SMALL LETTER E WITH ACUTE}", "x" * 600])
    def test_a_file_that_holds_no_token(self, ask, tmp_path, text):
        file = tmp_path / "token"
        file.write_text(text)
        result = ask("--token-file", str(file))
        assert (result.exit_code, result.stdout) == (2, "")
        assert str(file) in result.stderr

    def test_a_key_without_a_certificate(self, ask, tmp_path):
        key = tmp_path / "key.pem"
        key.write_text("")
        assert ask("--key", str(key)).exit_code == 2


class TestAway:
    def test_nobody_listens(self, bookless):
        port = free_port()
        result = bookless("--url", f"http://127.0.0.1:{port}", "subnet", "list")

        assert (result.exit_code, result.stdout) == (4, "")
        assert f"http://127.0.0.1:{port}/api/v1 does not answer: Connection refused." in result.stderr

    @pytest.mark.parametrize(
        ("status", "answer"),
        [
            ("200 OK", b"<h1>Hello</h1>"),
            ("200 OK", b'{"error": null}'),
            ("200 OK", b'{"items": [{"x": 1}], "next": null}'),
            ("409 Conflict", b'{"error": {"code": "claimed", "message": "x", "holder": {}}}'),
            ("409 Conflict", b'{"error": {"code": "exhausted", "message": "x", "used": "many"}}'),
        ],
    )
    def test_what_answers_is_no_leasehold(self, bookless, status, answer):
        def other(environ, start_response):
            start_response(status, [("Content-Type", "text/html")])
            return [answer]

        server = make_server("127.0.0.1", 0, other)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        result = bookless("--url", f"http://127.0.0.1:{server.server_port}", "subnet", "list")
        server.shutdown()
        thread.join()
        server.server_close()

        assert (result.exit_code, result.stdout) == (4, "")
        assert "is not the API of Leasehold" in result.stderr

    def test_the_api_is_switched_off(self, bookless, here):
        with service(here, api={"enabled": False}) as url:
            result = bookless("--url", url, "subnet", "list")
        assert result.exit_code == 4
        assert "is not the API of Leasehold" in result.stderr

    @pytest.mark.parametrize(
        "url",
        ["leasehold", "ftp://127.0.0.1", "http://", "http://u:p@127.0.0.1", "http://a/?b", "http://[::1", "http://a:b"],
    )
    def test_what_is_no_url(self, bookless, url):
        result = bookless("--url", url, "subnet", "list")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "u:p" not in result.stderr


def test_claims_that_a_page_leaves_out_are_no_end_of_the_list(bookless, here, elsewhere, monkeypatch):
    """A token that is limited to a subnet sees the claims of some guests, and gets pages with gaps or with nothing."""
    monkeypatch.setattr("proxy.commands.guest._PAGE", 2)
    desk = open_address_book(load(environ={}, database=f"sqlite:///{elsewhere.book_file}"))
    for number in range(7):
        desk.claim("lab", f"jail{number}", "node1", OPERATOR)
        if number in (1, 6):
            continue
        # In the other subnet, and so not for this token.
        report = GuestReport("lab", f"jail{number}", "node1", utc_now(), group="Other", addresses=(
            WantedAddress(IPAddress(f"10.9.1.{number + 1}")),
        ))
        if not number:
            desk.add_subnet(SubnetSpec(IPNetwork("10.9.1.0/24"), "Other"), OPERATOR)
        desk.report_guest(report, OPERATOR)
    desk.close()
    book = Book(f"sqlite:///{elsewhere.book_file}")
    secret = Tokens(book, utc_now).create("limited", [Scope.READ], OPERATOR, groups=["Lab"])[1]
    book.close()
    monkeypatch.setenv("LEASEHOLD_TOKEN", secret)
    listed = bookless.json("--url", elsewhere.url, "claim", "list")
    assert [row["name"] for row in listed] == ["jail1", "jail6"]


def test_a_long_list_comes_in_pages(bookless, here, elsewhere, monkeypatch):
    for file in (here, elsewhere.book_file):
        desk = open_address_book(load(environ={}, database=f"sqlite:///{file}"))
        subnet = desk.add_subnet(SubnetSpec(IPNetwork("10.7.0.0/20"), "Lab"), OPERATOR)
        incoming = (
            IncomingAddress(subnet.network.network + number, f"{number}", frozenset({Use.MANUAL}))
            for number in range(1, 2101)
        )
        desk.apply_import(Incoming(addresses=tuple(incoming)), OPERATOR, whole=True)
        desk.close()
    local = bookless.json("address", "list")
    monkeypatch.setenv("LEASEHOLD_TOKEN", elsewhere.secret)

    assert [row["address"] for row in bookless.json("--url", elsewhere.url, "address", "list")] == [
        row["address"] for row in local
    ]
    assert len(local) > 2100
