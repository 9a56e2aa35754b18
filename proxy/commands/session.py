"""What every command gets as ``ctx.obj``: where the settings or the service are, and the address book when asked."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from providers.errors import InvalidValue
from providers.model import Caller

if TYPE_CHECKING:
    from providers.address_book import AddressBook
    from proxy.remote import RemoteAddressBook
    from proxy.settings import Settings

    Desk = AddressBook | RemoteAddressBook
    """What commands work on: the local book, or that of a running service."""


_TOKEN = "LEASEHOLD_TOKEN"  # noqa: S105 - the name of a variable
_LONGEST_TOKEN = 512


@dataclass(frozen=True)
class Access:
    """What to show a service, and whose word to take that it is the right one."""

    token_file: Path | None = None
    ca_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def token(self) -> str | None:
        """The token in the file, else the one in the environment. Raises InvalidValue for what cannot be one."""
        where, found = f"${_TOKEN}", os.environ.get(_TOKEN)
        if self.token_file is not None:
            where = str(self.token_file)
            try:
                found = self.token_file.read_text(encoding="ascii").strip()
            except (OSError, UnicodeError) as error:
                raise InvalidValue(f"{where} cannot be read as a token") from error
        if not found and self.token_file is None:
            return None
        if not found or len(found) > _LONGEST_TOKEN or not (found.isascii() and found.isprintable()) or " " in found:
            raise InvalidValue(f"{where} does not hold a token: one is a single word, as leasehold token create prints")
        return found


@dataclass
class Session:
    """One run of the program. The settings are read and the book is opened when first needed, not before.

    With ``url`` commands work on the book of the service there, and show it ``access``.
    """

    config_path: Path | None = None
    url: str | None = None
    access: Access = field(default_factory=Access)
    _book: AddressBook | None = field(default=None, init=False, repr=False)
    _remote: RemoteAddressBook | None = field(default=None, init=False, repr=False)

    def settings(self, **overrides: Any) -> Settings:  # noqa: ANN401 - each key has a type of its own
        """Read the settings; ``overrides`` beat the file and the environment. Raises Misconfigured."""
        from proxy.settings import load

        return load(self.config_path, **overrides)

    @property
    def book(self) -> Desk:
        """The address book that the settings or the URL name; raises Misconfigured, InvalidValue and Unavailable."""
        return self.local_book if self.url is None else self._service(self.url)

    @property
    def local_book(self) -> AddressBook:
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
        for opened in (self._book, self._remote):
            if opened is not None:
                opened.close()
        self._book = self._remote = None

    def _service(self, url: str) -> RemoteAddressBook:
        if self._remote is None:
            from proxy.remote import RemoteAddressBook, RemoteService

            shown = self.access
            service = RemoteService(
                url, token=shown.token(), ca_file=shown.ca_file, certificate=shown.certificate, key=shown.key
            )
            self._remote = RemoteAddressBook(service)
        return self._remote


pass_session = click.make_pass_decorator(Session, ensure=True)
