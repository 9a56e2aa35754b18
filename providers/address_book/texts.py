"""What names, notes and boot options may look like, whoever sends them.

Any of them may later be written into the configuration of a DHCP server, so each is bounded and free of what ends a
string or a statement there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from netaddr import valid_ipv4

from providers.errors import InvalidValue
from providers.model import DHCPHost, Options
from providers.printable import printable

LONGEST_NAME = 255
LONGEST_NOTE = 1000
LONGEST_OWNER = 128
LONGEST_FILENAME = 128
"""RFC 2131, section 2: the ``file`` field of a DHCP message."""
LONGEST_NEXT_SERVER = 64
"""RFC 2131, section 2: the ``sname`` field of a DHCP message."""
SMALLEST_MTU = 68
"""RFC 2132, section 5.1."""
LARGEST_MTU = 0xFFFF

_NOT_IN_NAMES = "\"'`{};\\"
_NOT_IN_VALUES = '"'
_NUMERIC = re.compile(r"[0-9.]+")
_SERVER = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?")


def refuse_unfit_host(host: DHCPHost) -> None:
    """Raise InvalidValue for the first value of a DHCP host that cannot be kept or served."""
    refuse_unfit_name("name", host.name)
    refuse_unfit_name("hostname", host.hostname)
    if host.next_server is not None:
        refuse_unfit_next_server(host.next_server)
    if host.filename is not None:
        refuse_unfit_filename(host.filename)
    _refuse_unfit_options(host.options)


def refuse_unfit_name(what: str, text: str) -> None:
    """Raise InvalidValue for a name that is empty, longer than 255 bytes, blank at an end, or would end a string."""
    if not text:
        raise InvalidValue(f"An empty {what} is no {what}")
    _refuse(what, text, LONGEST_NAME, _NOT_IN_NAMES)
    if text != text.strip():
        raise InvalidValue(f"Invalid {what} {printable(text)}: it has blanks at its ends")


def refuse_unfit_description(text: str) -> None:
    """Raise InvalidValue for a description of more than 255 bytes, or with control characters."""
    _refuse("description", text, LONGEST_NAME)


def refuse_unfit_owner(text: str) -> None:
    """Raise InvalidValue for an owner of more than 128 bytes, or with control characters."""
    _refuse("owner", text, LONGEST_OWNER)


def refuse_unfit_note(text: str) -> None:
    """Raise InvalidValue for a note of more than 1000 bytes, or with control characters."""
    _refuse("note", text, LONGEST_NOTE)


def refuse_unfit_next_server(text: str) -> None:
    """Raise InvalidValue for a boot server that is neither an IPv4 address nor a host name of at most 64 characters."""
    fits = valid_ipv4(text) if _NUMERIC.fullmatch(text) else _SERVER.fullmatch(text)
    if not (fits and len(text) <= LONGEST_NEXT_SERVER):
        raise InvalidValue(
            f"Invalid next server {printable(text)}: it is an IPv4 address or a host name of at most "
            f"{LONGEST_NEXT_SERVER} characters"
        )


def refuse_unfit_filename(text: str) -> None:
    """Raise InvalidValue for a boot file that is longer than 128 bytes, or has control characters or quotes."""
    _refuse("filename", text, LONGEST_FILENAME, _NOT_IN_VALUES)


def refuse_unfit_mtu(mtu: int) -> None:
    """Raise InvalidValue for an MTU that no interface can have."""
    if not SMALLEST_MTU <= mtu <= LARGEST_MTU:
        raise InvalidValue(f"Invalid MTU {mtu}: it is a whole number from {SMALLEST_MTU} to {LARGEST_MTU}")


def refuse_unfit_subnet_options(options: Options) -> None:
    """Raise InvalidValue for a domain, MTU, boot server or boot file that cannot be served."""
    if options.domain is not None:
        refuse_unfit_name("domain", options.domain)
    if options.mtu is not None:
        refuse_unfit_mtu(options.mtu)
    if options.next_server is not None:
        refuse_unfit_next_server(options.next_server)
    if options.filename is not None:
        refuse_unfit_filename(options.filename)


def _refuse_unfit_options(options: Mapping[str, object]) -> None:
    for name, value in options.items():
        if isinstance(value, Mapping):
            _refuse_unfit_options(value)
        else:
            _refuse(name, str(value), LONGEST_NAME, _NOT_IN_VALUES)


def _refuse(what: str, text: str, longest: int, forbidden: str = "") -> None:
    if len(text.encode(errors="replace")) > longest:
        raise InvalidValue(f"Invalid {what} {printable(text)}: it is longer than {longest} bytes")
    if not text.isprintable():
        raise InvalidValue(f"Invalid {what} {printable(text)}: it has line breaks or control characters")
    if not set(forbidden).isdisjoint(text):
        raise InvalidValue(f"Invalid {what} {printable(text)}: none of {' '.join(forbidden)} may be in it")
