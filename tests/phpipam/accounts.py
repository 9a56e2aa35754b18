"""Who may use the double's API: users with one token each, apps with a kind of security, log-ins that are counted."""

from __future__ import annotations

import secrets
import string
import threading
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.phpipam.asked import Request
from tests.phpipam.errors import Refused

_LETTERS = string.ascii_letters + string.digits + "-_"
CODE = "0123456789abcdef0123456789abcdef"
LIFE = timedelta(hours=6)
_BLOCK = timedelta(minutes=5)
_FAILURES = 10


@dataclass
class App:
    """An app id: ``permissions`` 0 disabled, 1 read, 2 write, 3 admin; ``lock`` file, mysql or none."""

    name: str
    permissions: int = 2
    security: str = "none"
    lock: str = "file"
    nested: bool = False
    links: bool = False
    code: str = ""


@dataclass
class User:
    """Somebody with a password and at most one token, for all apps."""

    name: str
    password: str
    disabled: bool = False
    token: str | None = None
    expires: datetime | None = None


def apps(version: str) -> dict[str, App]:
    """Those of the recorded server. Before 1.8 there is no lock unless an app asks for one."""
    usual = "file" if version >= "1.8" else "none"
    made = [
        App("leasehold"),
        App("leaseholdadmin", permissions=3),
        App("leaseholdro", permissions=1),
        App("leaseholdoff", permissions=0),
        App("leaseholdssl", security="ssl_token"),
        App("leaseholdcode", security="ssl_code", code=CODE),
        App("leaseholdmysql", lock="mysql"),
        App("leaseholdnolock", lock="none"),
        App("leaseholdwait1"),
        App("leaseholdmysqlwait1", lock="mysql"),
        App("leaseholdnest", nested=True),
        App("leaseholdlinks", links=True),
    ]
    for app in made:
        if app.lock == "file" and "wait" not in app.name:
            app.lock = usual
    return {app.name: app for app in made}


class Accounts:
    """Log-ins and tokens; the clock is injected.

    ``crossing``: every log-in makes a new token and ends the one before, as several at once do without a lock.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.users = [
            User("leasehold", "leasehold-pass"),
            User("other", "other-pass"),
            User("disabled", "leasehold-pass", disabled=True),
        ]
        self.refusal: str | None = None
        self.crossing = False
        self._failed: dict[str, tuple[int, datetime]] = {}
        self._lock = threading.Lock()

    def check_block(self, client: str) -> None:
        """Refuse whoever failed too often of late."""
        count, last = self._failed.get(client, (0, self.clock()))
        if count > _FAILURES and self.clock() - last < _BLOCK:
            message = "Your IP has been blocked for 5 minutes because of excessive login failures"
            raise Refused(500, message)

    def log_in(self, request: Request) -> User:
        """The user of the Basic credentials, with a token that lives."""
        kind, _, encoded = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic":
            raise Refused(400, "Please provide username and password")
        name, _, password = b64decode(encoded).decode().partition(":")
        with self._lock:
            user = next((user for user in self.users if user.name == name), None)
            if self.refusal is not None:
                raise Refused(500, self.refusal)
            if user is None or user.password != password:
                self._count_failure(request.client)
                raise Refused(500, "Invalid username or password")
            if user.disabled:
                raise Refused(500, "User account is disabled")
            self._failed.pop(request.client, None)
            if self.crossing or user.token is None or user.expires is None or user.expires < self.clock():
                user.token = "".join(secrets.choice(_LETTERS) for _ in range(24))
                user.expires = self.clock() + LIFE
            self.extend(user)
            return user

    def of_token(self, request: Request) -> tuple[User | None, str]:
        """The user whose token it is, or None and why not."""
        token = request.headers.get("phpipam-token", request.headers.get("token"))
        if token is None:
            return None, "Please provide token"
        found = (user for user in self.users if user.token is not None and user.token.lower() == token.lower())
        user = next(found, None)
        if user is None:
            return None, "Invalid token"
        if user.expires is None or user.expires < self.clock():
            return None, "Token expired"
        return user, ""

    def extend(self, user: User) -> None:
        """Push the end of its token, at most once a minute."""
        until = self.clock() + LIFE
        if user.expires is None or until - user.expires >= timedelta(minutes=1):
            user.expires = until

    def expire(self) -> None:
        """Let all tokens be over."""
        for user in self.users:
            user.expires = self.clock() - timedelta(seconds=1)

    def revoke(self) -> None:
        """Take all tokens away, as DELETE user does for one."""
        for user in self.users:
            user.token = user.expires = None

    def _count_failure(self, client: str) -> None:
        count, last = self._failed.get(client, (0, self.clock()))
        fresh = self.clock() - last < _BLOCK
        self._failed[client] = (count + 1 if fresh else 1, self.clock())
