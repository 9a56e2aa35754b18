"""What phpIPAM's clients tell of an address: owner and tag."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from providers.book.columns import Address

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table; the addresses that are there have neither."""
    op.create_table(
        "labels",
        sa.Column("subnet_id", sa.Integer, nullable=False),
        sa.Column("address", Address, nullable=False),
        sa.Column("owner", sa.String(128)),
        sa.Column("tag", sa.SmallInteger),
        sa.PrimaryKeyConstraint("subnet_id", "address", name="pk_labels"),
        sa.ForeignKeyConstraint(
            ["subnet_id", "address"],
            ["reservations.subnet_id", "reservations.address"],
            name="fk_labels_subnet_id_address",
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        comment="What phpIPAM's clients tell of an address and nothing here depends on.",
        sqlite_with_rowid=False,
    )
