"""What the book remembers of an IPAM that keeps the truth elsewhere."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from providers.book.columns import Address, Moment

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables; nothing is upstream yet."""
    op.create_table(
        "upstream_groups",
        sa.Column("group_id", sa.Integer, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("group_id", name="pk_upstream_groups"),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name="fk_upstream_groups_group_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("key", name="uq_upstream_groups_key"),
        comment="What the IPAM upstream calls a group.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upstream_subnets",
        sa.Column("subnet_id", sa.Integer, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("full", sa.Boolean, nullable=False),
        sa.Column("floor", Address),
        sa.Column("floor_until", Moment),
        sa.Column("gone_at", Moment),
        sa.PrimaryKeyConstraint("subnet_id", name="pk_upstream_subnets"),
        sa.ForeignKeyConstraint(
            ["subnet_id"], ["subnets.id"], name="fk_upstream_subnets_subnet_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("key", name="uq_upstream_subnets_key"),
        comment="A subnet upstream: its name there, whether it is full, below what all is taken, since when gone.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upstream_doubts",
        sa.Column("subnet_id", sa.Integer, nullable=False),
        sa.Column("address", Address, nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.PrimaryKeyConstraint("subnet_id", "address", name="pk_upstream_doubts"),
        sa.ForeignKeyConstraint(
            ["subnet_id"], ["subnets.id"], name="fk_upstream_doubts_subnet_id", ondelete="CASCADE"
        ),
        comment="Addresses that upstream may have taken for us, although nobody here has them.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upstream_turns",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("not_before", Moment, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_upstream_turns"),
        comment="What one process does for all, and when it is next to be done.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upstream_logins",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("token", sa.Text),
        sa.Column("refused_until", Moment),
        sa.Column("refusal", sa.Text),
        sa.PrimaryKeyConstraint("name", name="pk_upstream_logins"),
        comment="The sealed token that all processes share, or why there is none.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upstream_mark",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("mark", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_upstream_mark"),
        comment="One row: what the rows upstream bear that were made from this book.",
    )
