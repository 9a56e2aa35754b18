"""What every command gets as ``ctx.obj``: where the settings are, and the address book when it is asked for."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from providers.model import Caller

if TYPE_CHECKING:
    from providers.address_book import AddressBook
    from proxy.settings import Settings


@dataclass
class Session:
    """One run of the program. The settings are read and the book is opened when first needed, not before."""

    config_path: Path | None = None
    _book: AddressBook | None = field(default=None, init=False, repr=False)

    def settings(self, **overrides: Any) -> Settings:  # noqa: ANN401 - each key has a type of its own
        """Read the settings; ``overrides`` beat the file and the environment. Raises Misconfigured."""
        from proxy.settings import load

        return load(self.config_path, **overrides)

    @property
    def book(self) -> AddressBook:
        """The address book that the settings name; raises Misconfigured and Unavailable."""
        if self._book is None:
            from proxy.assembly import open_address_book

            self._book = open_address_book(self.settings())
        return self._book

    @property
    def caller(self) -> Caller:
        """Who types, for the event log; the account cannot be feigned through the environment."""
        uid = os.getuid()
        try:
            return Caller(actor=f"cli:{pwd.getpwuid(uid).pw_name}")
        except KeyError:
            return Caller(actor=f"cli:{uid}")

    def close(self) -> None:
        """Close the book if it was opened."""
        if self._book is not None:
            self._book.close()
            self._book = None


pass_session = click.make_pass_decorator(Session, ensure=True)
