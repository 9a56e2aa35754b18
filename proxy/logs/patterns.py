"""The patterns of the Ruby smart proxy's logging library, as far as log lines of a service need them.

``%d`` date and time, ``%l`` level, ``%m`` message, ``%c`` the name of the logger, ``%X{request}``, ``%X{session}`` and
``%X{remote_ip}`` what is known of the request, ``%p`` process, ``%h`` host, ``%%`` a percent sign. Between the percent
sign and the letter there may be a width, negative to fill up on the right, and after a full stop the largest number of
characters that is shown: ``%-5l``, ``%.8X{request}``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

FILE_PATTERN = "%d %.8X{request} [%.1l] %m"
SYSTEM_PATTERN = "%m"
OF_THE_REQUEST = ("request", "session", "remote_ip")

_DIRECTIVE = re.compile(r"%(?P<width>-?\d{1,3})?(?:\.(?P<most>\d{1,3}))?(?P<letter>[A-Za-z%])?(?:\{(?P<key>[^}]*)\})?")
_LETTERS = "cdhlmpX%"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, taken apart. ``names`` are the parts of the request that it has a place for."""

    parts: tuple[str | Callable[[Mapping[str, str]], str], ...]
    names: frozenset[str]

    def line(self, values: Mapping[str, str]) -> str:
        """The line with ``values`` by letter, those of the request by name; what is not known is empty."""
        return "".join(part if isinstance(part, str) else part(values) for part in self.parts)


def parse_pattern(text: str) -> Pattern:
    """Take ``text`` apart. Raises ValueError, in words that follow the pattern, when something in it means nothing."""
    parts: list[str | Callable[[Mapping[str, str]], str]] = []
    names: set[str] = set()
    end = 0
    for found in _DIRECTIVE.finditer(text):
        parts.append(text[end : found.start()])
        end = found.end()
        letter, key = found["letter"], found["key"]
        if letter is None or letter not in _LETTERS or (letter == "X" and key not in OF_THE_REQUEST):
            raise ValueError(f"has {found[0]}, which means nothing here")
        if letter == "%":
            parts.append("%" if key is None else f"%{{{key}}}")
            continue
        if letter != "X" and key is not None:
            # What follows in braces is text.
            end = found.start("key") - 1
            key = None
        names.add(key or letter)
        most = int(found["most"]) if found["most"] else None
        parts.append(_directive(key or letter, int(found["width"] or 0), most))
    if "m" not in names:
        raise ValueError("has no place for the message, %m")
    return Pattern((*parts, text[end:]), frozenset(names & set(OF_THE_REQUEST)))


def _directive(name: str, width: int, most: int | None) -> Callable[[Mapping[str, str]], str]:
    def shown(values: Mapping[str, str]) -> str:
        text = values.get(name, "")[:most]
        return text.ljust(-width) if width < 0 else text.rjust(width)

    return shown
