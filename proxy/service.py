"""What every route works with: the address book, the settings, and who is calling."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app, request

from providers.address_book import AddressBook
from providers.model import Caller
from proxy.request_id import request_id
from proxy.settings import Settings

_KEY = "leasehold"


@dataclass(frozen=True, slots=True)
class Service:
    """One running service; every application has its own."""

    book: AddressBook
    settings: Settings


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
    """Whoever sent this request, for the event log: ``face`` and the address of the peer."""
    return Caller(actor=f"{face}:{request.remote_addr or 'local'}", request_id=request_id())
