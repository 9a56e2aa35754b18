"""CBSD's ``ip4pool`` and ``ip6pool``: addresses, ranges and networks, separated by blanks or commas.

See guest-hooks, section 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hooks.addresses import address_of, normal_address, number_of
from hooks.errors import BadInput

_BITS = {4: 32, 6: 128}


class Span(NamedTuple):
    """Addresses from ``first`` to ``last``; ``written`` is the item as it stands in the pool."""

    first: str
    last: str
    written: str

    def holds(self, other: Span) -> bool:
        """Whether all of ``other`` is in it."""
        return number_of(self.first) <= number_of(other.first) and number_of(other.last) <= number_of(self.last)


def read_pool(text: str, version: int) -> tuple[Span, ...]:
    """The items of the family ``version`` (4 or 6), in order. Raises BadInput for what is none.

    ``10.0.0.200-204`` ends at 10.0.0.204: the last part alone is replaced.
    """
    spans = (_span(item) for item in text.replace(",", " ").split())
    return tuple(span for span in spans if _version(span) == version)


def joined(spans: Iterable[Span], groups: Mapping[str, str]) -> list[Span]:
    """Neighbours made one, so that a pool of single addresses is one question. ``groups`` are those of items."""
    found: list[Span] = []
    for span in spans:
        before = found[-1] if found else None
        if (
            before is not None
            and number_of(before.last) + 1 == number_of(span.first)
            and groups.get(before.written) == groups.get(span.written)
        ):
            found[-1] = before._replace(last=span.last)
        else:
            found.append(span)
    return found


def network_span(network: str) -> Span:
    """All addresses of a network. Raises BadInput."""
    return _network(network)


def of_subnet(span: Span, network: str) -> Span | None:
    """The part of ``span`` in ``network``, None when it is all of that. Raises BadInput when there is none."""
    whole = _network(network)
    first = max(number_of(span.first), number_of(whole.first))
    last = min(number_of(span.last), number_of(whole.last))
    if _version(span) != _version(whole) or first > last:
        raise BadInput(f"the pool: {span.written[:60]} has nothing in {network}")
    if (first, last) == (number_of(whole.first), number_of(whole.last)):
        return None
    return Span(address_of(first, _version(span)), address_of(last, _version(span)), span.written)


def _span(item: str) -> Span:
    if "/" in item:
        return _network(item)
    first, dash, last = item.partition("-")
    start = normal_address(first)
    if start is None:
        raise BadInput(f"the pool: {item[:60]} is no address, range or network")
    if not dash:
        return Span(start, start, item)
    separator = ":" if ":" in start else "."
    end = normal_address(last) or normal_address(f"{first.strip().rpartition(separator)[0]}{separator}{last}")
    if end is None or (":" in end) != (":" in start) or number_of(end) < number_of(start):
        raise BadInput(f"the pool: {item[:60]} is no range")
    return Span(start, end, item)


def _network(item: str) -> Span:
    base, _, prefix = item.partition("/")
    start = normal_address(base)
    version = 6 if start is not None and ":" in start else 4
    if start is None or not _is_prefix(prefix, version):
        raise BadInput(f"the pool: {item[:60]} is no network")
    size = 1 << (_BITS[version] - int(prefix))
    first = number_of(start) // size * size
    return Span(address_of(first, version), address_of(first + size - 1, version), item)


def _is_prefix(text: str, version: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 3 and int(text) <= _BITS[version]


def _version(span: Span) -> int:
    return 6 if ":" in span.first else 4
