"""How far the clock of this machine is from that of the database's server.

Every service ends holds by its own clock. Of two services on one database, the one whose clock is ahead would end the
holds of the other one early, and promise the address to somebody else.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from providers.book.database import Book

_HAS_A_SERVER = "postgresql"


def lead(book: Book, now: datetime) -> timedelta:
    """How much later ``now``, which is aware, is than the server has it: negative for a clock that is behind.

    Zero where the database is a file of this machine, or the server is not asked (MariaDB). Raises Unavailable.
    """
    if book.url.get_backend_name() != _HAS_A_SERVER:
        return timedelta()
    with book.read(snapshot=False) as connection:
        there: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return now - there
