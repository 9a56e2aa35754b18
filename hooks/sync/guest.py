"""A guest as a tool of this node has it."""

from __future__ import annotations

from typing import Any, NamedTuple

from hooks.addresses import Address


class Present(NamedTuple):
    """A guest of this node. ``addresses`` and ``nics`` are None where the tool does not tell, and so is ``note``."""

    name: str
    emulator: str
    hostname: str | None
    runs: bool
    addresses: tuple[Address, ...] | None
    nics: tuple[dict[str, Any], ...] | None
    note: str | None = None


class Found(NamedTuple):
    """All guests of this node, and the emulators of the tools that were asked: others are not ours to judge.

    ``unread`` are the names of guests that are here, but cannot be looked at, ``others`` of what runs here according to
    the system, whatever the tools say of it.
    """

    guests: tuple[Present, ...]
    emulators: frozenset[str]
    unread: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()

    @property
    def running(self) -> frozenset[str]:
        """The names of guests that run, and of those that may, for all that is known."""
        return self.unread | self.others | {each.name for each in self.guests if each.runs}
