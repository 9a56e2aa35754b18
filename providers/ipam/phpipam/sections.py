"""Sections as groups, and their subnets without the folders."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from netaddr import AddrFormatError, IPAddress, IPNetwork

from providers.errors import Refused
from providers.ipam.contract import Picture, PicturedGroup, PicturedSubnet
from providers.ipam.phpipam.answers import Answer, rows_of
from providers.ipam.phpipam.api import Api
from providers.model import Options, SubnetSpec

ALWAYS = frozenset({"gateway", "dns"})
"""The options of a subnet that phpIPAM has a place for by itself."""

Row = dict[str, Any]


class Sections:
    """Reads what there is. What does not change over there is asked once in the life of the process."""

    def __init__(self, api: Api, *, only: Collection[str], options: Mapping[str, str]) -> None:
        """``only`` names the sections to look at, all when empty; ``options`` says which custom field is which."""
        self._api = api
        self._only = {name.casefold() for name in only}
        self._options = options
        self._gateways: dict[str, IPAddress | None] = {}
        self._vlans: dict[str, str] = {}

    def picture(self) -> Picture:
        """All sections and subnets; two calls and one for each section, and one for each gateway not yet known."""
        groups: list[PicturedGroup] = []
        subnets: list[PicturedSubnet] = []
        for section in self._rows("/sections/"):
            name = str(section.get("name") or "")
            if self._only and name.casefold() not in self._only:
                continue
            key = str(section["id"])
            groups.append(PicturedGroup(key, name, str(section.get("description") or "")))
            # By its id: by name, phpIPAM answers with the section itself.
            for row in self._rows(f"/sections/{key}/subnets/"):
                pictured = self._pictured(key, row)
                if pictured is not None:
                    subnets.append(pictured)
        missing = self._only - {group.name.casefold() for group in groups}
        if missing:
            raise Refused(f"{self._api.where} has no section {', '.join(sorted(missing))}: correct :sections:")
        # Where a caller names no section the lowest id counts, here as there.
        return Picture(tuple(groups), tuple(sorted(subnets, key=lambda each: int(each.key))))

    def _pictured(self, section: str, row: Row) -> PicturedSubnet | None:
        if str(row.get("isFolder")) == "1":
            return None
        try:
            network = IPNetwork(f"{row.get('subnet')}/{row.get('mask')}")
        except (AddrFormatError, ValueError):
            return None
        if int(network.ip) != network.first:
            return None
        key = str(row["id"])
        described = " ".join(filter(None, (str(row.get("description") or "").strip(), self._vlan(row))))
        options = Options(gateway=self._gateway(key, row), dns=_name_servers(row), **self._custom(row))
        spec = SubnetSpec(network=network, group=section, description=described, options=options)
        return PicturedSubnet(key, spec, full=str(row.get("isFull")) == "1")

    def _gateway(self, key: str, row: Row) -> IPAddress | None:
        """Only the subnet itself tells its gateway: lists have no more than an id, and the list of all a wrong one."""
        told = str(row.get("gatewayId") or "")
        if not told:
            return None
        known = f"{key}:{told}"
        if known not in self._gateways:
            answer = self._accept(self._api.call("GET", f"/subnets/{key}/"), f"subnet {key}")
            gateway = answer.data.get("gateway") if isinstance(answer.data, dict) else None
            self._gateways[known] = _address(gateway.get("ip_addr")) if isinstance(gateway, dict) else None
        return self._gateways[known]

    def _vlan(self, row: Row) -> str:
        key = str(row.get("vlanId") or "0")
        if key == "0":
            return ""
        if key not in self._vlans:
            answer = self._api.call("GET", f"/vlan/{key}/")
            number = answer.data.get("number") if answer.success and isinstance(answer.data, dict) else None
            self._vlans[key] = f"(VLAN {number})" if number is not None else ""
        return self._vlans[key]

    def _custom(self, row: Row) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for option, column in self._options.items():
            text = str(row.get(column) or "").strip()
            if option == "ntp":
                found[option] = _addresses(text)
            elif option == "mtu":
                found[option] = int(text) if text.isascii() and text.isdigit() else None
            else:
                found[option] = text or None
        return found

    def _rows(self, path: str) -> list[Row]:
        answer = self._api.call("GET", path)
        return [] if answer.missing else rows_of(self._accept(answer, path).data)

    def _accept(self, answer: Answer, what: str) -> Answer:
        if not answer.success:
            raise answer.failure(self._api.where, what)
        return answer


def _name_servers(row: Row) -> tuple[IPAddress, ...]:
    there = row.get("nameservers")
    return _addresses(str(there.get("namesrv1") or "")) if isinstance(there, dict) else ()


def _addresses(text: str) -> tuple[IPAddress, ...]:
    found = (_address(part) for part in text.replace(",", ";").split(";"))
    return tuple(each for each in found if each is not None)


def _address(text: object) -> IPAddress | None:
    try:
        return IPAddress(str(text).strip())
    except (AddrFormatError, ValueError):
        return None
