"""Requests that were refused: counted, slowed, and told to the log once per source and minute."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from flask import Flask, current_app

from providers.errors import LeaseholdError, TooManyAttempts
from proxy.access.identity import Identity
from proxy.access.throttle import Throttle
from proxy.access.trusted_hosts import clean_name

_log = logging.getLogger(__name__)

_KEY = "leasehold_refusals"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nobody whom the settings let in: the ``error`` is for them, ``why`` for the log, with nothing that they sent."""

    error: LeaseholdError
    why: str


class Refusals:
    """Keeps the count. What the log hears has a cleaned name at most of what the caller sent."""

    def __init__(self, throttle: Throttle) -> None:
        self._throttle = throttle

    def of_stranger(self, source: str, refusal: Refusal) -> LeaseholdError:
        """Count a failed attempt of an address; returns what its sender hears.

        Whoever proves who they are is never slowed, so that an old token on one machine cannot shut out the others
        that share its address.
        """
        failures = self._throttle.failed(source)
        if failures.count == 1:
            _log.warning("Refused %s: %s", clean_name(source), refusal.why)
        if not self._throttle.slows(failures):
            return refusal.error
        wait = failures.seconds_left
        return TooManyAttempts(f"Refused too often, wait {wait} seconds. {refusal.error}", retry_after=wait)

    def of_known(self, identity: Identity, why: str) -> None:
        """Note that somebody known wanted more than they may."""
        if self._throttle.failed(f"known {identity.actor}").count == 1:
            _log.warning("Refused %s: %s", clean_name(identity.actor), why)


def keep_refusals(app: Flask, refusals: Refusals) -> None:
    """Make ``refusals`` those of ``app``."""
    app.extensions[_KEY] = refusals


def current_refusals() -> Refusals:
    """Those of the application that handles this request."""
    refusals: Refusals = current_app.extensions[_KEY]
    return refusals
