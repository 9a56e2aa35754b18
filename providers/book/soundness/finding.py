"""What a check says: what is wrong, where, and what a repair would do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from netaddr import IPAddress
from sqlalchemy import Connection, Executable

from providers.model import Subnet


@dataclass(frozen=True, slots=True)
class Repair:
    """``does`` says in a few words what ``work`` does to the book."""

    does: str
    work: Callable[[Connection], object] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it has to be.

    ``kind`` is one word of a fixed set, for programs. Without a ``repair`` a person has to decide, and ``advice`` says
    how. While one that ``blocks`` is there, the rest of the book cannot be looked at.
    """

    kind: str
    what: str
    subnet: Subnet | None = None
    address: IPAddress | None = None
    repair: Repair | None = None
    advice: str = ""
    blocks: bool = False


def by(does: str, *statements: Executable) -> Repair:
    """The repair that runs ``statements`` one after the other."""

    def work(connection: Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    return Repair(does, work)
