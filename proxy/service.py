"""What every route works with: the address book, the settings, and who is calling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Flask, current_app

from providers.address_book import AddressBook
from providers.model import Caller
from proxy.access.session import current_identity
from proxy.request_id import request_id, session_id
from proxy.settings import Settings

_KEY = "leasehold"


@dataclass(frozen=True, slots=True)
class Service:
    """One running service; every application has its own."""

    book: AddressBook
    settings: Settings
    failed_modules: Mapping[str, str] = field(default_factory=dict)
    """Modules that are enabled and could not start, with the reason."""


def provide(app: Flask, service: Service) -> None:
    """Make ``service`` the one that the routes of ``app`` find."""
    app.extensions[_KEY] = service


def current_service() -> Service:
    """The service of the application that handles this request."""
    service: Service = current_app.extensions[_KEY]
    return service


def current_book() -> AddressBook:
    """The address book of the application that handles this request."""
    return current_service().book


def current_caller(face: str) -> Caller:
    """Whoever sent this request, for the event log: ``face`` and the name of the token, certificate or host."""
    return Caller(actor=f"{face}:{current_identity().actor}", request_id=request_id(), session_id=session_id())
