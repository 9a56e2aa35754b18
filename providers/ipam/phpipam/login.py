"""One log-in for all threads and processes that share a book.

phpIPAM has one token per user, and a second log-in may end it; eleven wrong passwords from one address shut it out for
five minutes, good tokens included. So one process logs in, the others take the token that it left in the book (sealed
with the password), and what phpIPAM refused is not tried again for a while by any of them. The token is never removed
over there: it may be in use by others.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from sqlalchemy import Connection, delete, insert, select

from providers.book import upstream
from providers.book.database import Book
from providers.book.tables import upstream_logins
from providers.clock import Clock
from providers.errors import Refused, Unavailable
from providers.ipam.phpipam.answers import Answer, Garbled, read
from providers.ipam.remote.client import Client, NoAnswer, NotSent, printable
from providers.ipam.remote.sealed import Seal

log = logging.getLogger(__name__)

_BLOCKED_FOR = timedelta(minutes=5)
_LOOK_EVERY = 0.05
_LONGEST_TURN = timedelta(seconds=60)


class Credential(Protocol):
    """Where the token of a call comes from."""

    def token(self) -> str:
        """The token to use."""

    def renewed(self, old: str) -> str:
        """Another token after phpIPAM did not accept ``old``."""


@dataclass(frozen=True, slots=True)
class AppCode:
    """The code of an app with "SSL with app code token" security: it never ends and cannot be had again."""

    code: str

    def token(self) -> str:
        """The code itself."""
        return self.code

    def renewed(self, old: str) -> str:
        """There is no other one."""
        raise Refused("phpIPAM does not accept :token:, or the app has another kind of security than an app code")


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the book has of a log-in."""

    token: str | None
    refusal: str | None


class SharedLogin:
    """Logs in with user and password, once for everybody."""

    def __init__(
        self, book: Book, client: Client, *, path: str, user: str, password: str, backoff: timedelta, clock: Clock
    ) -> None:
        """``path`` is where tokens are made; ``backoff`` is how long a refusal stands."""
        self._book, self._client, self._clock, self._path = book, client, clock, path
        self._user, self._password, self._backoff = user, password, backoff
        self._token: str | None = None
        self._sealing: Seal | None = None
        self._failures = 0
        self._failure: Unavailable | None = None
        self._one_at_a_time = threading.Lock()

    def token(self) -> str:
        """The token that everybody uses; raises Refused when phpIPAM refused to give one lately."""
        return self._token or self.renewed("")

    def renewed(self, old: str) -> str:
        """A token other than ``old``: the one that somebody got meanwhile, else by logging in."""
        failures = self._failures
        with self._one_at_a_time:
            if self._token and self._token != old:
                return self._token
            if self._failures != failures and self._failure is not None:
                # Whoever waited while somebody else tried does not wait for the same again.
                raise self._failure
            self._token = None
            try:
                self._token = self._from_the_book_or_phpipam(old)
            except Unavailable as error:
                self._failures, self._failure = self._failures + 1, error
                raise
            return self._token

    def _from_the_book_or_phpipam(self, old: str) -> str:
        give_up = time.monotonic() + _LONGEST_TURN.total_seconds()
        while True:
            kept = self._kept()
            if kept.token is not None and kept.token != old:
                return kept.token
            if kept.refusal is not None:
                raise Refused(f"{kept.refusal} (not tried again before {self._backoff} have passed)")
            if self._book.write(lambda c: upstream.take_turn(c, self._turn, self._clock(), _LONGEST_TURN)):
                # Whoever had the turn before may have ended it between our look into the book and now.
                kept = self._kept()
                if kept.token is None or kept.token == old:
                    return self._log_in()
                self._end_turn()
                return kept.token
            if time.monotonic() > give_up:
                raise Unavailable("Another process is logging in to phpIPAM and does not get done")
            time.sleep(_LOOK_EVERY)

    def _log_in(self) -> str:
        try:
            response = self._client.call("POST", self._path, json={}, auth=(self._user, self._password))
            answer = read(response, self._client.where)
        except (NoAnswer, Garbled) as error:
            self._end_turn()
            # Of the call that needs the token nothing was done.
            raise NotSent(str(error)) from error
        except BaseException:
            self._end_turn()
            raise
        token = answer.data.get("token") if answer.success and isinstance(answer.data, dict) else None
        if isinstance(token, str) and token:
            self._keep(token, None, timedelta(0))
            log.info("logged in to %s as %s", self._client.where, self._user)
            return token
        raise self._refused(answer)

    def _refused(self, answer: Answer) -> Unavailable:
        if answer.try_again:
            self._end_turn()
            return Unavailable(f"{self._client.where} is busy: {printable(answer.message)}")
        told = printable(answer.message) or "gave no token and no reason"
        refusal = f"{self._client.where} refuses the log-in of {self._user}: {told}"
        self._keep(None, refusal, max(self._backoff, _BLOCKED_FOR) if answer.blocked else self._backoff)
        return Refused(refusal)

    def _kept(self) -> _Kept:
        mine = select(upstream_logins).where(upstream_logins.c.name == self._seal.name)
        with self._book.read(snapshot=False) as connection:
            row = connection.execute(mine).first()
        if row is None:
            return _Kept(None, None)
        token = self._seal.open(row.token) if row.token else None
        standing = row.refused_until is not None and row.refused_until > self._clock()
        return _Kept(token, row.refusal if standing else None)

    def _keep(self, token: str | None, refusal: str | None, standing: timedelta) -> None:
        sealed = self._seal.seal(token) if token is not None else None

        def work(connection: Connection) -> None:
            now = self._clock()
            connection.execute(delete(upstream_logins).where(upstream_logins.c.name == self._seal.name))
            row = {"name": self._seal.name, "token": sealed, "refusal": refusal, "refused_until": now + standing}
            connection.execute(insert(upstream_logins).values(row))
            upstream.set_turn(connection, self._turn, now)

        self._book.write(work)

    def _end_turn(self) -> None:
        self._book.write(lambda connection: upstream.set_turn(connection, self._turn, self._clock()))

    @property
    def _turn(self) -> str:
        return f"login:{self._seal.name}"

    @property
    def _seal(self) -> Seal:
        """Made when first needed: it takes a twentieth of a second, and many commands call nobody."""
        if self._sealing is None:
            self._sealing = Seal(self._password, f"phpipam|{self._client.base}|{self._user}")
        return self._sealing
