"""The tables of guests and claims."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, SmallInteger, String, Table, Text, UniqueConstraint

from providers.book.columns import Address, Moment
from providers.book.metadata import KEYED, MAC_LENGTH, NAME_LENGTH, metadata

_STATE_LENGTH = 16


def _guest_id() -> Column[int]:
    return Column("guest_id", Integer, ForeignKey("guests.id", ondelete="CASCADE"), primary_key=True)


guests = Table(
    "guests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("cluster", String(NAME_LENGTH), nullable=False),
    Column("name", String(NAME_LENGTH), nullable=False),
    Column("node", String(NAME_LENGTH), nullable=False),
    Column("emulator", String(NAME_LENGTH)),
    Column("hostname", String(NAME_LENGTH)),
    Column("state", String(_STATE_LENGTH), nullable=False),
    Column("note", Text),
    Column("event_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("telling_since", Moment, index=True),
    Column("ending_at", Moment),
    UniqueConstraint("cluster", "name"),
    Index("ix_guests_node_cluster_name", "node", "cluster", "name"),
    comment="telling_since: the IPAM and the DHCP server are being told since then. ending_at: of what moment it is "
    "being removed.",
    sqlite_autoincrement=True,
)

guest_addresses = Table(
    "guest_addresses",
    metadata,
    _guest_id(),
    Column("address", Address, primary_key=True),
    Column("position", SmallInteger, nullable=False),
    Column("subnet_id", Integer, ForeignKey("subnets.id", ondelete="SET NULL")),
    Column("nic", String(NAME_LENGTH)),
    Column("shared", Boolean, nullable=False),
    Column("served_mac", String(MAC_LENGTH)),
    Column("told", Boolean, nullable=False),
    Column("leaving", Boolean, nullable=False),
    Index("ix_guest_addresses_address", "address"),
    Index("ix_guest_addresses_subnet_id_address", "subnet_id", "address"),
    comment="Without a subnet: recorded, not reserved. served_mac: of the DHCP host that was made for the guest. "
    "told: the IPAM and the DHCP server know.",
    **KEYED,
)

guest_nics = Table(
    "guest_nics",
    metadata,
    _guest_id(),
    Column("position", SmallInteger, primary_key=True),
    Column("mac", String(MAC_LENGTH), index=True),
    Column("name", String(NAME_LENGTH)),
    Column("parent", String(NAME_LENGTH)),
    **KEYED,
)

past_guests = Table(
    "past_guests",
    metadata,
    Column("cluster", String(NAME_LENGTH), primary_key=True),
    Column("name", String(NAME_LENGTH), primary_key=True),
    Column("event_at", Moment, nullable=False),
    Column("renamed_to", String(NAME_LENGTH)),
    Column("ended_at", Moment, nullable=False, index=True),
    comment="Names that guests had until lately: a late report must not bring one back.",
    **KEYED,
)

claims = Table(
    "claims",
    metadata,
    Column("cluster", String(NAME_LENGTH), primary_key=True),
    Column("name", String(NAME_LENGTH), primary_key=True),
    Column("node", String(NAME_LENGTH), nullable=False, index=True),
    Column("since", Moment, nullable=False),
    Column("renewed_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("forced_from", String(NAME_LENGTH)),
    **KEYED,
)
