"""The address book of a running service, for commands that are told ``--url``.

====================  ==========================================================
``service``           where it is and what proves who asks; requests and errors
``reading``           from the JSON of ``/api/v1`` to what the book speaks of
``address_book``      what the commands call, as :class:`AddressBook` offers it
``guests``            the same for guests and claims
====================  ==========================================================
"""

from __future__ import annotations

from proxy.remote.address_book import RemoteAddressBook
from proxy.remote.service import RemoteService

__all__ = ["RemoteAddressBook", "RemoteService"]
