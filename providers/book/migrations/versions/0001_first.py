"""The tables of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from providers.book.columns import Address, Moment

revision = "0001"
down_revision = None

_MAC = sa.String(59)
_NAME = sa.String(255)
_KEY = sa.String(255)


def _belongs_to_subnet(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["subnet_id"], ["subnets.id"], f"fk_{table}_subnet_id", ondelete="CASCADE")


def _belongs_to_reservation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["subnet_id", "address"],
        ["reservations.subnet_id", "reservations.address"],
        f"fk_{table}_subnet_id_address",
        ondelete="CASCADE",
        onupdate="CASCADE",
    )


def upgrade() -> None:
    """Make every table, and the one row of the directory."""
    op.create_table(
        "groups",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_groups"),
        sa.UniqueConstraint("name", name="uq_groups_name"),
    )
    op.create_table(
        "subnets",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("group_id", sa.Integer, nullable=False),
        sa.Column("network", Address, nullable=False),
        sa.Column("prefix", sa.SmallInteger, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("dhcp", sa.Boolean, nullable=False),
        sa.Column("strategy", sa.String(16), nullable=False),
        sa.Column("ranges", sa.JSON, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subnets"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], "fk_subnets_group_id"),
        sa.UniqueConstraint("group_id", "network", "prefix", name="uq_subnets_group_id_network_prefix"),
    )
    directory = op.create_table(
        "directory",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_directory"),
    )
    op.bulk_insert(directory, [{"id": 1, "revision": 1}])
    op.create_table(
        "reservations",
        sa.Column("subnet_id", sa.Integer, nullable=False),
        sa.Column("address", Address, nullable=False),
        sa.Column("name", _NAME),
        sa.Column("mac", _MAC),
        sa.Column("note", sa.Text),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("subnet_id", "address", name="pk_reservations"),
        _belongs_to_subnet("reservations"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_reservations_name", "reservations", ["name"])
    op.create_index("ix_reservations_mac", "reservations", ["mac"])
    op.create_index("ix_reservations_address", "reservations", ["address"])
    op.create_table(
        "uses",
        sa.Column("subnet_id", sa.Integer, nullable=False),
        sa.Column("address", Address, nullable=False),
        sa.Column("use", sa.String(16), nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.PrimaryKeyConstraint("subnet_id", "address", "use", name="pk_uses"),
        _belongs_to_reservation("uses"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dhcp_hosts",
        sa.Column("subnet_id", sa.Integer, nullable=False),
        sa.Column("mac", _MAC, nullable=False),
        sa.Column("address", Address, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("hostname", _NAME, nullable=False),
        sa.Column("filename", sa.String(128)),
        sa.Column("next_server", sa.String(64)),
        sa.Column("options", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("subnet_id", "mac", name="pk_dhcp_hosts"),
        sa.UniqueConstraint("subnet_id", "name", name="uq_dhcp_hosts_subnet_id_name"),
        _belongs_to_reservation("dhcp_hosts"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_dhcp_hosts_subnet_id_address", "dhcp_hosts", ["subnet_id", "address"])
    op.create_index("ix_dhcp_hosts_mac", "dhcp_hosts", ["mac"])
    op.create_table(
        "holds",
        sa.Column("subnet_id", sa.Integer, nullable=False),
        sa.Column("address", Address, nullable=False),
        sa.Column("key", _KEY, nullable=False),
        sa.Column("mac", _MAC),
        sa.Column("taken_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("subnet_id", "address", name="pk_holds"),
        sa.UniqueConstraint("subnet_id", "key", name="uq_holds_subnet_id_key"),
        _belongs_to_subnet("holds"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_holds_subnet_id_expires_at", "holds", ["subnet_id", "expires_at"])
    op.create_table(
        "rests",
        sa.Column("subnet_id", sa.Integer, nullable=False),
        sa.Column("address", Address, nullable=False),
        sa.Column("key", _KEY),
        sa.Column("expires_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("subnet_id", "address", name="pk_rests"),
        _belongs_to_subnet("rests"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_rests_subnet_id_key", "rests", ["subnet_id", "key"])
    op.create_index("ix_rests_subnet_id_expires_at", "rests", ["subnet_id", "expires_at"])
    op.create_table(
        "free_space",
        sa.Column("subnet_id", sa.Integer, nullable=False),
        sa.Column("last", Address, nullable=False),
        sa.Column("first", Address, nullable=False),
        sa.PrimaryKeyConstraint("subnet_id", "last", name="pk_free_space"),
        _belongs_to_subnet("free_space"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False, autoincrement=True),
        sa.Column("at", Moment, nullable=False),
        sa.Column("actor", _NAME, nullable=False),
        sa.Column("request_id", _NAME),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("group", _NAME),
        sa.Column("subnet", sa.String(64)),
        sa.Column("address", Address),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_address", "events", ["address"])
