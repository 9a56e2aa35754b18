"""The tables of the book."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from providers.book.columns import Address, Moment
from providers.book.guest_tables import claims, guest_addresses, guest_nics, guests, past_guests
from providers.book.metadata import KEY_LENGTH, KEYED, MAC_LENGTH, NAME_LENGTH, TOKEN_NAME_LENGTH, metadata

__all__ = [
    "KEY_LENGTH",
    "MAC_LENGTH",
    "NAME_LENGTH",
    "TOKEN_NAME_LENGTH",
    "claims",
    "dhcp_hosts",
    "directory",
    "events",
    "free_space",
    "groups",
    "guest_addresses",
    "guest_nics",
    "guests",
    "holds",
    "labels",
    "metadata",
    "past_guests",
    "reservations",
    "rests",
    "subnets",
    "tokens",
    "uses",
]

OWNER_LENGTH = 128


# Few have one, and all others are to cost nothing.
_HAS_REQUEST_KEY = text("request_key IS NOT NULL")
_IS_PENDING = text("pending_since IS NOT NULL")


def _subnet_id() -> Column[int]:
    return Column("subnet_id", Integer, ForeignKey("subnets.id", ondelete="CASCADE"), primary_key=True)


groups = Table(
    "groups",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(NAME_LENGTH), nullable=False, unique=True),
    Column("description", Text, nullable=False),
)

subnets = Table(
    "subnets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("group_id", Integer, ForeignKey("groups.id"), nullable=False),
    Column("network", Address, nullable=False),
    Column("prefix", SmallInteger, nullable=False),
    Column("description", Text, nullable=False),
    Column("dhcp", Boolean, nullable=False),
    Column("strategy", String(16), nullable=False),
    Column("ranges", JSON, nullable=False),
    Column("options", JSON, nullable=False),
    UniqueConstraint("group_id", "network", "prefix"),
)

directory = Table(
    "directory",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("revision", Integer, nullable=False),
    comment="One row; its revision grows whenever a group or a subnet changes, so that every process notices.",
)

reservations = Table(
    "reservations",
    metadata,
    _subnet_id(),
    Column("address", Address, primary_key=True),
    Column("name", String(NAME_LENGTH), index=True),
    Column("mac", String(MAC_LENGTH), index=True),
    Column("description", String(NAME_LENGTH)),
    Column("note", Text),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("request_key", String(KEY_LENGTH)),
    Index("ix_reservations_address", "address"),
    Index(
        "ix_reservations_subnet_id_request_key",
        "subnet_id",
        "request_key",
        sqlite_where=_HAS_REQUEST_KEY,
        postgresql_where=_HAS_REQUEST_KEY,
    ),
    **KEYED,
)


def _belongs_to_reservation() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["subnet_id", "address"],
        ["reservations.subnet_id", "reservations.address"],
        ondelete="CASCADE",
        onupdate="CASCADE",
    )


uses = Table(
    "uses",
    metadata,
    Column("subnet_id", Integer, primary_key=True),
    Column("address", Address, primary_key=True),
    Column("use", String(16), primary_key=True),
    Column("since", Moment, nullable=False),
    _belongs_to_reservation(),
    Index("ix_uses_use_subnet_id_address", "use", "subnet_id", "address"),
    **KEYED,
)

dhcp_hosts = Table(
    "dhcp_hosts",
    metadata,
    Column("subnet_id", Integer, primary_key=True),
    Column("mac", String(MAC_LENGTH), primary_key=True),
    Column("address", Address, nullable=False),
    Column("name", String(NAME_LENGTH), nullable=False),
    Column("hostname", String(NAME_LENGTH), nullable=False),
    Column("filename", String(128)),
    Column("next_server", String(64)),
    Column("options", JSON, nullable=False),
    Column("pending", String(8)),
    Column("pending_since", Moment),
    _belongs_to_reservation(),
    UniqueConstraint("subnet_id", "name"),
    Index("ix_dhcp_hosts_subnet_id_address", "subnet_id", "address"),
    Index("ix_dhcp_hosts_mac", "mac"),
    Index("ix_dhcp_hosts_pending_since", "pending_since", sqlite_where=_IS_PENDING, postgresql_where=_IS_PENDING),
    **KEYED,
)

labels = Table(
    "labels",
    metadata,
    Column("subnet_id", Integer, primary_key=True),
    Column("address", Address, primary_key=True),
    Column("owner", String(OWNER_LENGTH)),
    Column("tag", SmallInteger),
    _belongs_to_reservation(),
    comment="What phpIPAM's clients tell of an address and nothing here depends on.",
    **KEYED,
)

holds = Table(
    "holds",
    metadata,
    _subnet_id(),
    Column("address", Address, primary_key=True),
    Column("key", String(KEY_LENGTH), nullable=False),
    Column("mac", String(MAC_LENGTH)),
    Column("taken_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    UniqueConstraint("subnet_id", "key"),
    Index("ix_holds_subnet_id_expires_at", "subnet_id", "expires_at"),
    **KEYED,
)

rests = Table(
    "rests",
    metadata,
    _subnet_id(),
    Column("address", Address, primary_key=True),
    Column("key", String(KEY_LENGTH)),
    Column("expires_at", Moment, nullable=False),
    Index("ix_rests_subnet_id_key", "subnet_id", "key"),
    Index("ix_rests_subnet_id_expires_at", "subnet_id", "expires_at"),
    comment="Addresses released lately: not suggested to anybody but whoever had them.",
    **KEYED,
)

free_space = Table(
    "free_space",
    metadata,
    _subnet_id(),
    Column("last", Address, primary_key=True),
    Column("first", Address, nullable=False),
    comment="What may be suggested, as runs without gaps that neither touch nor overlap.",
    **KEYED,
)

events = Table(
    "events",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("actor", String(NAME_LENGTH), nullable=False),
    Column("request_id", String(NAME_LENGTH)),
    Column("action", String(32), nullable=False),
    Column("group", String(NAME_LENGTH)),
    Column("subnet", String(64), index=True),
    Column("address", Address, index=True),
    Column("detail", JSON, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(TOKEN_NAME_LENGTH), nullable=False, unique=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("node", String(NAME_LENGTH)),
    Column("cluster", String(NAME_LENGTH)),
    Column("subnets", JSON, nullable=False),
    Column("groups", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("last_used_at", Moment),
    sqlite_autoincrement=True,
)

upstream_groups = Table(
    "upstream_groups",
    metadata,
    Column("group_id", Integer, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    comment="What the IPAM upstream calls a group.",
    **KEYED,
)

upstream_subnets = Table(
    "upstream_subnets",
    metadata,
    _subnet_id(),
    Column("key", String(64), nullable=False, unique=True),
    Column("full", Boolean, nullable=False),
    Column("floor", Address),
    Column("floor_until", Moment),
    Column("gone_at", Moment),
    comment="A subnet upstream: its name there, whether it is full, below what all is taken, since when gone.",
    **KEYED,
)

upstream_doubts = Table(
    "upstream_doubts",
    metadata,
    _subnet_id(),
    Column("address", Address, primary_key=True),
    Column("since", Moment, nullable=False),
    comment="Addresses that upstream may have taken for us, although nobody here has them.",
    **KEYED,
)

upstream_turns = Table(
    "upstream_turns",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("not_before", Moment, nullable=False),
    comment="What one process does for all, and when it is next to be done.",
    **KEYED,
)

upstream_logins = Table(
    "upstream_logins",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("token", Text),
    Column("refused_until", Moment),
    Column("refusal", Text),
    comment="The sealed token that all processes share, or why there is none.",
    **KEYED,
)

upstream_mark = Table(
    "upstream_mark",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("mark", String(16), nullable=False),
    comment="One row: what the rows upstream bear that were made from this book.",
)
