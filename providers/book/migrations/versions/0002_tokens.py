"""Tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from providers.book.columns import Moment

revision = "0002"
down_revision = "0001"

_NAME = sa.String(255)


def upgrade() -> None:
    """Make the table of tokens; what is in the book stays as it is."""
    op.create_table(
        "tokens",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("node", _NAME),
        sa.Column("cluster", _NAME),
        sa.Column("subnets", sa.JSON, nullable=False),
        sa.Column("groups", sa.JSON, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment),
        sa.Column("last_used_at", Moment),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("name", name="uq_tokens_name"),
        sa.UniqueConstraint("hash", name="uq_tokens_hash"),
        sqlite_autoincrement=True,
    )
