"""What the book says, read from its tables by arithmetic of its own and none of Leasehold's."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise
from pathlib import Path

_MAPPED = b"\x00" * 10 + b"\xff\xff"


class Ledger:
    """The tables of an SQLite book of IPv4 subnets that have neither exclusions nor subnets inside."""

    def __init__(self, file: Path) -> None:
        with closing(sqlite3.connect(file)) as connection:
            self.integrity = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            self.orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
            self.networks = {
                subnet: IPv4Network((_address(network), prefix))
                for subnet, network, prefix in connection.execute("SELECT id, network, prefix FROM subnets")
            }
            self.reserved = _addresses(connection, "SELECT subnet_id, address FROM reservations")
            self.held = _addresses(connection, "SELECT subnet_id, address FROM holds")
            self.resting = _addresses(connection, "SELECT subnet_id, address FROM rests")
            self.runs = [
                (subnet, int(_address(first)), int(_address(last)))
                for subnet, first, last in connection.execute("SELECT subnet_id, first, last FROM free_space")
            ]
            self.holder_of = {
                str(_address(address)): key for address, key in connection.execute("SELECT address, key FROM holds")
            }
            self.hosts = {
                mac: str(_address(address))
                for mac, address in connection.execute("SELECT mac, address FROM dhcp_hosts")
            }
            self.uses: dict[str, set[str]] = {str(address): set() for _, address in self.reserved}
            for address, use in connection.execute("SELECT address, use FROM uses"):
                self.uses[str(_address(address))].add(use)

    def check(self) -> None:
        """Fail unless the file is sound, each address is in one state, and the free space is all that is left."""
        assert self.integrity == ["ok"]
        assert self.orphans == []
        states = (self.reserved, self.held, self.resting)
        in_a_state = [each for state in states for each in state]
        assert len(in_a_state) == len(set(in_a_state)), "an address is in two states at once"
        assert all(self.uses.values()), "a reservation is used for nothing"
        assert all("dhcp" in self.uses[address] for address in self.hosts.values())
        for subnet, network in self.networks.items():
            gone = {address for each, address in in_a_state if each == subnet}
            expected = {int(address) for address in network.hosts() if address not in gone}
            runs = sorted((first, last) for each, first, last in self.runs if each == subnet)
            free = [number for first, last in runs for number in range(first, last + 1)]
            assert len(free) == len(set(free)), f"runs of free addresses of {network} overlap"
            assert set(free) == expected, f"the free space of {network} is not what nobody has"
            touching = [last for (_, last), (first, _) in pairwise(runs) if last + 1 == first]
            assert not touching, f"runs of free addresses of {network} touch"


def _addresses(connection: sqlite3.Connection, query: str) -> list[tuple[int, IPv4Address]]:
    return [(subnet, _address(address)) for subnet, address in connection.execute(query)]


def _address(stored: bytes) -> IPv4Address:
    assert stored[:12] == _MAPPED
    return IPv4Address(stored[12:])
