"""Groups and subnets as the IPAM upstream has them, where they are made there: looked at sparingly, by one for all."""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime, timedelta

from sqlalchemy import Connection

from providers.address_book.pictured import Pictured
from providers.address_book.upstream_rows import UpstreamRows
from providers.book import directory as shelf
from providers.book import upstream
from providers.errors import LeaseholdError, Refused
from providers.ipam.contract import Picture
from providers.model import Subnet

log = logging.getLogger(__name__)

_TURN = "picture"
_DONE = "pictured"
_TRY_AGAIN = timedelta(seconds=10)
_LONGEST_LOOK = timedelta(seconds=60)
_LONGEST_WAIT = 30.0
_LOOK_EVERY = 0.1


class Mirroring(Pictured, UpstreamRows):
    """Keeps the book's subnets as upstream has them.

    One process looks for all of them. While upstream does not answer, the subnets that are known stay; only where none
    ever were the caller hears of it.
    """

    _next_look: datetime | None = None
    _looks: int = 0
    _last_error: LeaseholdError | None = None

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._looking = threading.Lock()
        self._warned: set[str] = set()

    def _refresh(self) -> None:
        if self.ipam.capabilities.edits_subnets or self._is_fresh():
            return
        known, looks = self._ever_pictured(), self._looks
        # Who knows a picture goes on with it while somebody else looks.
        if not self._looking.acquire(blocking=not known):
            return
        try:
            if self._looks != looks and self._last_error is not None and not known:
                raise self._last_error
            if not self._is_fresh():
                self._look(known=known)
        finally:
            self._looking.release()

    def _is_fresh(self) -> bool:
        now = self.clock()
        # A next look far ahead comes from a clock that was wrong.
        return self._next_look is not None and now < self._next_look <= now + self.ipam.picture_every

    def _look(self, *, known: bool) -> None:
        now, every = self.clock(), self.ipam.picture_every
        # Whoever is killed in the middle of it must not keep the others waiting for long.
        lasting = min(every, _LONGEST_LOOK)
        if not self.book.write(lambda c: upstream.take_turn(c, _TURN, now, every, lasting=lasting)):
            if not known:
                self._await_first_picture()
            self._next_look = self._turn_at(_TURN)
            return
        try:
            picture = self.ipam.picture()
            self._mirror(picture, now)
            self._last_error = None
            self._next_look = now + every
        except LeaseholdError as error:
            self._last_error = error
            again = now + _TRY_AGAIN if known else now
            self.book.write(lambda connection: upstream.set_turn(connection, _TURN, again))
            if not known:
                raise
            self._next_look = again
            log.warning("groups and subnets are as of the last look at %s: %s", self.ipam.name, error)
            return
        finally:
            self._looks += 1
        self.aside(self.settle_doubts)

    def _mirror(self, picture: Picture, now: datetime) -> None:
        def work(connection: Connection) -> list[str]:
            upstream.set_turn(connection, _DONE, now)
            upstream.set_turn(connection, _TURN, now + self.ipam.picture_every)
            return self._apply(connection, picture, now)

        before = self._known_subnets()
        warnings = self.book.write(work)
        self._follow([each for each in self._known_subnets() if each.id not in {known.id for known in before}])
        for warning in warnings:
            # Each look would find the same again.
            if warning not in self._warned:
                log.warning("%s", warning)
        self._warned = set(warnings)

    def _known_subnets(self) -> list[Subnet]:
        if not self.dhcp.capabilities.publishes:
            return []
        with self.book.read() as connection:
            return shelf.read(connection).subnets

    def _await_first_picture(self) -> None:
        """Another process looks for the first time."""
        give_up = time.monotonic() + _LONGEST_WAIT
        while not self._ever_pictured():
            turn = self._turn_at(_TURN)
            if turn is None or turn <= self.clock() or time.monotonic() > give_up:
                raise Refused(f"Groups and subnets could not yet be read from {self.ipam.name}: see the log")
            time.sleep(_LOOK_EVERY)

    def _ever_pictured(self) -> bool:
        return self._next_look is not None or self._turn_at(_DONE) is not None

    def _turn_at(self, name: str) -> datetime | None:
        with self.book.read(snapshot=False) as connection:
            return upstream.next_turn(connection, name)
