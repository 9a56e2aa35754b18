"""Telling a running dhcpd about hosts: OMAPI, over one connection that is kept open.

The protocol itself is pypureomapi's. dhcpd accepts any HMAC that its configuration gives the key, not MD5 alone, and
wants the long form of its name (seen with 4.4.3-P1).
"""

from __future__ import annotations

import hmac
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import new as new_hash
from struct import pack
from typing import TypeVar

from netaddr import IPAddress
from pypureomapi import OMAPI_OP_UPDATE, Omapi, OmapiError, OmapiHMACMD5Authenticator, OmapiMessage

from providers.errors import LeaseholdError, Unavailable, Unreached

_Answer = TypeVar("_Answer")

ALGORITHMS = ("hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")

_SUCCESS, _EXISTS, _NOT_FOUND = 0, 18, 23
_KEY_CONFLICT, _BAD_PARSE, _NO_AUTHENTICATOR = 0x60007, 0x60008, 0x60009
_HARDWARE_TYPES = {6: 1, 20: 32}
_TRUE = pack("!I", 1)
_IDLE_SECONDS = 30.0
_NOBODY = "leasehold.nobody.invalid"


class AlreadyThere(LeaseholdError):
    """dhcpd has a host with that name or that MAC."""


class Unparsable(LeaseholdError):
    """dhcpd does not know what a statement means."""


@dataclass(frozen=True, slots=True)
class Key:
    """What proves to dhcpd that it may listen to us; ``secret`` is in Base64, as dhcpd.conf has it."""

    name: str
    secret: str = field(repr=False)
    algorithm: str = "hmac-md5"


class _Authenticator(OmapiHMACMD5Authenticator):  # type: ignore[misc]
    def __init__(self, key: Key) -> None:
        super().__init__(key.name.encode(), key.secret.encode())
        self._hash = key.algorithm.removeprefix("hmac-")
        self.algorithm = f"{key.algorithm}.SIG-ALG.REG.INT.".encode()
        self.authlen = new_hash(self._hash, usedforsecurity=False).digest_size

    def sign(self, message: bytes) -> bytes:
        return hmac.new(self.key, message, self._hash).digest()


class OmapiSession:
    """Speaks to one dhcpd; any thread may, one after the other.

    Every call waits until ``deadline`` (of ``time.monotonic``) at the latest and ends with Unavailable then. A
    connection that dhcpd has closed, as its restart does, is made anew, and so is one that was idle for long: a
    firewall between may have forgotten it. One on which an answer did not come is given up.
    """

    def __init__(self, server: str, port: int, key: Key | None) -> None:
        self._server = server
        self._port = port
        self._key = key
        self._turn = threading.Lock()
        self._omapi: Omapi | None = None
        self._process = os.getpid()
        self._used = 0.0

    def create(self, name: str, mac: str, address: IPAddress, statements: str, deadline: float) -> None:
        """Make a host.

        Raises AlreadyThere, Unparsable and Unavailable. dhcpd minds equal names and MACs, not equal addresses.
        """
        message = _open_host(name, create=_TRUE, exclusive=_TRUE)
        octets = bytes.fromhex(mac.replace(":", ""))
        message.obj += [
            (b"hardware-address", octets),
            (b"hardware-type", pack("!I", _HARDWARE_TYPES[len(octets)])),
            (b"ip-address", address.packed),
            (b"statements", statements.encode()),
        ]
        # Repeating it after a lost connection is safe: it is exclusive.
        self._ask(lambda omapi: self._checked(self._query(omapi, message, deadline)), deadline)

    def mac_of(self, name: str, deadline: float) -> str | None:
        """The MAC of the host of that name, wherever it is declared; None if there is none. Raises Unavailable."""
        opened = self._ask(lambda omapi: self._opened(omapi, name, deadline), deadline)
        return None if opened is None else opened[1]

    def delete(self, name: str, mac: str, deadline: float) -> None:
        """Remove the host of that name if it has that MAC; raises Unavailable.

        It has to be one of the leases file: dhcpd removes a host of dhcpd.conf as willingly.
        """

        def work(omapi: Omapi) -> None:
            opened = self._opened(omapi, name, deadline)
            if opened is not None and opened[1] == mac:
                response = self._query(omapi, OmapiMessage.delete(opened[0]), deadline)
                if _result(response) not in (_SUCCESS, _NOT_FOUND):
                    self._checked(response)

        self._ask(work, deadline)

    def check(self, deadline: float) -> None:
        """Find out whether dhcpd answers and accepts the key; raises Unavailable when not."""
        self._ask(lambda omapi: self._opened(omapi, _NOBODY, deadline), deadline)

    def close(self) -> None:
        """Let go of the connection."""
        with self._turn:
            self._drop()

    def _ask(self, work: Callable[[Omapi], _Answer], deadline: float) -> _Answer:
        with self._own_turn(deadline):
            before = self._omapi
            try:
                omapi = self._connection(deadline)
            except (OSError, OmapiError) as error:
                self._drop()
                raise Unreached(str(self._failure(error))) from error
            except Unavailable as error:
                self._drop()
                raise Unreached(str(error)) from error
            try:
                return work(omapi)
            except (OSError, OmapiError) as error:
                lost = before is not None and before is self._omapi and not isinstance(error, TimeoutError)
                self._drop()
                if not lost:
                    raise self._failure(error) from error
            except Unavailable:
                self._drop()
                raise
            # dhcpd closed a connection that was there: it was restarted, or has just stopped.
            try:
                return work(self._connection(deadline))
            except (OSError, OmapiError) as error:
                self._drop()
                raise self._failure(error) from error

    @contextmanager
    def _own_turn(self, deadline: float) -> Iterator[None]:
        if not self._turn.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise self._silent()
        try:
            yield
        finally:
            self._turn.release()

    def _connection(self, deadline: float) -> Omapi:
        """The one that is there, or a new one; raises OSError, OmapiError and Unavailable."""
        now = time.monotonic()
        # One that was made before a fork is our parent's, who goes on using it.
        if self._process != os.getpid() or now - self._used > _IDLE_SECONDS or self._is_broken():
            self._drop()
        self._used = now
        if self._omapi is None:
            self._process = os.getpid()
            self._omapi = Omapi(self._server, self._port, timeout=_left(deadline))
            self._authenticate(self._omapi, deadline)
        return self._omapi

    def _is_broken(self) -> bool:
        """Whether dhcpd has closed the connection, or says what nobody asked: then nothing is told on it."""
        if self._omapi is None:
            return False
        try:
            connection = self._omapi.transport.connection
            connection.setblocking(False)
            connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except (OSError, AttributeError):
            return True
        return True

    def _authenticate(self, omapi: Omapi, deadline: float) -> None:
        if self._key is None:
            return
        omapi.transport.connection.settimeout(_left(deadline))
        try:
            omapi.initialize_authenticator(_Authenticator(self._key))
        except OmapiError as error:
            if "non-update" in str(error):
                raise self._refused() from error
            raise

    @staticmethod
    def _query(omapi: Omapi, message: OmapiMessage, deadline: float) -> OmapiMessage:
        """The answer to a message; raises OSError and OmapiError."""
        omapi.check_connected()
        omapi.transport.connection.settimeout(_left(deadline))
        return omapi.query_server(message)

    def _drop(self) -> None:
        if self._omapi is not None:
            self._omapi.close()
            self._omapi = None

    def _opened(self, omapi: Omapi, name: str, deadline: float) -> tuple[int, str] | None:
        """Handle and MAC of a host."""
        response = self._query(omapi, _open_host(name), deadline)
        if _result(response) == _NOT_FOUND:
            return None
        self._checked(response)
        octets = dict(response.obj).get(b"hardware-address", b"")
        return response.handle, octets.hex(":")

    def _checked(self, response: OmapiMessage) -> None:
        """Raise what an answer that is a refusal means."""
        if response.opcode == OMAPI_OP_UPDATE:
            return
        result = _result(response)
        told = dict(response.message).get(b"message", b"").decode("ascii", "replace")
        if result in (_EXISTS, _KEY_CONFLICT):
            raise AlreadyThere(told)
        if result == _BAD_PARSE:
            raise Unparsable(told)
        if result == _NO_AUTHENTICATOR:
            raise self._refused()
        raise Unavailable(f"dhcpd at {self._place} refuses: {told} (OMAPI result {result})")

    @property
    def _place(self) -> str:
        return f"{self._server}:{self._port}"

    def _silent(self) -> Unavailable:
        return Unavailable(f"dhcpd at {self._place} does not answer")

    def _refused(self) -> Unavailable:
        if self._key is None:
            return Unavailable(f"dhcpd at {self._place} wants a key: set :key_name: and :key_secret: in dhcp_isc.yml")
        return Unavailable(
            f"dhcpd at {self._place} refuses the key {self._key.name}: compare :key_name:, :key_secret: and "
            ":key_algorithm: in dhcp_isc.yml with key and omapi-key in dhcpd.conf"
        )

    def _failure(self, error: OSError | OmapiError) -> Unavailable:
        if isinstance(error, TimeoutError):
            return self._silent()
        if isinstance(error, OSError):
            return Unavailable(f"dhcpd at {self._place} cannot be reached: {error.strerror or error}")
        if "authenticator" in str(error):
            # It answers a message with a wrong signature without one.
            return self._refused()
        return Unavailable(f"dhcpd at {self._place} broke off: {error}")


def _left(deadline: float) -> float:
    """The seconds until ``deadline``; raises TimeoutError when it is over."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _open_host(name: str, **flags: bytes) -> OmapiMessage:
    message = OmapiMessage.open(b"host")
    message.message += [(flag.encode(), value) for flag, value in flags.items()]
    message.obj.append((b"name", name.encode()))
    return message


def _result(response: OmapiMessage) -> int | None:
    octets = dict(response.message).get(b"result")
    return None if octets is None else int.from_bytes(octets, "big")
