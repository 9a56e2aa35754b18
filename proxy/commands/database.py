"""``leasehold database``: the book as a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from providers.book import backup as backups
from providers.book import restore as restoring
from providers.book import schema_version
from providers.book.database import Book
from providers.clock import parse_moment, shown_moment, utc_now
from proxy.commands.session import Session, pass_session

_FILE = click.Path(path_type=Path)


@click.group()
def database() -> None:
    """Look after the database behind the book."""


@database.command("upgrade")
@pass_session
def upgrade(session: Session) -> None:
    """Bring the database to the schema of this program; makes it when there is none.

    Stop the service first when it runs an older program.
    """
    with _book(session) as book:
        old, new = schema_version.upgrade(book)
    if old == new:
        click.echo(f"The database is up to date (schema {new}).")
    else:
        click.echo(f"Upgraded the database: schema {old or 'none'} -> {new}.")


@database.command("backup")
@click.argument("file", type=_FILE, metavar="FILE")
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@pass_session
def backup(session: Session, file: Path, force: bool) -> None:
    """Write a backup of the whole book to FILE, while the service goes on.

    It is read back before it gets its name. It restores into any database that Leasehold works with.
    """
    with _book(session) as book:
        written = backups.write(book, file, utc_now(), force=force)
    click.echo(f"Wrote {file}: {written.rows} rows, schema {written.revision}, read back and verified.")


@database.command("restore")
@click.argument("file", type=_FILE, metavar="FILE")
@click.option("--force", is_flag=True, help="Replace everything in a book that is not empty.")
@click.option("--copy", is_flag=True, help="For a second book: it never changes what the first one has in phpIPAM.")
@pass_session
def restore(session: Session, file: Path, force: bool, copy: bool) -> None:
    """Put the backup FILE into the book that the settings name, all of it or nothing.

    A book that is not empty is refused. One that does not exist yet is made. With --copy it gets a mark of its own.
    """
    with _book(session) as book:
        restored = restoring.restore(book, file, utc_now(), session.caller, force=force, copy=copy)
    written_at = shown_moment(parse_moment(restored.written_at))
    click.echo(f"Restored {restored.rows} rows, as they were at {written_at}. Now run leasehold check.")


@contextmanager
def _book(session: Session) -> Iterator[Book]:
    book = Book(session.settings().database)
    try:
        yield book
    finally:
        book.close()
