"""What all tables of the book have in common: how constraints are named, how long texts are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite keeps a table with a composite key twice, unless told that the key is the table.
KEYED: dict[str, Any] = {"sqlite_with_rowid": False}

MAC_LENGTH = 59
NAME_LENGTH = 255
KEY_LENGTH = 255
TOKEN_NAME_LENGTH = 64
