"""Backing up and restoring: from and into every database, during a write load, with damaged files, killed half way."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from providers.address_book import AddressBook, Lifetimes
from providers.book import backup, schema_version
from providers.book.database import Book
from providers.book.restore import restore
from providers.clock import utc_now
from providers.dhcp.none import NoDHCP
from providers.errors import Conflict, InvalidValue, LeaseholdError, Misconfigured, Unavailable
from providers.ipam.local import LocalIPAM
from providers.model import Asker
from tests.conftest import HandClock
from tests.providers.desk import CALLER, Desk, description
from tests.providers.guest_site import Site
from tests.providers.soundness import assert_sound, dump

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
THREADS, TURNS = 4, 40


def fill(desk: Desk, machines: int = 20) -> None:
    """Something of everything."""
    lab = desk.add("10.0.0.0/22", gateway="10.0.0.1", exclude=["10.0.0.100-10.0.0.120"])
    six = desk.add("2001:db8::/64", group="Zürich / 2")
    for number in range(machines):
        desk.serve(lab, f"10.0.1.{number + 1}", number)
    desk.take(six, "2001:db8::7", name="wéb")
    desk.ask(lab, 900)
    desk.release(lab, "10.0.1.2")
    site = Site(desk)
    site.create("a", "jail", "10.0.2.1", "192.0.2.1", macs=[700])
    site.create("a", "gone", "10.0.2.2")
    site.destroy("a", "gone")
    site.claim("a", "jail")


def open_book(book: Book) -> AddressBook:
    return AddressBook(book, LocalIPAM(book, {}), NoDHCP(book, {}), lifetimes=Lifetimes(), clock=utc_now)


def content(book: Book) -> dict[str, list[tuple[object, ...]]]:
    """All rows, without what a restore adds: its event, and the revision of the directory."""
    rows = dump(book, without=("directory",))
    rows["events"] = [row for row in rows["events"] if "database.restore" not in row]
    return rows


@pytest.fixture
def filled(desk: Desk) -> Book:
    """A book with something in it."""
    fill(desk)
    return desk.book


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Book]:
    """A book whose file does not exist yet."""
    opened = Book(f"sqlite:///{tmp_path}/other.db")
    yield opened
    opened.close()


@pytest.fixture
def file(filled: Book, tmp_path: Path) -> Path:
    """A backup of the filled book."""
    path = tmp_path / "book.backup"
    backup.write(filled, path, NOW)
    return path


def test_a_restored_book_is_the_same(filled: Book, file: Path, other: Book):
    restore(other, file, NOW, CALLER)

    assert content(other) == content(filled)
    assert_sound(other)


def test_the_file_is_for_its_owner_alone_and_nothing_else_is_left(file: Path):
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {path.name for path in file.parent.iterdir()} == {file.name, "leasehold.db", "leasehold.db-shm",
                                                            "leasehold.db-wal", "leasehold.db.lock"}  # fmt: skip


def test_the_manifest_counts_the_rows(file: Path, filled: Book):
    manifest = backup.verified(file)

    assert {name: each.rows for name, each in manifest.tables.items()} == {
        name: len(rows) for name, rows in dump(filled).items()
    }
    assert (manifest.revision, manifest.written_at) == (schema_version.HEAD, NOW.isoformat())


def test_a_file_that_exists_is_not_replaced(filled: Book, file: Path):
    before = file.read_bytes()

    with pytest.raises(Conflict, match="--force"):
        backup.write(filled, file, NOW)

    assert file.read_bytes() == before
    backup.write(filled, file, NOW, force=True)


def test_the_book_is_not_overwritten_with_its_own_backup(filled: Book):
    with pytest.raises(InvalidValue, match="book itself"):
        backup.write(filled, Path(str(filled.url.database)), NOW, force=True)


def test_a_directory_that_does_not_exist_is_told(filled: Book, tmp_path: Path):
    with pytest.raises(InvalidValue, match="nowhere"):
        backup.write(filled, tmp_path / "nowhere" / "file", NOW)


def test_a_book_without_tables_is_told(other: Book, tmp_path: Path):
    with pytest.raises(Misconfigured):
        backup.write(other, tmp_path / "file", NOW)

    assert not (tmp_path / "file").exists()


def test_what_was_written_wrongly_is_not_kept(filled: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A disk that loses a row between writing and reading."""
    whole = backup.verified

    def after_a_loss(draft: Path) -> backup.Manifest:
        with sqlite3.connect(draft) as connection:
            connection.execute("DELETE FROM dhcp_hosts WHERE name = 'host3'")
        return whole(draft)

    monkeypatch.setattr(backup, "verified", after_a_loss)

    with pytest.raises(LeaseholdError):
        backup.write(filled, tmp_path / "file", NOW)

    assert not (tmp_path / "file").exists()


def test_a_book_that_is_not_empty_is_refused(filled: Book, file: Path):
    before = dump(filled)

    with pytest.raises(Conflict, match=r"2 subnets.*--force"):
        restore(filled, file, NOW, CALLER)

    assert dump(filled) == before


def test_force_replaces_what_is_there(filled: Book, file: Path, desk: Desk):
    before = content(filled)
    desk.add("10.9.9.0/24", group="Later")

    restore(filled, file, NOW, CALLER, force=True)

    assert content(filled) == before


def test_running_processes_notice(filled: Book, file: Path, desk: Desk):
    desk.add("10.9.9.0/24", group="Later")
    assert len(desk.address_book.subnets()) == 3

    other_process = Book(filled.url)
    restore(other_process, file, NOW, CALLER, force=True)
    other_process.close()

    assert len(desk.address_book.subnets()) == 2


def test_a_restore_is_an_event(file: Path, other: Book, clock: HandClock):
    restore(other, file, NOW, CALLER)

    event = open_book(other).events(limit=1)[0]
    assert (event.action, event.actor) == ("database.restore", "test")


def test_numbers_go_on_after_a_restore(file: Path, other: Book, clock: HandClock):
    restore(other, file, NOW, CALLER)

    added = open_book(other).add_subnet(description("10.9.9.0/24", group="New"), CALLER)

    assert added.id == 3


@pytest.mark.parametrize("text", ["", "hello", "SQLite format 3\0 but not really" * 200])
def test_what_is_no_backup_is_refused(text: str, tmp_path: Path, other: Book):
    (tmp_path / "wrong").write_text(text)

    with pytest.raises(InvalidValue, match="wrong"):
        restore(other, tmp_path / "wrong", NOW, CALLER)

    assert schema_version.present(other) is None


def test_a_book_is_no_backup(filled: Book, other: Book):
    with pytest.raises(InvalidValue, match="no backup"):
        restore(other, Path(str(filled.url.database)), NOW, CALLER)


def test_a_file_that_is_missing_is_told(tmp_path: Path, other: Book):
    with pytest.raises(InvalidValue, match="no such file"):
        restore(other, tmp_path / "nothing", NOW, CALLER)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM dhcp_hosts WHERE name = 'host3'",
        "UPDATE reservations SET name = 'someone' WHERE name = 'host3.example.com'",
        "INSERT INTO groups VALUES (9, 'new', '')",
        "DELETE FROM backup",
        "UPDATE backup SET tables = '{}'",
        "UPDATE backup SET tables = 'oh'",
        "UPDATE backup SET format = 'one'",
        "DROP TABLE holds",
        "UPDATE alembic_version SET version_num = '0000'",
    ],
)
def test_a_changed_file_is_refused(statement: str, file: Path, other: Book):
    with sqlite3.connect(file) as connection:
        connection.execute(statement)

    with pytest.raises(InvalidValue, match="damaged"):
        restore(other, file, NOW, CALLER)

    assert schema_version.present(other) is None


def test_a_damaged_file_is_refused_or_restores_the_same(filled: Book, file: Path, tmp_path: Path, clock: HandClock):
    """Octets that are flipped anywhere either matter, and are noticed, or do not."""
    whole, chance = file.read_bytes(), random.Random(1)
    wanted, refused = content(filled), 0
    target = Book(f"sqlite:///{tmp_path}/target.db")
    schema_version.upgrade(target)
    empty = dump(target)
    for _ in range(40):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        file.write_bytes(damaged)
        try:
            backup.verified(file)
        except (InvalidValue, Misconfigured):
            refused += 1
            with pytest.raises(LeaseholdError):
                restore(target, file, NOW, CALLER)
            assert dump(target) == empty
    file.write_bytes(whole)
    restore(target, file, NOW, CALLER)
    assert content(target) == wanted
    assert refused
    target.close()


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_cut_file_is_refused(part: float, file: Path, other: Book):
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * part)])

    with pytest.raises(InvalidValue):
        restore(other, file, NOW, CALLER)


def test_a_file_of_a_newer_program_is_refused(file: Path, other: Book):
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE backup SET revision = '9999'")

    with pytest.raises(Misconfigured, match="newer"):
        restore(other, file, NOW, CALLER)

    assert schema_version.present(other) is None


def test_a_book_of_a_newer_program_is_refused(filled: Book, file: Path, other: Book):
    schema_version.upgrade(other)
    with sqlite3.connect(str(other.url.database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(Misconfigured):
        restore(other, file, NOW, CALLER)


def test_a_damaged_book_can_be_backed_up(filled: Book, tmp_path: Path):
    with sqlite3.connect(str(filled.url.database)) as connection:
        connection.execute("UPDATE events SET detail = 'no JSON' WHERE id = 1")

    assert backup.write(filled, tmp_path / "file", NOW).rows

    with sqlite3.connect(str(filled.url.database)) as connection:
        connection.execute("UPDATE events SET detail = '{}' WHERE id = 1")


def test_from_sqlite_to_postgresql_and_back(
    filled: Book, file: Path, postgresql_book: Book, other: Book, tmp_path: Path
):
    restore(postgresql_book, file, NOW, CALLER)
    assert content(postgresql_book) == content(filled)
    added = open_book(postgresql_book).add_subnet(description("10.9.9.0/24", group="New"), CALLER)
    assert added.id == 3

    backup.write(postgresql_book, tmp_path / "back", NOW)
    restore(other, tmp_path / "back", NOW, CALLER)

    assert dump(other, without=("directory", "events")) == dump(postgresql_book, without=("directory", "events"))
    assert_sound(other)


@pytest.mark.race
def test_a_backup_during_a_write_load_is_of_one_moment(filled: Book, tmp_path: Path, clock: HandClock):
    address_book = open_book(filled)
    lab = address_book.subnets()[0]
    failures: list[BaseException] = []
    started = threading.Barrier(THREADS + 1)

    def ask(number: int) -> None:
        try:
            started.wait(60)
            for turn in range(TURNS):
                address_book.suggest(lab, Asker(key=f"{number}.{turn}"), CALLER)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    started.wait(60)
    files = [tmp_path / f"backup{number}" for number in range(4)]
    for path in files:
        backup.write(filled, path, NOW)
    for thread in threads:
        thread.join(120)
    assert not failures
    held = []
    for number, path in enumerate(files):
        restored = Book(f"sqlite:///{tmp_path}/restored{number}.db")
        restore(restored, path, NOW, CALLER)
        assert_sound(restored)
        held.append(len(dump(restored)["holds"]))
        restored.close()
    assert held == sorted(held)


_RESTORE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from providers.book.database import Book
from providers.book.restore import restore
from providers.model import Caller
print("ready", flush=True)
sys.stdin.readline()
print("go", flush=True)
restore(Book(sys.argv[1]), Path(sys.argv[2]), datetime.now(UTC), Caller("test"), force=True)
"""


@pytest.mark.race
def test_a_restore_that_is_killed_leaves_the_old_or_the_new_book(
    filled: Book, file: Path, tmp_path: Path, other: Book
):
    schema_version.upgrade(other)
    open_book(other).add_subnet(description("10.7.7.0/24", group="Old"), CALLER)
    old, new = content(other), content(filled)
    for delay in (0.0, 0.01, 0.03, 0.06, 0.1, 0.2):
        process = subprocess.Popen(
            [sys.executable, "-c", _RESTORE, str(other.url), str(file)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "go\n"
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        process.wait(60)
        assert content(other) in (old, new)
        assert_sound(other)


def test_an_older_backup_is_upgraded_on_its_way(file: Path, other: Book, monkeypatch: pytest.MonkeyPatch):
    """As if this program knew a later revision: the copy goes through the migrations, the file stays."""
    before, seen = file.read_bytes(), []

    def upgrade(book: Book, **_: object) -> tuple[str, str]:
        seen.append(book)
        return "0001", "0001"

    manifest = backup.verified(file)
    older = backup.Manifest("0000", manifest.written_at, manifest.tables)
    monkeypatch.setattr(schema_version, "upgrade", upgrade)

    with backup.at_present_revision(file, older) as present, sqlite3.connect(present) as connection:
        assert present != file
        assert connection.execute("SELECT COUNT(*) FROM groups").fetchone() == (2,)

    assert len(seen) == 1
    assert file.read_bytes() == before


def older_revisions() -> list[str]:
    """All revisions before the newest."""
    config = Config()
    config.set_main_option("script_location", str(Path(schema_version.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    every = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    return sorted(each for each in every if each != schema_version.HEAD)


@pytest.mark.parametrize("revision", older_revisions())
def test_a_book_of_an_older_program_is_saved_and_restored(revision: str, tmp_path: Path, other: Book):
    old = Book(f"sqlite:///{tmp_path}/old.db")
    schema_version.upgrade(old, to=revision)
    with sqlite3.connect(str(old.url.database)) as connection:
        connection.execute("INSERT INTO groups VALUES (7, 'Old', '')")

    assert backup.write(old, tmp_path / "file", NOW).revision == revision
    restore(other, tmp_path / "file", NOW, CALLER)

    assert schema_version.present(old) == revision
    assert [group.name for group in open_book(other).groups()] == ["Old"]
    old.close()


def test_a_disk_that_is_full_is_told(filled: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_sync", full)

    with pytest.raises(Unavailable, match="No space left"):
        backup.write(filled, tmp_path / "file", NOW)

    assert not (tmp_path / "file").exists()


def test_the_manifest_is_json_that_others_can_read(file: Path):
    with sqlite3.connect(file) as connection:
        (text,) = connection.execute("SELECT tables FROM backup").fetchone()

    assert set(json.loads(text)["groups"]) == {"columns", "rows", "checksum"}
