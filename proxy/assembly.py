"""Putting the parts together: from settings to an address book."""

from __future__ import annotations

from providers.address_book import AddressBook, Lifetimes
from providers.address_book.aside import never
from providers.address_book.foundation import Aside
from providers.book import schema_version
from providers.book.database import Book
from providers.clock import Clock
from providers.dhcp.contract import DHCPProvider
from providers.registry import DHCP_PROVIDERS, IPAM_PROVIDERS, load_class
from proxy.settings import Settings


def open_address_book(settings: Settings, *, clock: Clock | None = None, aside: Aside = never) -> AddressBook:
    """Open the book that the settings name, with the providers that they name.

    ``clock`` is the book's own unless another one is given.
    ``aside`` is for long readings of the IPAM, which a service does and a command leaves to it.

    Raises Misconfigured when the book has tables of another version or a provider does not exist, Unavailable when
    the database does not answer or its file cannot be reached.
    """
    book = Book(settings.database)
    try:
        schema_version.check(book)
        ipam_class = load_class(settings.externalipam.use_provider, IPAM_PROVIDERS)
        return AddressBook(
            book,
            ipam_class(book, settings.externalipam.provider_settings),
            open_dhcp(settings, book),
            lifetimes=lifetimes(settings),
            clock=clock or book.clock,
            aside=aside,
        )
    except OSError as error:
        book.close()
        raise book.failure(error) from error
    except BaseException:
        book.close()
        raise


def open_dhcp(settings: Settings, book: Book) -> DHCPProvider:
    """The DHCP provider that the settings name. Raises Misconfigured when there is none of that name."""
    found = load_class(settings.dhcp.use_provider, DHCP_PROVIDERS)
    provider: DHCPProvider = found(book, {"server": settings.dhcp.server, **settings.dhcp.provider_settings})
    return provider


def lifetimes(settings: Settings) -> Lifetimes:
    """How long promises last, as the settings say."""
    return Lifetimes(
        hold=settings.hold_ttl,
        hold_anonymous=settings.hold_ttl_anonymous,
        hold_guest=settings.hold_ttl_guest,
        rest=settings.rest_minutes,
        join=settings.join_minutes,
    )
