"""Offering an address, and taking one: what of it is this face's own.

An offer (GET first_free) is held for whoever asked: the token or certificate, and the address that the request came
from. Asking again gives the same, as phpIPAM does, and nobody else is told it. Taking one (POST first_free) is for
somebody new each time: it takes an address that nobody was told, so that of two programs of one node neither takes what
the other one was offered. Both are the address book's; here is only who the asker is.
"""

from __future__ import annotations

from flask import request
from netaddr import IPAddress

from providers.errors import Conflict, Exhausted, NotFound, Unavailable
from providers.model import Asker, Caller, Reservation, Subnet, Use
from proxy.access import current_identity
from proxy.api.phpipam.fields import Described
from proxy.service import current_book, current_caller

_TRIES = 8
_LONGEST_ACTOR = 150


def caller() -> Caller:
    """Who does it, for the events."""
    return current_caller("phpipam")


def offered(subnet: Subnet) -> IPAddress:
    """A free address, held for this caller; raises Exhausted."""
    return current_book().suggest(subnet, _asker(), caller(), use=Use.MANUAL)


def take_next(subnet: Subnet, described: Described) -> Reservation:
    """Reserve a free address; raises Exhausted and InvalidValue.

    When nothing else is left it takes what this caller was offered. Somebody who names an address may have it although
    it is held (rule 4), so this can take more than one try.
    """
    book = current_book()
    for _ in range(_TRIES):
        address, new = _next(subnet)
        try:
            return book.reserve(subnet, address, Use.GUEST, caller(), **described)
        except Conflict:
            continue
        except BaseException:
            if new:
                _let_go(subnet, address)
            raise
    raise Unavailable(f"{_TRIES} addresses of {subnet.network} were taken by others meanwhile: try again")


def _next(subnet: Subnet) -> tuple[IPAddress, bool]:
    """A free address that is held for this request alone, or else for this caller; and whether it is the former."""
    try:
        return current_book().suggest(subnet, Asker(), caller(), use=Use.MANUAL), True
    except Exhausted:
        return offered(subnet), False


def _asker() -> Asker:
    return Asker(key=f"phpipam:{current_identity().actor[:_LONGEST_ACTOR]}@{request.remote_addr or 'local'}")


def _let_go(subnet: Subnet, address: IPAddress) -> None:
    """End the hold of an attempt that failed; it would end by itself a little later."""
    try:
        current_book().release_hold(subnet, address, caller())
    except NotFound:
        return
