"""Guests and claims."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from providers.book.columns import Address, Moment

revision = "0004"
down_revision = "0003"

_NAME = sa.String(255)
_MAC = sa.String(59)


def upgrade() -> None:
    """Make the tables of guests and claims; what is in the book stays as it is."""
    op.create_table(
        "guests",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("cluster", _NAME, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("node", _NAME, nullable=False),
        sa.Column("emulator", _NAME),
        sa.Column("hostname", _NAME),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("event_at", Moment, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_guests"),
        sa.UniqueConstraint("cluster", "name", name="uq_guests_cluster_name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_guests_node", "guests", ["node"])
    op.create_table(
        "guest_addresses",
        sa.Column("guest_id", sa.Integer, nullable=False),
        sa.Column("address", Address, nullable=False),
        sa.Column("position", sa.SmallInteger, nullable=False),
        sa.Column("subnet_id", sa.Integer),
        sa.Column("nic", _NAME),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("served_mac", _MAC),
        sa.Column("told", sa.Boolean, nullable=False),
        sa.Column("leaving", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("guest_id", "address", name="pk_guest_addresses"),
        sa.ForeignKeyConstraint(
            ["guest_id"], ["guests.id"], name="fk_guest_addresses_guest_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subnet_id"], ["subnets.id"], name="fk_guest_addresses_subnet_id", ondelete="SET NULL"
        ),
        comment="Without a subnet: recorded, not reserved. served_mac: of the DHCP host that was made for the guest. "
        "told: the IPAM and the DHCP server know.",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_guest_addresses_address", "guest_addresses", ["address"])
    op.create_index("ix_guest_addresses_subnet_id_address", "guest_addresses", ["subnet_id", "address"])
    op.create_table(
        "guest_nics",
        sa.Column("guest_id", sa.Integer, nullable=False),
        sa.Column("position", sa.SmallInteger, nullable=False),
        sa.Column("mac", _MAC),
        sa.Column("name", _NAME),
        sa.Column("parent", _NAME),
        sa.PrimaryKeyConstraint("guest_id", "position", name="pk_guest_nics"),
        sa.ForeignKeyConstraint(["guest_id"], ["guests.id"], name="fk_guest_nics_guest_id", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_guest_nics_mac", "guest_nics", ["mac"])
    op.create_table(
        "past_guests",
        sa.Column("cluster", _NAME, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("event_at", Moment, nullable=False),
        sa.Column("renamed_to", _NAME),
        sa.Column("ended_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("cluster", "name", name="pk_past_guests"),
        comment="Names that guests had until lately: a late report must not bring one back.",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_past_guests_ended_at", "past_guests", ["ended_at"])
    op.create_table(
        "claims",
        sa.Column("cluster", _NAME, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("node", _NAME, nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.Column("renewed_at", Moment, nullable=False),
        sa.Column("expires_at", Moment),
        sa.Column("forced_from", _NAME),
        sa.PrimaryKeyConstraint("cluster", "name", name="pk_claims"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_claims_node", "claims", ["node"])
