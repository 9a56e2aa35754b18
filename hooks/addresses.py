"""Addresses as the tools of guest hosts write them.

Checked by the C library, not by ``ipaddress``, which takes longer to import than a hook takes to run.
"""

from __future__ import annotations

import socket
from typing import NamedTuple


class Address(NamedTuple):
    """An address of a guest. ``interface`` is what the tool says before it; ``shared``: others may have it too.

    ``nic`` is the name of the card that has it, where the tool tells.
    """

    text: str
    interface: str | None = None
    shared: bool = False
    nic: str | None = None

    @property
    def version(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.text else 4

    def as_reported(self) -> dict[str, object]:
        """The address as ``/api/v1`` takes it."""
        told: dict[str, object] = {"address": self.text, "shared": self.shared}
        return told | {"nic": self.nic} if self.nic else told


def normal_address(text: str) -> str | None:
    """The address in its usual form, without a prefix; None for what is no address."""
    bare = text.strip().partition("/")[0].partition("%")[0]
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return socket.inet_ntop(family, socket.inet_pton(family, bare))
        except (OSError, ValueError):
            continue
    return None


def number_of(address: str) -> int:
    """The address as a number."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return int.from_bytes(socket.inet_pton(family, address), "big")


def address_of(number: int, version: int) -> str:
    """The address with that number."""
    family, size = (socket.AF_INET6, 16) if version == 6 else (socket.AF_INET, 4)
    return socket.inet_ntop(family, number.to_bytes(size, "big"))
