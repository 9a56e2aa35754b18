"""Values as JSON and queries of ``/api/v1`` hold them, read by the book's own parsers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validate

from providers.addresses import Range, parse_address, parse_mac, parse_network
from providers.clock import parse_moment
from providers.errors import InvalidValue

LONGEST_NAME = 255
LONGEST_NOTE = 1000
LONGEST_PAIR = LONGEST_NAME + len("/") + LONGEST_NAME
"""Cluster and name of a guest."""

_TRUE, _FALSE = ("true", "1", "yes", ""), ("false", "0", "no")


def told(description: str, **more: object) -> dict[str, Any]:
    """What the OpenAPI document says about a field."""
    return {"description": description, **more}


def _printable(text: str) -> None:
    if not text.isprintable():
        raise ValidationError("It has line breaks or control characters.")


class Text(fields.String):
    """A text on one line, of ``least`` to ``most`` characters; without a slash if it is a ``segment`` of paths."""

    def __init__(
        self,
        *,
        least: int = 0,
        most: int = LONGEST_NAME,
        segment: bool = False,
        **more: Any,  # noqa: ANN401
    ) -> None:
        checks: list[Any] = [validate.Length(least or None, most), _printable]
        if segment:
            checks.append(validate.Regexp(r"[^/]+\Z", error="There is no slash in it."))
        super().__init__(validate=checks, **more)


class Parsed(fields.String):
    """A text that ``parse`` reads; what it complains about is told about the field. Written by ``str``."""

    parse: Callable[[str], Any]
    shape: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, **more: Any) -> None:  # noqa: ANN401
        super().__init__(**more | {"metadata": {**self.shape, **more.get("metadata", {})}})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:  # noqa: ANN401
        text = super()._deserialize(value, attr, data, **more)
        try:
            return type(self).parse(text)
        except InvalidValue as error:
            raise ValidationError(str(error)) from error

    def _serialize(self, value: Any, attr: str | None, obj: Any, **more: Any) -> Any:  # noqa: ANN401
        return None if value is None else str(value)


class Address(Parsed):
    """An IPv4 or IPv6 address."""

    parse = staticmethod(parse_address)
    shape: ClassVar[Mapping[str, Any]] = {"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}], "example": "10.0.1.7"}


class MAC(Parsed):
    """A MAC, 6 or 20 octets with colons."""

    parse = staticmethod(parse_mac)
    shape: ClassVar[Mapping[str, Any]] = {
        "pattern": r"^([0-9a-fA-F]{1,2}:){5}(([0-9a-fA-F]{1,2}:){14})?[0-9a-fA-F]{1,2}$",
        "example": "52:54:00:00:00:01",
    }


class Network(Parsed):
    """A network without host bits."""

    parse = staticmethod(parse_network)
    shape: ClassVar[Mapping[str, Any]] = {"pattern": r"^[0-9a-fA-F:.]{2,45}/[0-9]{1,3}$", "example": "10.0.1.0/24"}


class Span(Parsed):
    """One address, or two with a dash between them."""

    parse = staticmethod(Range.parse)
    shape: ClassVar[Mapping[str, Any]] = {
        "pattern": r"^ *[0-9a-fA-F:.]{2,45} *(- *[0-9a-fA-F:.]{2,45} *)?$",
        "example": "10.0.1.100-10.0.1.199",
    }


class Moment(Parsed):
    """A moment in ISO 8601 with its zone."""

    parse = staticmethod(parse_moment)
    shape: ClassVar[Mapping[str, Any]] = {"format": "date-time", "example": "2026-01-31T09:30:00Z"}


class Whole(fields.Integer):
    """A whole number of JSON from ``least`` to ``most``."""

    def __init__(self, least: int, most: int, **more: Any) -> None:  # noqa: ANN401
        super().__init__(validate=validate.Range(least, most), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:  # noqa: ANN401
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is not int:
            raise self.make_error("invalid", input=value)
        return value


class Flag(fields.Boolean):
    """``true`` or ``false`` of JSON, nothing else."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:  # noqa: ANN401
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class QueryWhole(Whole):
    """A whole number in a query."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:  # noqa: ANN401
        if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < LONGEST_NAME):
            raise self.make_error("invalid", input=value)
        return int(value)


class QueryFlag(fields.Boolean):
    """``true`` or ``false`` in a query; the bare name is ``true``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:  # noqa: ANN401
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
        raise self.make_error("invalid", input=value)
