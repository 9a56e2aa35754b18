"""Column types: addresses that sort, and moments in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from netaddr import IPAddress
from sqlalchemy import BigInteger, Dialect, LargeBinary
from sqlalchemy.dialects.mysql import VARBINARY
from sqlalchemy.types import TypeDecorator, TypeEngine

_MAPPED = b"\x00" * 10 + b"\xff\xff"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Address(TypeDecorator[IPAddress]):
    """An IPAddress as 16 octets, most significant first, so that the database's own order is the numeric one.

    IPv4 is stored in its IPv4-mapped IPv6 form (RFC 4291, 2.5.5.2): a value says by itself which family it is of.
    """

    impl = LargeBinary(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """MariaDB can index a VARBINARY, not a BLOB."""
        return dialect.type_descriptor(VARBINARY(16) if dialect.name in ("mysql", "mariadb") else LargeBinary(16))

    def process_bind_param(self, value: IPAddress | None, dialect: Dialect) -> bytes | None:
        """Address to octets."""
        if value is None:
            return None
        packed: bytes = value.packed
        return _MAPPED + packed if value.version == 4 else packed

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> IPAddress | None:
        """Octets to address."""
        if value is None:
            return None
        if value[:12] == _MAPPED:
            return IPAddress(int.from_bytes(value[12:]), 4)
        return IPAddress(int.from_bytes(value), 6)


class Moment(TypeDecorator[datetime]):
    """An aware datetime as microseconds since 1970 UTC: the same integer in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Moment to microseconds."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Microseconds to moment."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)
