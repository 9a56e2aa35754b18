"""One call of phpIPAM's API: with the token that everybody shares, and again where nothing can have been done twice."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from providers.errors import Refused
from providers.ipam.phpipam.answers import Answer, read
from providers.ipam.phpipam.login import Credential
from providers.ipam.remote.client import Client

_TRIES = 4
_PAUSE = 0.05


class Api:
    """Calls the paths of one app."""

    def __init__(self, client: Client, credential: Credential, *, app: str, patience: float) -> None:
        """``patience`` is for how many seconds a call is tried again that others kept from being done."""
        self.client = client
        self._credential = credential
        self._app = app
        self._patience = patience

    @property
    def where(self) -> str:
        """phpIPAM in messages."""
        return self.client.where

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> Answer:
        """The answer to ``method`` on ``path``, which begins and ends with a slash; good or bad.

        Raises Unavailable when there is none; its subclasses NoAnswer and Garbled say that it may have been done.
        """
        started = time.monotonic()
        token = self._credential.token()
        logged_in = False
        for attempt in range(1, _TRIES + 1):
            answer = self._send(method, path, token, params, json)
            if answer.wants_login:
                if logged_in:
                    raise Refused(f"{self.where} does not accept the token that it has just given: {answer.message}")
                token, logged_in = self._credential.renewed(token), True
            elif not answer.try_again or time.monotonic() - started > self._patience:
                return answer
            elif attempt < _TRIES:
                time.sleep(_PAUSE * attempt)
        return answer

    def _send(
        self, method: str, path: str, token: str, params: Mapping[str, str] | None, json: Mapping[str, Any] | None
    ) -> Answer:
        # With every call: nginx gives PHP an empty type in place of none, which versions before 1.8 answer with a 415.
        headers = {"token": token, "Content-Type": "application/json"}
        response = self.client.call(method, f"/api/{self._app}{path}", params=params, json=json, headers=headers)
        return read(response, self.where)
