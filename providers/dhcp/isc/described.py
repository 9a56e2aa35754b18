"""One subnet and one host of dhcpd as the book describes them, and remarks on what it cannot keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from netaddr import IPAddress, IPNetwork

from providers.address_book.allocatable import host_range
from providers.address_book.incoming import IncomingAddress, IncomingSubnet
from providers.address_book.texts import (
    refuse_unfit_filename,
    refuse_unfit_mtu,
    refuse_unfit_name,
    refuse_unfit_next_server,
)
from providers.addresses import Range
from providers.dhcp.isc import values
from providers.dhcp.isc.grammar import Place, Statement, Word
from providers.dhcp.isc.statements import is_mark, names_told, options_told, told_by
from providers.errors import InvalidValue
from providers.model import DHCPHost, Options, SubnetSpec, Use

T = TypeVar("T")

_LONGEST_LABEL = 60
_TOLD_BY_NAME = frozenset(
    {"allow", "class", "deny", "failover", "host", "ignore", "key", "lease", "on", "subclass", "subnet6", "zone"}
)
_OF_OMAPI = {
    "server.filename": "filename",
    "server.next-server": "next-server",
    "host-name": "option host-name",
}
_DESCRIBES = frozenset({"filename", "fixed-address", "hardware", "next-server", "option host-name"})


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a person should know, and where it is written."""

    place: Place
    text: str


class Remarks:
    """Collects remarks; they come out by file and line."""

    def __init__(self) -> None:
        self._unused: list[Remark] = []
        self._problems: list[Remark] = []

    def not_used(self, statement: Statement) -> None:
        """The book has no place for this; its values are not told, they may be secrets."""
        words = statement.words[:2] if statement.keyword in _TOLD_BY_NAME else statement.words[:1]
        label = statement.keyword if statement.keyword.startswith("option ") else " ".join(word.text for word in words)
        self._unused.append(Remark(statement.place, _printable(label)))

    def problem(self, place: Place, text: str) -> None:
        """Something that the import does otherwise than the file says, or not at all."""
        self._problems.append(Remark(place, text))

    def unused(self) -> tuple[Remark, ...]:
        """What is not used."""
        return tuple(sorted(dict.fromkeys(self._unused), key=_in_order))

    def problems(self) -> tuple[Remark, ...]:
        """What a person should look at."""
        return tuple(sorted(dict.fromkeys(self._problems), key=_in_order))


def described_subnet(
    statement: Statement,
    network: IPNetwork,
    parameters: Mapping[str, Statement],
    ranges: Sequence[Statement],
    group: str,
    remarks: Remarks,
) -> IncomingSubnet:
    """A subnet with what its clients are told.

    The book knows one dynamic range. Further ranges of dhcpd, and further routers, become exclusions: none of their
    addresses is ever suggested.
    """

    def told(keyword: str, read: Callable[[Statement], T]) -> T | None:
        return _told(parameters, keyword, read, remarks)

    routers = _addresses(parameters, "option routers", remarks)
    spans = _merged(
        [span for each in ranges if (span := _range(each, network, remarks)) is not None],
    )
    if len(spans) > 1:
        rest = ", ".join(map(str, spans[1:]))
        remarks.problem(
            statement.place, f"{network} has several ranges: {spans[0]} is its dynamic range, {rest} are exclusions"
        )
    gateways = [each for each in routers if each not in network or each in host_range(network)]
    for each in routers:
        if each not in gateways:
            remarks.problem(statement.place, f"{each} cannot be a gateway of {network}: it is no host address")
    exclusions = [*spans[1:], *(Range(each, each) for each in gateways[1:] if each in network)]
    options = Options(
        gateway=gateways[0] if gateways else None,
        dns=tuple(_addresses(parameters, "option domain-name-servers", remarks)),
        ntp=tuple(_addresses(parameters, "option ntp-servers", remarks)),
        domain=told("option domain-name", _domain) or None,
        mtu=told("option interface-mtu", _mtu),
        next_server=told("next-server", _next_server) or None,
        filename=told("filename", _filename) or None,
    )
    spec = SubnetSpec(
        network, group, dynamic=spans[0] if spans else None, exclusions=tuple(exclusions), options=options
    )
    return IncomingSubnet(spec, str(statement.place))


def described_host(
    statement: Statement, of_groups: Mapping[str, Statement], group: str, remarks: Remarks
) -> list[IncomingAddress]:
    """A host at each of its addresses; none, and a remark, when it has no MAC or no address that can be kept."""
    name, place = statement.words[1].text, statement.place
    said = dict(of_groups)
    others = []
    for each in statement.block or ():
        keyword, plain = _of_omapi(each)
        if keyword not in _DESCRIBES or each.block is not None:
            if keyword != "dynamic" and not is_mark(each):
                others.append(each)
            continue
        if keyword in ("hardware", "fixed-address") and keyword in said:
            remarks.problem(said[keyword].place, f"host {_printable(name)} has a later {keyword}, which counts")
        said[keyword] = plain
    host = _host(name, place, said, others, remarks)
    kept = names_told(host) if host is not None else frozenset()
    for each in others:
        if each.keyword != "supersede" or not each.arguments or each.arguments[0].text not in kept:
            remarks.not_used(each)
    if host is None:
        return []
    return [
        IncomingAddress(each, str(place), frozenset({Use.DHCP}), group, host=host)
        for each in dict.fromkeys(_addresses(said, "fixed-address", remarks))
    ]


def _host(
    name: str, place: Place, said: Mapping[str, Statement], others: Sequence[Statement], remarks: Remarks
) -> DHCPHost | None:
    for needed, called in (("hardware", "hardware address"), ("fixed-address", "fixed-address")):
        if needed not in said:
            remarks.problem(place, f"host {_printable(name)} has no {called}: left out")
            return None
    mac = _told(said, "hardware", lambda each: values.mac(each.arguments), remarks)
    if mac is None:
        return None
    hostname = _told(said, "option host-name", lambda each: values.text(each.arguments), remarks)
    return DHCPHost(
        mac,
        name,
        hostname or name,
        _told(said, "filename", _filename, remarks) or None,
        _told(said, "next-server", _next_server, remarks) or None,
        options_told(told_by(others)),
    )


def _of_omapi(statement: Statement) -> tuple[str, Statement]:
    """``supersede server.filename = "x";`` as OMAPI clients write it is ``filename "x";``."""
    arguments = statement.arguments
    if statement.keyword == "supersede" and arguments:
        keyword = _OF_OMAPI.get(arguments[0].text.lower())
        if keyword is not None:
            words = (*(Word(part) for part in keyword.split()), *arguments[1:])
            return keyword, Statement(statement.place, words)
    return statement.keyword, statement


def _told(
    parameters: Mapping[str, Statement], keyword: str, read: Callable[[Statement], T], remarks: Remarks
) -> T | None:
    statement = parameters.get(keyword)
    if statement is None:
        return None
    try:
        return read(statement)
    except InvalidValue as error:
        remarks.problem(statement.place, f"{keyword} cannot be used: {error}")
        return None


def _addresses(parameters: Mapping[str, Statement], keyword: str, remarks: Remarks) -> list[IPAddress]:
    """The addresses of a list; what is a name is passed over with a remark."""
    statement = parameters.get(keyword)
    found = []
    for part in values.items(statement.arguments) if statement is not None else ():
        try:
            found.append(values.address(part))
        except InvalidValue:
            text = _printable("".join(word.text for word in part))
            if statement is not None:
                remarks.problem(statement.place, f"{keyword} {text} is no IPv4 address, and names are not looked up")
    return found


def _range(statement: Statement, network: IPNetwork, remarks: Remarks) -> Range | None:
    """The range, as far as it lies among the host addresses of the network."""
    words = [word for word in statement.arguments if word.text.lower() != "dynamic-bootp"]
    try:
        first = values.address(words[:1])
        last = values.address(words[1:]) if len(words) > 1 else first
    except InvalidValue as error:
        remarks.problem(statement.place, f"a range that cannot be read: {error}")
        return None
    # dhcpd takes the ends in any order.
    low, high = min(first, last), max(first, last)
    hosts = host_range(network)
    clipped = max(low, hosts.first), min(high, hosts.last)
    if clipped[0] > clipped[1]:
        remarks.problem(statement.place, f"the range {low}-{high} has no host address of {network}")
        return None
    if clipped != (low, high):
        remarks.problem(statement.place, f"the range {low}-{high} of {network} is taken as {Range(*clipped)}")
    return Range(*clipped)


def _merged(spans: Sequence[Range]) -> list[Range]:
    """Ranges that touch or overlap as one; the one that was declared first stays in front."""
    merged: list[Range] = []
    for span in sorted(spans, key=lambda each: int(each.first)):
        if merged and int(span.first) <= int(merged[-1].last) + 1:
            merged[-1] = Range(merged[-1].first, max(merged[-1].last, span.last))
        else:
            merged.append(span)
    return sorted(merged, key=lambda each: spans[0].first not in each)


def _domain(statement: Statement) -> str:
    return _checked(values.text(statement.arguments), lambda text: refuse_unfit_name("domain", text))


def _mtu(statement: Statement) -> int:
    mtu = values.number(statement.arguments)
    refuse_unfit_mtu(mtu)
    return mtu


def _next_server(statement: Statement) -> str:
    return _checked(values.server(statement.arguments), refuse_unfit_next_server)


def _filename(statement: Statement) -> str:
    return _checked(values.text(statement.arguments), refuse_unfit_filename)


def _checked(text: str, refuse: Callable[[str], None]) -> str:
    """The text; an empty one is how a declaration takes back what holds around it."""
    if text:
        refuse(text)
    return text


def _printable(text: str) -> str:
    shown = "".join(char if char.isprintable() else "?" for char in text[:_LONGEST_LABEL])
    return shown + ("..." if len(text) > _LONGEST_LABEL else "")


def _in_order(remark: Remark) -> tuple[str, int]:
    return remark.place.file, remark.place.line
