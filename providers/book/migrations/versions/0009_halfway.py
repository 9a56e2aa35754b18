"""Guests that somebody stopped halfway with, requests that addresses are reserved for, what is asked each minute."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from providers.book.columns import Moment

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Give guests a mark, and reservations a key; those that are there have none, as far as can be told."""
    op.add_column("guests", sa.Column("telling_since", Moment))
    op.add_column("guests", sa.Column("ending_at", Moment))
    op.create_index("ix_guests_telling_since", "guests", ["telling_since"])
    op.add_column("reservations", sa.Column("request_key", sa.String(255)))
    op.create_index(
        "ix_reservations_subnet_id_request_key",
        "reservations",
        ["subnet_id", "request_key"],
        sqlite_where=sa.text("request_key IS NOT NULL"),
        postgresql_where=sa.text("request_key IS NOT NULL"),
    )
    op.create_index(
        "ix_dhcp_hosts_pending_since",
        "dhcp_hosts",
        ["pending_since"],
        sqlite_where=sa.text("pending_since IS NOT NULL"),
        postgresql_where=sa.text("pending_since IS NOT NULL"),
    )
    op.drop_index("ix_guests_node", "guests")
    op.create_index("ix_guests_node_cluster_name", "guests", ["node", "cluster", "name"])
