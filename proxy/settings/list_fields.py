"""Fields of the settings files that hold several values: hosts, names, networks, versions and ciphers of TLS."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from marshmallow import ValidationError
from marshmallow.fields import Field
from netaddr import IPNetwork

from providers.addresses import parse_address, parse_network
from providers.errors import InvalidValue
from proxy.settings.fields import NOT_ALLOWED, as_list, text_of

T = TypeVar("T")

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}$)(?!.*\.[0-9]+$)(?![0-9]+$){_LABEL}(\.{_LABEL})*")
_CLIENT_NAME = re.compile(r"[A-Za-z0-9._:@ -]{1,255}")
_CIPHER = re.compile(r"[A-Z0-9]+(-[A-Z0-9]+)*")


class BindHosts(Field[tuple[str, ...]]):
    """Where to listen: addresses, host names, or ``*`` for all interfaces."""

    allowed = "*, an address, a host name, or a list of these"

    def _deserialize(self, value: object, *_: object, **__: object) -> tuple[str, ...]:
        return _each(value, _bind_host)

    def _serialize(self, value: Iterable[str] | None, *_: object, **__: object) -> list[str]:
        return list(value or ())


class HostNames(Field[tuple[str, ...]]):
    """Names of clients, as certificates and reverse DNS have them; the list may be empty."""

    allowed = "a list of host names; it may be empty"

    def _deserialize(self, value: object, *_: object, **__: object) -> tuple[str, ...]:
        return _each(value, _name_of_a_client, may_be_empty=True)

    def _serialize(self, value: Iterable[str] | None, *_: object, **__: object) -> list[str] | None:
        return None if value is None else list(value)


class Networks(Field[tuple[IPNetwork, ...]]):
    """A list of IPv4 networks, with prefix or netmask; it may be empty."""

    allowed = "a list of IPv4 networks such as 10.0.1.0/24 or 10.0.1.0/255.255.255.0"

    def _deserialize(self, value: object, *_: object, **__: object) -> tuple[IPNetwork, ...]:
        return _each(value, _network, may_be_empty=True)

    def _serialize(self, value: Iterable[IPNetwork] | None, *_: object, **__: object) -> list[str]:
        return [str(network) for network in value or ()]


class AnyNetworks(Networks):
    """A list of IPv4 and IPv6 networks and single addresses; it may be empty."""

    allowed = "a list of addresses and networks such as 127.0.0.1, 10.0.1.0/24, 2001:db8::/64"

    def _deserialize(self, value: object, *_: object, **__: object) -> tuple[IPNetwork, ...]:
        return _each(value, _any_network, may_be_empty=True)


class TLSVersions(Field[tuple[str, ...]]):
    """Versions of TLS, also written as numbers."""

    allowed = "a list of '1.0', '1.1', '1.2', '1.3'"

    def _deserialize(self, value: object, *_: object, **__: object) -> tuple[str, ...]:
        return _each(value, _tls_version, may_be_empty=True)

    def _serialize(self, value: Iterable[str] | None, *_: object, **__: object) -> list[str]:
        return list(value or ())


class Ciphers(Field[tuple[str, ...]]):
    """Names of ciphers as OpenSSL spells them."""

    allowed = "a list of OpenSSL's names for ciphers of TLS 1.2, such as ECDHE-RSA-AES256-GCM-SHA384"

    def _deserialize(self, value: object, *_: object, **__: object) -> tuple[str, ...]:
        return _each(value, _cipher, may_be_empty=True)

    def _serialize(self, value: Iterable[str] | None, *_: object, **__: object) -> list[str]:
        return list(value or ())


def _each(value: object, parse: Callable[[object], T], *, may_be_empty: bool = False) -> tuple[T, ...]:
    """Parse every element once, in order; marshmallow's form of messages names the wrong ones by their index."""
    parsed: dict[T, None] = {}
    wrong: dict[str | int, list[str]] = {}
    for index, element in enumerate(as_list(value)):
        try:
            parsed[parse(element)] = None
        except ValidationError as error:
            wrong[index] = [str(message) for message in error.messages]
    if wrong:
        raise ValidationError(wrong)
    if not parsed and not may_be_empty:
        raise ValidationError("is empty")
    return tuple(parsed)


def _bind_host(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if text == "*":
        return text
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return str(parse_address(bare))
    except InvalidValue:
        if _HOST_NAME.fullmatch(bare):
            return bare
    raise ValidationError(NOT_ALLOWED)


def _tls_version(value: object) -> str:
    text = str(value).strip().upper().removeprefix("TLSV").replace("_", ".")
    text = "1.0" if text == "1" else text
    if isinstance(value, bool) or text not in {"1.0", "1.1", "1.2", "1.3"}:
        raise ValidationError(NOT_ALLOWED)
    return text


def _cipher(value: object) -> str:
    text = value.strip().upper() if isinstance(value, str) else ""
    if text.startswith("TLS_"):
        raise ValidationError("is a cipher of TLS 1.3, which has no list of its own; disable the version instead")
    if not _CIPHER.fullmatch(text):
        raise ValidationError(NOT_ALLOWED)
    return text


def _any_network(value: object) -> IPNetwork:
    if isinstance(value, IPNetwork):
        return value
    text = value.strip() if isinstance(value, str) else ""
    try:
        return parse_network(text) if "/" in text else IPNetwork(parse_address(text))
    except InvalidValue as error:
        raise ValidationError(NOT_ALLOWED) from error


def _name_of_a_client(value: object) -> str:
    """Also what is no name in DNS: the CN of a certificate may have blanks."""
    text = text_of(value)
    if "*" in text:
        raise ValidationError("has a *, and names are compared whole")
    if not _CLIENT_NAME.fullmatch(text):
        raise ValidationError(NOT_ALLOWED)
    return text


def _network(value: object) -> IPNetwork:
    if isinstance(value, IPNetwork):
        return value
    text = value.strip() if isinstance(value, str) else ""
    address, slash, mask = text.partition("/")
    try:
        if "." in mask:
            netmask = parse_address(mask, version=4)
            if not netmask.is_netmask():
                raise ValidationError(f"has {mask}, which is no netmask")
            text = f"{address}{slash}{netmask.netmask_bits()}"
        network = parse_network(text)
    except InvalidValue as error:
        raise ValidationError(f"is no network ({error})" if slash else NOT_ALLOWED) from error
    if network.version != 4:
        raise ValidationError("is not IPv4, and /dhcp is")
    return network
