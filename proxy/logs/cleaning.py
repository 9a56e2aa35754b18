"""What came from outside can neither begin a line of its own in the log nor bring a secret into it.

This is the second line of defence: the program does not log credentials in the first place. Where it is not clear what
belongs to a secret, too much is hidden rather than too little.
"""

from __future__ import annotations

import re
from itertools import product

SECRET = "(secret)"  # noqa: S105 - what stands there instead of one
LONGEST = 4000
"""In characters; what is longer is cut, so that a line reaches a pipe in one piece."""

# What every one of our tokens begins with; in a path or query any letter of it may be percent-encoded.
_PREFIX = (("l", "%6c", "%4c"), ("h", "%68", "%48"), ("_", "%5f"))
_OURS = "".join(f"(?:{'|'.join(spellings)})" for spellings in _PREFIX)
_NAMES = r"(?:passw(?:or)?d|passphrase|secret|api[_-]?key|access[_-]?key|credentials?)[\w-]{0,40}"
_GIVEN = r"""(?:%22|%27|\\?["'])?\s*(?:=>|[:=]|%3d|%3a)\s*"""
# As the name of a header, a field or a parameter; "token:NAME" is how the program itself speaks of one.
_TOKEN = r"""token(?:(?:%22|%27|\\?["'])\s*[:=]|\s*(?:=>|=|%3d|:\s))\s*"""  # noqa: S105 - a pattern
# A quoted text, or what is left of a field of a query; part of it may be hidden already.
_VALUE = r"""(?:\\?"(?:[^"\\]|\\.)*"?|\\?'(?:[^'\\]|\\.)*'?|(?:\(secret\)|[^\s"'&;,}\])])+)"""
# All that a header holds; Digest has quotes of its own.
_HEADER = r"""b?\\?["']?(?:digest\b.*|[^"'\]}]+)"""

# Every secret holds, or follows, one of these. Most lines have none of them, and that is all they cost.
_SIGNS = (
    *map("".join, product(*_PREFIX)),
    "bearer",
    "basic",
    "authorization",
    "cookie",
    "passw",
    "passphrase",
    "secret",
    "token",
    "key",
    "credential",
    "://",
)
_MASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"), SECRET),
    (re.compile(rf"{_OURS}[\w%-]{{4,}}", re.IGNORECASE), f"lh_{SECRET}"),
    (re.compile(rf"((?:authorization|cookie){_GIVEN}){_HEADER}", re.IGNORECASE), rf"\1{SECRET}"),
    (re.compile(r"\b(bearer)(?:\s|\+|%20)+[^\s\"',;&]+", re.IGNORECASE), rf"\1 {SECRET}"),
    (
        re.compile(r"\b((?i:basic))(?:\s|\+|%20)+(?=\S{0,40}[A-Z0-9=])[A-Za-z0-9+/_-]{4,}(?:=|%3[dD]){0,2}"),
        rf"\1 {SECRET}",
    ),
    (re.compile(r"(://[^\s/:@]*:)[^\s/]*@"), rf"\1{SECRET}@"),
    (re.compile(rf"((?:{_NAMES}{_GIVEN}|{_TOKEN}))(?!\(secret\)){_VALUE}", re.IGNORECASE), rf"\1{SECRET}"),
)


def clean(text: str) -> str:
    """``text`` on one line, without control characters, without secrets, and not endless."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else " " for char in text)
    if len(text) <= LONGEST:
        return without_secrets(text)
    # Twice as much is looked at as is kept, for a secret that lies across the cut.
    return f"{without_secrets(text[: 2 * LONGEST])[:LONGEST]}... (cut)"


def without_secrets(text: str) -> str:
    """``text`` with a mark in the place of what looks like a token, a password or another credential."""
    lower = text.lower()
    if any(sign in lower for sign in _SIGNS):
        for pattern, instead in _MASKS:
            text = pattern.sub(instead, text)
    return text
