"""What the words of a statement spell: addresses, MACs, texts, numbers, moments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from netaddr import IPAddress

from providers.addresses import parse_address, parse_mac
from providers.dhcp.isc.grammar import Word
from providers.errors import InvalidValue

_HEX = re.compile(r"[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2})*")
_OCTET = re.compile(r"[0-9a-fA-F]{2}")
_PART = re.compile(
    r"substring\((?P<octets>[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2})*),(?P<start>[0-9]{1,4}),(?P<length>[0-9]{1,4})\)"
)
_NUMBER = re.compile(r"[0-9]{1,9}")
_HARDWARE = {"ethernet": 6, "infiniband": 20}
_IPV4_OCTETS = 4


def items(words: Sequence[Word]) -> list[tuple[Word, ...]]:
    """The parts of a list that commas separate."""
    parts: list[list[Word]] = [[]]
    for word in words:
        if word.text == "," and not word.quoted:
            parts.append([])
        else:
            parts[-1].append(word)
    return [tuple(part) for part in parts]


def address(words: Sequence[Word]) -> IPAddress:
    """An IPv4 address; dhcpd allows blanks around the dots. Raises InvalidValue, also for a name."""
    if any(word.quoted for word in words):
        raise InvalidValue("not an address")
    return parse_address("".join(word.text for word in words), version=4)


def addresses(words: Sequence[Word]) -> list[IPAddress]:
    """IPv4 addresses with commas between them; raises InvalidValue."""
    return [address(part) for part in items(words)]


def mac(words: Sequence[Word]) -> str:
    """``ethernet 52:54:00:aa:00:01``; raises InvalidValue for other hardware."""
    kind = words[0].text.lower() if words else ""
    found = parse_mac("".join(word.text for word in words[1:]))
    if _HARDWARE.get(kind) != len(found.split(":")):
        raise InvalidValue(f"hardware {kind!r} with a MAC of that length is not known here")
    return found


def number(words: Sequence[Word]) -> int:
    """A whole number; raises InvalidValue."""
    if len(words) == 1 and not words[0].quoted and _NUMBER.fullmatch(words[0].text):
        return int(words[0].text)
    raise InvalidValue("not a whole number")


def text(words: Sequence[Word]) -> str:
    """A text in quotes, a bare word, or octets as ``64:62:31``; ``=`` before it does not count. Raises InvalidValue."""
    octets = _octets(_value(words))
    if octets is not None:
        try:
            return octets.decode()
        except UnicodeDecodeError as error:
            raise InvalidValue("octets that are no text") from error
    return _single(_value(words)).text


def constant(words: Sequence[Word]) -> bytes | None:
    """The octets of a text in quotes or of octets, as dhcpd writes constants; None for any other expression."""
    value = _value(words)
    if len(value) == 1 and value[0].quoted:
        return value[0].text.encode("latin-1", "replace")
    if len(value) == 1 and _OCTET.fullmatch(value[0].text):
        return bytes.fromhex(value[0].text)
    return _octets(value)


def server(words: Sequence[Word]) -> str:
    """An address or a name; four octets as ``0a:09:00:01`` are an address. Raises InvalidValue."""
    value = _value(words)
    octets = _octets(value)
    if octets is not None and len(octets) == _IPV4_OCTETS:
        return ".".join(map(str, octets))
    if octets is None and not any(word.quoted for word in value) and value:
        return "".join(word.text for word in value)
    return _single(value).text


def moment(words: Sequence[Word]) -> datetime | None:
    """``4 2024/01/03 10:00:00``, ``epoch 1704276000`` or ``never``, which is None; raises InvalidValue."""
    texts = [word.text for word in words]
    try:
        match texts:
            case ["never"]:
                return None
            case ["epoch", seconds]:
                return datetime.fromtimestamp(int(seconds), UTC)
            case [_, day, time]:
                return datetime.strptime(f"{day} {time}", "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise InvalidValue("not a moment")


def _value(words: Sequence[Word]) -> Sequence[Word]:
    return words[1:] if words and words[0].text == "=" and not words[0].quoted else words


def _single(words: Sequence[Word]) -> Word:
    if len(words) != 1:
        raise InvalidValue("not a single text: expressions are not evaluated")
    return words[0]


def _octets(words: Sequence[Word]) -> bytes | None:
    """The octets of ``64:62:31``, or of ``substring (00:64:62:31, 1, 3)``, which is how a text with a quote is kept."""
    if any(word.quoted for word in words):
        return None
    joined = "".join(word.text for word in words)
    if ":" in joined and _HEX.fullmatch(joined):
        return bytes.fromhex("".join(octet.zfill(2) for octet in joined.split(":")))
    part = _PART.fullmatch(joined)
    if part is None:
        return None
    start, length = int(part["start"]), int(part["length"])
    return bytes.fromhex(part["octets"].replace(":", ""))[start : start + length]
