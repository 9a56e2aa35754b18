"""``leasehold database``: the book as a database."""

from __future__ import annotations

import click

from providers.book import schema_version
from providers.book.database import Book
from proxy.commands.session import Session, pass_session


@click.group()
def database() -> None:
    """Look after the database behind the book."""


@database.command("upgrade")
@pass_session
def upgrade(session: Session) -> None:
    """Bring the database to the schema of this program; makes it when there is none.

    Stop the service first when it runs an older program.
    """
    book = Book(session.settings().database)
    try:
        old, new = schema_version.upgrade(book)
    finally:
        book.close()
    if old == new:
        click.echo(f"The database is up to date (schema {new}).")
    else:
        click.echo(f"Upgraded the database: schema {old or 'none'} -> {new}.")
