"""Text from outside as a message may repeat it: what is no printable character could break a line, or a terminal."""

from __future__ import annotations

_MOST = 100


def printable(text: str, most: int | None = _MOST) -> str:
    """The first ``most`` characters of ``text``, all of it for None; a question mark for each that is not printable."""
    return "".join(char if char.isprintable() else "?" for char in text[:most])
