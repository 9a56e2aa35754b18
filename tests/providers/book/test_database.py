"""Opening the book: what is refused at the start, and what is said when it cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from providers.book import schema_version
from providers.book.database import Book
from providers.book.tables import groups
from providers.errors import Conflict, Misconfigured, Unavailable
from tests.postgresql import need_driver


def add(name: str):
    return lambda connection: connection.execute(insert(groups).values(name=name, description=""))


def names(book: Book) -> list[str]:
    with book.read() as connection:
        return list(connection.execute(select(groups.c.name)).scalars())


@pytest.mark.parametrize(
    "url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "oracle://scott@127.0.0.1/x", "nosuch+driver://x/y"]
)
def test_a_url_that_cannot_be_used_is_refused(url: str):
    with pytest.raises(Misconfigured, match=":database:"):
        Book(url)


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match=r":database: the directory .*/file/below cannot be made"):
        schema_version.upgrade(Book(f"sqlite:///{tmp_path}/file/below/leasehold.db"))


def test_the_directory_of_the_file_is_made(tmp_path: Path):
    book = Book(f"sqlite:///{tmp_path}/a/b/leasehold.db")
    schema_version.upgrade(book)
    book.close()
    assert (tmp_path / "a" / "b" / "leasehold.db").exists()


@pytest.fixture
def broken(tmp_path: Path) -> Book:
    """A book whose file is no database."""
    (tmp_path / "broken.db").write_bytes(b"this is no database at all" * 100)
    return Book(f"sqlite:///{tmp_path}/broken.db")


def test_readers_hear_that_a_file_is_no_database(broken: Book):
    with pytest.raises(Misconfigured, match=r"sqlite:///.*broken\.db is no SQLite database: name another"):
        names(broken)


def test_writers_hear_that_a_file_is_no_database(broken: Book):
    with pytest.raises(Misconfigured, match="is no SQLite database"):
        broken.write(add("lost"))


def test_an_upgrade_leaves_a_file_that_is_no_database_alone(broken: Book, tmp_path: Path):
    before = (tmp_path / "broken.db").read_bytes()
    with pytest.raises(Misconfigured, match="is no SQLite database"):
        schema_version.upgrade(broken)
    with pytest.raises(Misconfigured):
        schema_version.check(broken)
    assert (tmp_path / "broken.db").read_bytes() == before


def test_asking_for_the_version_makes_no_file(tmp_path: Path):
    with pytest.raises(Misconfigured, match=r"does not exist: .*leasehold database upgrade"):
        schema_version.check(Book(f"sqlite:///{tmp_path}/below/leasehold.db"))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path):
    (tmp_path / "directory").mkdir()
    book = Book(f"sqlite:///{tmp_path}/directory")
    with pytest.raises(Unavailable, match="unable to open"):
        names(book)


def test_a_book_without_tables_is_unavailable(tmp_path: Path):
    (tmp_path / "empty.db").touch()
    with pytest.raises(Unavailable, match="no such table"):
        names(Book(f"sqlite:///{tmp_path}/empty.db"))


def test_a_book_that_was_removed_while_open_takes_nothing_more(book: Book):
    book.write(add("before"))
    Path(book.url.database).unlink()
    for use in (names, lambda book: book.write(add("lost"))):
        with pytest.raises(Unavailable, match="is not there"):
            use(book)
    assert not Path(book.url.database).exists()


def test_a_book_that_was_replaced_while_open_takes_nothing_more(book: Book, tmp_path: Path):
    book.write(add("before"))
    (tmp_path / "other.db").write_bytes(Path(book.url.database).read_bytes())
    (tmp_path / "other.db").replace(book.url.database)
    for use in (names, lambda book: book.write(add("lost"))):
        with pytest.raises(Unavailable, match="was replaced while it was open"):
            use(book)


def test_a_book_that_is_moved_away_and_back_goes_on(book: Book, tmp_path: Path):
    book.write(add("before"))
    away = Path(book.url.database).rename(tmp_path / "away.db")
    with pytest.raises(Unavailable):
        names(book)
    away.rename(book.url.database)
    book.write(add("after"))
    assert sorted(names(book)) == ["after", "before"]


def test_a_new_book_is_not_for_everybody_on_the_machine(tmp_path: Path):
    book = Book(f"sqlite:///{tmp_path}/state/leasehold.db")
    before = os.umask(0)
    try:
        schema_version.upgrade(book)
        book.write(add("one"))
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o007 for path in tmp_path.rglob("*")}
    book.close()
    files = ("leasehold.db", "leasehold.db-wal", "leasehold.db-shm", "leasehold.db.lock")
    assert modes == dict.fromkeys(("state", *files), 0)


def test_a_server_that_does_not_answer_is_unavailable_and_the_password_a_secret():
    need_driver()
    book = Book("postgresql+psycopg://leasehold:hush@127.0.0.1:1/leasehold?connect_timeout=2")
    for use in (names, lambda book: book.write(add("lost")), schema_version.check, schema_version.upgrade):
        with pytest.raises(Unavailable) as raised:
            use(book)
        assert "hush" not in str(raised.value)


@pytest.mark.parametrize("error", [Conflict("taken"), KeyError("a bug")], ids=repr)
def test_what_a_writer_raises_comes_out_and_nothing_is_kept(book: Book, error: Exception):
    def work(connection) -> None:
        add("lost")(connection)
        raise error

    with pytest.raises(type(error)):
        book.write(work)
    assert names(book) == []


def test_a_reader_sees_one_state_throughout(book: Book):
    with book.read() as connection:
        assert connection.execute(select(groups)).all() == []
        book.write(add("meanwhile"))
        assert connection.execute(select(groups)).all() == []
    assert names(book) == ["meanwhile"]


def test_what_a_reader_raises_comes_out(book: Book):
    with pytest.raises(Conflict), book.read():
        raise Conflict("somebody has it")


def test_a_closed_book_can_be_used_again(book: Book):
    book.write(add("before"))
    book.close()
    book.write(add("after"))
    assert names(book) == ["before", "after"]


