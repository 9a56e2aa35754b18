"""Offering an address, and taking one: what of it is this face's own.

An offer (GET first_free) is held for whoever asked: the token or certificate, and the address that the request came
from. Asking again gives the same, as phpIPAM does, and nobody else is told it. Taking one (POST first_free) is for
somebody new each time: it takes an address that nobody was told, so that of two programs of one node neither takes what
the other one was offered. Both are the address book's; here is only who the asker is.
"""

from __future__ import annotations

from flask import request
from netaddr import IPAddress

from providers.errors import Exhausted
from providers.model import Asker, Caller, Reservation, Subnet, Use
from proxy.access import current_identity
from proxy.api.phpipam.fields import Described
from proxy.service import current_book, current_caller

_LONGEST_ACTOR = 150


def caller() -> Caller:
    """Who does it, for the events."""
    return current_caller("phpipam")


def offered(subnet: Subnet) -> IPAddress:
    """A free address, held for this caller; raises Exhausted."""
    return current_book().suggest(subnet, _asker(), caller(), use=Use.MANUAL)


def take_next(subnet: Subnet, described: Described) -> Reservation:
    """Reserve a free address; raises Exhausted and InvalidValue.

    When nothing else is left it takes what this caller was offered.
    """
    book = current_book()
    try:
        return book.allocate(subnet, Asker(), Use.GUEST, caller(), **described)
    except Exhausted:
        return book.allocate(subnet, _asker(), Use.GUEST, caller(), **described)


def _asker() -> Asker:
    return Asker(key=f"phpipam:{current_identity().actor[:_LONGEST_ACTOR]}@{request.remote_addr or 'local'}")
