"""The addresses of a boot server that was given by name, for DHCP servers that are told addresses."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable

from netaddr import IPAddress, valid_ipv4

from providers.errors import InvalidValue, Unavailable

_SECONDS = 3.0
_KEPT_SECONDS = 60.0
_MOST_KEPT = 1000
_AGAIN_LATER = (socket.EAI_AGAIN, socket.EAI_FAIL, socket.EAI_MEMORY, socket.EAI_SYSTEM)


def addresses_of(name: str) -> tuple[IPAddress, ...]:
    """The IPv4 addresses of ``name``, at least one, in order; those of a name are kept in memory for a minute.

    Raises InvalidValue when there is no such name, Unavailable when nobody says so within a few seconds.
    """
    if valid_ipv4(name):
        return (IPAddress(name, 4),)
    return _answers(name)


class Answers:
    """Answers of name servers, and who asks for them.

    The system's resolver knows no time limit, so it is asked by a thread that may outlive its asker.
    """

    def __init__(self, ask: Callable[[str], Iterable[str]], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._answers: dict[str, tuple[float, tuple[IPAddress, ...]]] = {}
        self._asking: dict[str, _Question] = {}

    def __call__(self, name: str, seconds: float = _SECONDS) -> tuple[IPAddress, ...]:
        with self._lock:
            kept = self._answers.get(name)
            if kept is not None and kept[0] > self._monotonic():
                return kept[1]
            question = self._asking.get(name)
            if question is None:
                question = self._asking[name] = _Question()
                threading.Thread(target=self._find, args=(name, question), daemon=True).start()
        if not question.answered.wait(seconds):
            raise Unavailable(f"The name servers do not answer when asked for the next server {name}: give its address")
        if question.failure is not None:
            raise question.failure
        return question.addresses

    def _find(self, name: str, question: _Question) -> None:
        try:
            question.addresses = tuple(sorted({IPAddress(each, 4) for each in self._ask(name)}))
        except socket.gaierror as error:
            if error.errno in _AGAIN_LATER:
                question.failure = Unavailable(f"The next server {name} cannot be looked up now: {error.strerror}")
            else:
                question.failure = InvalidValue(f"The next server {name} is not known to the name servers")
        except (OSError, ValueError) as error:
            question.failure = InvalidValue(f"The next server {name} cannot be looked up: {error}")
        with self._lock:
            if question.failure is None:
                if len(self._answers) >= _MOST_KEPT:
                    self._answers.clear()
                self._answers[name] = (self._monotonic() + _KEPT_SECONDS, question.addresses)
            self._asking.pop(name, None)
        question.answered.set()


class _Question:
    """One name that is being looked up."""

    def __init__(self) -> None:
        self.answered = threading.Event()
        self.addresses: tuple[IPAddress, ...] = ()
        self.failure: InvalidValue | Unavailable | None = None


def _resolved(name: str) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)]


_answers = Answers(_resolved)
