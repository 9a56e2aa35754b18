"""MACs as the tools of guest hosts write them."""

from __future__ import annotations

import re

_BARE = re.compile(r"[0-9A-Fa-f]{12}")
_PARTS = re.compile(r"[0-9A-Fa-f]{1,2}([:-][0-9A-Fa-f]{1,2}){5}")
_UNKNOWN = "00:00:00:00:00:00"


def normal_mac(text: str) -> str | None:
    """``aa:bb:cc:dd:ee:ff`` for a MAC with or without separators, upper case, or unpadded as r-vmadm generates it.

    None for ``0``, nothing, and whatever else is no MAC: then it is not known yet (guest-hooks, sections 2 and 7).
    """
    text = text.strip()
    if _BARE.fullmatch(text):
        parts = [text[place : place + 2] for place in range(0, 12, 2)]
    elif _PARTS.fullmatch(text):
        parts = re.split("[:-]", text)
    else:
        return None
    mac = ":".join(part.zfill(2) for part in parts).lower()
    return None if mac == _UNKNOWN else mac
