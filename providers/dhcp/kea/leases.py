"""What Kea leased on its own: by the hook ``lease_cmds``, or from its lease file. Answers come from memory."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from netaddr import AddrFormatError, IPAddress, IPNetwork

from providers.addresses import Range
from providers.clock import Clock, utc_now
from providers.dhcp.kea.configuration import Configuration
from providers.dhcp.kea.control import Control, Refused, Result
from providers.dhcp.kea.lease_file import LeaseFile
from providers.dhcp.kea.lease_table import LeaseTable, Row
from providers.errors import Unavailable
from providers.model import Lease

log = logging.getLogger(__name__)

_PAGE = 1000
_LOOK_SECONDS = 1.0
_SHARE = 10
"""A look by commands may take a tenth of the time: many leases are looked at less often."""

Look = Callable[[], LeaseTable]


class KeaLeases:
    """Looks at most once a second, as the setting ``:leases:`` says."""

    def __init__(self, control: Control, source: str, *, clock: Clock = utc_now) -> None:
        self._control = control
        self._source = source
        self._clock = clock
        self._look: Look | None = LeaseTable if source == "none" else None
        self._table: LeaseTable | None = None
        self._looking = threading.Lock()
        self._next_look = float("-inf")
        self._in_vain = (float("-inf"), "")

    def refresh(self) -> None:
        """Look if it is time to. Raises Unavailable when nothing is known yet and Kea does not answer."""
        began = time.monotonic()
        known = self._table is not None
        if known and time.monotonic() < self._next_look:
            return
        # Whoever comes while another one looks takes what is known.
        if not self._looking.acquire(blocking=not known):
            return
        try:
            failed, why = self._in_vain
            if self._table is None and failed >= began:
                # Of a Kea that hangs each would wait for the time of all before it.
                raise Unavailable(why)
            if time.monotonic() >= self._next_look:
                self._look_now()
        finally:
            self._looking.release()

    def at(self, address: IPAddress) -> Lease | None:
        """The active lease on an address."""
        return None if self._table is None else self._table.at(address, self._clock)

    def first_unleased(self, within: Range) -> IPAddress | None:
        """The first address of a range without an active lease."""
        return within.first if self._table is None else self._table.first_unleased(within, self._clock)

    def of(self, mac: str, network: IPNetwork) -> Lease | None:
        """The active lease of a MAC in a network."""
        return None if self._table is None else self._table.of(mac, network, self._clock)

    def within(self, network: IPNetwork) -> Iterator[Lease]:
        """The active leases of a network, by address."""
        return iter(()) if self._table is None else self._table.within(network, self._clock)

    def _look_now(self) -> None:
        began = time.monotonic()
        try:
            if self._look is None:
                self._look = self._chosen()
            self._table = self._look()
        except Unavailable as error:
            if self._table is None:
                self._in_vain = (time.monotonic(), str(error))
                raise
            log.warning("Kea's leases could not be looked at; those known count on: %s", error)
        ended = time.monotonic()
        self._next_look = ended + max(_LOOK_SECONDS, (ended - began) * _SHARE)

    def _chosen(self) -> Look:
        if self._source.startswith("/"):
            return LeaseFile(Path(self._source)).refresh
        known = self._control.command("list-commands").arguments
        if self._source == "commands" or (isinstance(known, list) and "lease4-get-page" in known):
            return self._by_commands
        path = Configuration.of(self._control).lease_file
        if path is None:
            raise Unavailable("Kea keeps its leases in a database and has no lease_cmds: load that hook")
        return LeaseFile(Path(path)).refresh

    def _by_commands(self) -> LeaseTable:
        table = LeaseTable()
        start = "start"
        while True:
            try:
                answer = self._control.command(
                    "lease4-get-page", {"from": start, "limit": _PAGE}, bear=(Result.EMPTY,)
                )
            except Refused as refused:
                raise Unavailable(f"Kea does not show its leases: {refused.text}") from refused
            found = answer.arguments.get("leases") if isinstance(answer.arguments, dict) else None
            for lease in found or ():
                row = _row(lease)
                if row is not None:
                    table.put(row)
            if not found or len(found) < _PAGE:
                return table
            start = str(found[-1]["ip-address"])


def _row(lease: Mapping[str, Any]) -> Row | None:
    try:
        lifetime = int(lease["valid-lft"])
        return Row(
            address=int(IPAddress(str(lease["ip-address"]), 4)),
            mac=str(lease.get("hw-address") or "").lower(),
            ends=int(lease["cltt"]) + lifetime,
            lifetime=lifetime,
            state=int(lease.get("state") or 0),
            hostname=str(lease.get("hostname") or ""),
            client_id=str(lease.get("client-id") or ""),
        )
    except (KeyError, TypeError, ValueError, AddrFormatError):
        return None
