"""Every command once with success and once refused; one that is missing from the table fails."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copy, copytree

import click
import pytest
from click.testing import CliRunner
from netaddr import IPAddress

from providers.address_book import AddressBook, Lifetimes
from providers.book.database import Book
from providers.clock import utc_now
from providers.dhcp.none import NoDHCP
from providers.guests import GuestReport, GuestState, WantedAddress
from providers.ipam.local import LocalIPAM
from providers.model import Caller, Use
from proxy.commands import main

MAC = "52:54:00:aa:00:01"
NODE = Caller("node1")
SECRET = r"lh_[A-Za-z0-9_-]{43}\n"


@dataclass(frozen=True)
class Case:
    """A command line, its exit code, and a pattern that all of its output has to match, or a part of its errors."""

    typed: tuple[str, ...]
    code: int
    out: str = ""
    err: str = ""

    def __str__(self) -> str:
        return " ".join(self.typed).replace("\n", "?")


def done(*typed: str, out: str = r"(?s:.+)", err: str = "") -> Case:
    return Case(typed, 0, out, err)


def refused(*typed: str, code: int, err: str) -> Case:
    """Nothing on standard output, a reason among the errors."""
    return Case(typed, code, "", err)


STOCK = (
    ("subnet", "add", "10.0.1.0/24", "--group", "Lab", "--gateway", "10.0.1.1"),
    ("address", "reserve", "10.0.1.7", "--name", "web1", "--mac", MAC),
    ("address", "next", "10.0.1.0/24", "--key", "k"),
    ("token", "create", "hooks", "--scope", "reserve"),
    ("database", "backup", "old.backup"),
)

# Each on a book with the stock in it: 10.0.1.7 is reserved, 10.0.1.2 held, 10.0.1.9 and .10 as _add_a_guest says.
CASES = [
    done("serve", out=""),
    refused("serve", "--http-port", "0", code=2, err="--http-port"),
    refused("serve", "--workers", "many", code=2, err="--workers"),
    done("subnet", "add", "10.0.2.0/24", "--group", "Lab", out=r"Added 10\.0\.2\.0/24 \(Lab\).*\n"),
    refused("subnet", "add", "10.0.1.0/24", "--group", "Lab", code=1, err="exists in group Lab already"),
    refused("subnet", "add", "10.0.2.1/24", code=2, err="10.0.2.0"),
    done("subnet", "list", out=r"(?s)Subnet .*10\.0\.1\.0/24 .*"),
    refused("subnet", "list", "--group", "nobody", code=1, err="nobody"),
    done("subnet", "show", "10.0.1.0/24", out=r"(?s)Subnet +10\.0\.1\.0/24\n.*"),
    refused("subnet", "show", "10.9.9.0/24", code=1, err="leasehold subnet list"),
    done("subnet", "set", "10.0.1.0/24", "--mtu", "9000", out=r"Changed 10\.0\.1\.0/24 .*\n"),
    refused("subnet", "set", "10.0.1.0/24", code=2, err="Nothing to change"),
    refused("subnet", "set", "10.0.1.0/24", "--mtu", "9", code=2, err="--mtu"),
    done("subnet", "remove", "10.0.1.0/24", "--force", out=r"Removed 10\.0\.1\.0/24 .*3 reserved.*\n"),
    refused("subnet", "remove", "10.0.1.0/24", code=1, err="not empty"),
    done("subnet", "sample", out=r"(?s)Added .*", err="Left out 10.0.1.0/24"),
    done("subnet", "sample", "--if-empty", out=""),
    refused("subnet", "sample", "--json", code=2, err="--json"),
    done("address", "list", out=r"(?s)Address .*10\.0\.1\.7 .*web1.*"),
    refused("address", "list", "10.9.9.0/24", code=1, err="10.9.9.0/24"),
    done("address", "show", "10.0.1.7", out=r"(?s)Address +10\.0\.1\.7\n.*State +reserved\n.*web1.*"),
    done("address", "show", "10.0.1.9", "--json", out=r"(?s)\{.*"),
    refused("address", "show", "10.9.9.9", code=1, err="10.9.9.9"),
    done("address", "next", "10.0.1.0/24", out=r"10\.0\.1\.3\n"),
    refused("address", "next", "10.0.1.0/24", "--from", "10.0.1.7", "--to", "10.0.1.7", code=3, err="leasehold"),
    refused("address", "next", "10.0.1.0/24", "--mac", "no", code=2, err="no"),
    done("address", "reserve", "10.0.1.8", "--name", "web2", out=r"Reserved 10\.0\.1\.8 for web2 .*\n"),
    refused("address", "reserve", "10.0.1.7", code=1, err="10.0.1.7"),
    refused("address", "reserve", "10.0.1.1", code=2, err="10.0.1.1"),
    done("address", "release", "10.0.1.7", out=r"Released 10\.0\.1\.7 .*\n"),
    done("address", "release", "10.0.1.99", out=r"10\.0\.1\.99 was not reserved .*\n"),
    refused("address", "release", "10.9.9.9", code=1, err="10.9.9.9"),
    done("address", "reserve", "--next", "10.0.1.0/24", "--name", "web8", out=r"10\.0\.1\.3\n"),
    refused("address", "reserve", "--next", "10.9.9.0/24", code=1, err="leasehold subnet list"),
    refused("address", "reserve", code=2, err="--next"),
    refused("address", "reserve", "10.0.1.8", "--next", "10.0.1.0/24", code=2, err="--next"),
    refused("address", "reserve", "10.0.1.8", "--key", "k", code=2, err="go with --next"),
    done("address", "set", "10.0.1.7", "--note", "rack 3", out=r"Changed 10\.0\.1\.7 .*\n"),
    done("address", "set", "10.0.1.9", "--name", "web9", "--note", "", out=r"Changed 10\.0\.1\.9 .*\n"),
    refused("address", "set", "10.0.1.7", code=2, err="Nothing to change"),
    refused("address", "set", "10.0.1.99", "--name", "x", code=1, err="10.0.1.99"),
    refused("address", "set", "10.0.1.7", "--mac", MAC[:-1] + "2", code=1, err="10.0.1.7"),
    done("address", "adopt", "10.0.1.10", out=r"Adopted 10\.0\.1\.10 .*\n"),
    refused("address", "adopt", "10.0.1.99", code=1, err="nothing to adopt"),
    done("guest", "list", out=r"(?s)Cluster .*jail1 .*node1 .*10\.0\.1\.9.*"),
    done("guest", "list", "--node", "node2", out=r"", err="No guests"),
    refused("guest", "list", "--state", "asleep", code=2, err="asleep"),
    done("guest", "show", "lab/jail1", out=r"(?s)Cluster +lab\n.*"),
    done("guest", "show", "lab/jail1", "--json", out=r"(?s)\{.*"),
    refused("guest", "show", "lab/jail9", code=1, err="leasehold guest list"),
    refused("guest", "show", "jail1", code=2, err="CLUSTER/NAME"),
    done("guest", "remove", "lab/jail1", out=r"Removed guest lab/jail1\.\n"),
    done("guest", "remove", "lab/jail9", out=r"Nothing was removed: .*\n"),
    done("guest", "remove", "lab/jail1", "--node", "node2", out=r"Nothing was removed: .*\n"),
    refused("guest", "remove", "jail1", code=2, err="CLUSTER/NAME"),
    done("claim", "list", out=r"(?s)Cluster .*jail1 +node1 .*"),
    refused("claim", "list", "jail1", code=2, err="jail1"),
    done("claim", "release", "lab/jail1", out=r"Released the claim of node1 on lab/jail1\.\n"),
    refused("claim", "release", "lab/jail1", "--since", "2026-01-31T09:30:00Z", code=1, err="that claim has ended"),
    refused("claim", "release", "lab/jail1", "--since", "yesterday", code=2, err="--since"),
    done("claim", "release", "lab/jail9", out=r"Nobody claims lab/jail9; .*\n"),
    refused("claim", "release", "lab/jail1", "--node", "node2", code=1, err="node1"),
    done("claim", "force", "lab/jail1", "--node", "node2", out=r"node2 has the claim .*taken from node1\.\n"),
    done("claim", "force", "lab/jial1", "--node", "node2", out=r"node2 .*\n", err="No guest lab/jial1 is known"),
    refused("claim", "force", "lab/jail1", code=2, err="--node"),
    done("hold", "list", out=r"(?s)Address .*10\.0\.1\.2 .*"),
    refused("hold", "list", "10.0.1.0", code=2, err="10.0.1.0"),
    done("hold", "release", "10.0.1.2", out=r"Released the hold .*10\.0\.1\.2 .*\n"),
    refused("hold", "release", "10.0.1.7", code=1, err="10.0.1.7"),
    done("events", out=r"(?s)Time .*token\.create .*"),
    refused("events", "--limit", "0", code=2, err="--limit"),
    done("token", "create", "script", "--scope", "read", out=SECRET, err="script"),
    refused("token", "create", "hooks", "--scope", "read", code=1, err="hooks"),
    refused("token", "create", "script", "--scope", "guest", code=2, err="say which node"),
    done("token", "list", out=r"(?s)Name .*hooks .*"),
    refused("token", "list", "hooks", code=2, err="hooks"),
    done("token", "revoke", "hooks", out=r"Revoked token hooks\..*\n"),
    refused("token", "revoke", "script", code=1, err="leasehold token list"),
    done("config", "check"),
    refused("--config", "nowhere.yml", "config", "check", code=5, err="nowhere.yml"),
    done("config", "show", out=r"(?s)# settings\.yml\n.*"),
    refused("--config", "nowhere.yml", "config", "show", code=5, err="nowhere.yml"),
    done("config", "sample", out=r"(?s)# settings\.yml\n.*"),
    refused("config", "sample", "--directory", "settings.yml", code=2, err="--directory"),
    done("config", "reference", out=r"(?s)# .*"),
    refused("config", "reference", "more", code=2, err="more"),
    done("config", "access", out=r"(?s)# .*"),
    refused("config", "access", "more", code=2, err="more"),
    done("sync", out="", err="no DHCP server"),
    refused("sync", "--plan", "--force", code=2, err="--plan"),
    done("check", out="", err="sound"),
    refused("check", "--repair", "--json", code=2, err="--json"),
    done("export", "csv", out=r"(?s)address,.*10\.0\.1\.7,web1,.*"),
    refused("export", "xml", code=2, err="xml"),
    refused("export", "csv", "--subnet", "10.9.9.0/24", code=1, err="10.9.9.0/24"),
    done("import", "isc", "dhcpd.conf", out=r"(?s).*10\.0\.3\.0/24.*"),
    refused("import", "isc", "missing.conf", code=2, err="missing.conf"),
    done("import", "dnsmasq", "dnsmasq.conf", out=r"(?s).*10\.0\.4\.0/24.*"),
    refused("import", "dnsmasq", "missing.conf", code=2, err="missing.conf"),
    done("import", "kea", "kea-dhcp4.conf", out=r"(?s).*10\.0\.4\.0/24.*web4.*"),
    refused("import", "kea", "hosts.csv", code=2, err="hosts.csv"),
    done("import", "csv", "hosts.csv", out=r"(?s).*10\.0\.1\.50.*"),
    refused("import", "csv", "missing.csv", code=2, err="missing.csv"),
    done("database", "upgrade", out=r"The database is up to date .*\n"),
    refused("--config", "nowhere.yml", "database", "upgrade", code=5, err="nowhere.yml"),
    done("database", "backup", "new.backup"),
    refused("database", "backup", "old.backup", code=1, err="old.backup"),
    done("database", "restore", "old.backup", "--force"),
    refused("database", "restore", "old.backup", code=1, err="--force"),
    refused("database", "restore", "missing.backup", code=2, err="missing.backup"),
]

FILES = {
    "dnsmasq.conf": "dhcp-range=10.0.4.0,static,255.255.255.0\n",
    "dhcpd.conf": "subnet 10.0.3.0 netmask 255.255.255.0 { option routers 10.0.3.1; }\n",
    "hosts.csv": "address,name\n10.0.1.50,printer\n",
    "kea-dhcp4.conf": '{"Dhcp4": {"subnet4": [{"subnet": "10.0.4.0/24", "reservations": '
    '[{"hw-address": "52:54:00:aa:00:04", "ip-address": "10.0.4.4", "hostname": "web4"}]}]}}',
}

LISTINGS = (
    ("subnet", "list"),
    ("address", "list"),
    ("hold", "list"),
    ("guest", "list"),
    ("claim", "list"),
    ("events",),
    ("token", "list"),
)
WITHOUT_BOOK = {"serve", "config", "database"}


def leaves(command: click.Command = main, name: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command, hidden ones too, by the words that call it."""
    if not isinstance(command, click.Group):
        yield name
        return
    context = click.Context(command)
    for child in command.list_commands(context):
        found = command.get_command(context, child)
        assert found is not None
        yield from leaves(found, (*name, child))


LEAVES = list(leaves())


def command_of(case: Case) -> tuple[str, ...]:
    words = case.typed[2:] if case.typed[0] == "--config" else case.typed
    return next(leaf for leaf in LEAVES if words[: len(leaf)] == leaf)


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory, empty_book_file: Path) -> Path:
    """A working directory with something of everything, to be copied."""
    place = tmp_path_factory.mktemp("stock")
    (place / "var").mkdir()
    copy(empty_book_file, place / "var" / "leasehold.db")
    (place / "settings.yml").write_text("")
    for name, text in FILES.items():
        (place / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for name in [name for name in os.environ if name.startswith("LEASEHOLD_")]:
            patch.delenv(name)
        for typed in STOCK:
            result = CliRunner().invoke(main, typed, catch_exceptions=False)
            assert result.exit_code == 0, result.output
    _add_a_guest(place / "var" / "leasehold.db")
    return place


def _add_a_guest(file: Path) -> None:
    """What only nodes tell: lab/jail1 on node1 at 10.0.1.9, claimed; and 10.0.1.10, which came from upstream."""
    book = Book(f"sqlite:///{file}")
    desk = AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=utc_now)
    wanted = (WantedAddress(IPAddress("10.0.1.9")),)
    report = GuestReport("lab", "jail1", "node1", utc_now(), "jail", "jail1", GuestState.RUNNING, wanted)
    desk.report_guest(report, NODE)
    desk.claim("lab", "jail1", "node1", NODE)
    desk.reserve(desk.subnet_of(IPAddress("10.0.1.10")), IPAddress("10.0.1.10"), Use.UPSTREAM, NODE, name="old")
    book.close()


@pytest.fixture
def shop(bookless, empty_place, stock):
    """The command line, with something of everything."""
    copytree(stock, empty_place, dirs_exist_ok=True)
    return bookless


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(shop, case, monkeypatch):
    if case.typed == ("serve",):
        monkeypatch.setattr("proxy.server.serve", lambda read_settings: read_settings())

    result = shop(*case.typed)

    assert result.exit_code == case.code, result.output
    assert re.fullmatch(case.out, result.stdout), result.stdout
    assert case.err in result.stderr
    if case.code:
        assert "Error: " in result.stderr


@pytest.mark.parametrize("leaf", LEAVES, ids=" ".join)
def test_every_command_is_in_the_table_with_success_and_refused(leaf):
    codes = {bool(case.code) for case in CASES if command_of(case) == leaf}

    assert codes == {False, True}


@pytest.mark.parametrize("leaf", LEAVES, ids=" ".join)
def test_every_command_explains_itself_without_settings(bookless, leaf):
    printed = bookless.done("--config", "nowhere.yml", *leaf, "--help")

    assert printed.startswith(f"Usage: leasehold {' '.join(leaf)}")


@pytest.mark.parametrize(
    "case", [case for case in CASES if not case.code and case.typed[0] not in WITHOUT_BOOK], ids=str
)
def test_what_needs_a_book_says_so_when_there_is_none(bookless, empty_place, case):
    for name, text in FILES.items():
        (empty_place / name).write_text(text)

    result = bookless(*case.typed)

    assert (result.exit_code, result.stdout) == (5, "")
    assert "leasehold database upgrade" in result.stderr


@pytest.mark.parametrize("case", [case for case in CASES if case.code], ids=str)
def test_what_is_refused_changes_nothing(shop, case):
    def everything() -> list[object]:
        return [shop.json(*listing) for listing in LISTINGS]

    before = everything()

    shop(*case.typed)

    assert everything() == before


@pytest.mark.parametrize("listing", LISTINGS, ids=" ".join)
def test_every_listing_has_json_and_a_table_of_as_many_rows(shop, listing):
    rows = json.loads(shop.done(*listing, "--json"))

    assert len(rows) >= 1
    assert len(shop.done(*listing).splitlines()) == 2 + len(rows)
