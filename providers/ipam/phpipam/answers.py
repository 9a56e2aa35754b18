"""What phpIPAM's answers mean.

Measured on 1.5.2, 1.7.4 and 1.8.2 (``tests/recorded/phpipam``): the status alone says too little. A lock that could
not be had is HTTP 200 with ``success`` false; PHP that died is a 500 with an empty body; HTML may stand in front of the
JSON; a wrong password, a blocked address and an address outside the subnet are all 500.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from requests import Response

from providers.errors import Conflict, InvalidValue, LeaseholdError, Refused, Unavailable
from providers.ipam.remote.client import printable

_LOCK = ("cannot obtain lock", "mysql wait timeout", "deadlock")
_DUPLICATE = ("duplicate entry", "sid_ip_unique")
_UNFIT = (
    "is not a valid address for subnet",
    "data too long",
    "sqlstate[22",
    "incorrect integer",
    "incorrect string",
    "out of range",
)
_BLOCKED = "has been blocked"
_SERVER_ERROR = 500


class Garbled(Unavailable):
    """What came is no answer of phpIPAM's API: whether the call was done is not known."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. ``code`` is the status that counts: the body's own where HTTP says 200 and the body no."""

    code: int
    success: bool
    message: str
    id: str | None
    data: Any

    @property
    def missing(self) -> bool:
        """Whether there is nothing of the kind; phpIPAM says so for empty lists as well."""
        return self.code == 404

    @property
    def taken(self) -> bool:
        """Whether somebody else has the address, by phpIPAM's own look or by the database's last line."""
        return self.code == 409 or (self.code >= _SERVER_ERROR and self._says(*_DUPLICATE))

    @property
    def try_again(self) -> bool:
        """Whether nothing was done because others were writing."""
        return not self.success and self._says(*_LOCK)

    @property
    def wants_login(self) -> bool:
        """Whether the token is not good; a read-only app's 401 is something else."""
        return (self.code == 401 and not self._says("permission")) or (self.code == 403 and self._says("token"))

    @property
    def blocked(self) -> bool:
        """Whether phpIPAM shuts out everything from our address for five minutes."""
        return self._says(_BLOCKED)

    def failure(self, where: str, what: str) -> LeaseholdError:
        """What to raise when ``what`` was refused."""
        told = f"{what}: {where} says {self.code} {printable(self.message) or 'without a reason'}"
        if self.taken:
            return Conflict(told)
        if self._says(*_UNFIT):
            return InvalidValue(told)
        if self._says("invalid permissions"):
            return Refused(f"{told}: give the app read/write permission in phpIPAM's administration")
        if self.try_again or (self.code >= _SERVER_ERROR and self.code != 503):
            return Unavailable(told)
        return Refused(told)

    def _says(self, *words: str) -> bool:
        told = self.message.casefold()
        return any(word in told for word in words)


def read(response: Response, where: str) -> Answer:
    """The answer in ``response``; raises Garbled when there is none in it."""
    text = response.content.decode("utf-8", "replace")
    start = 0 if text.startswith("{") else text.find('{"code"')
    try:
        body, _ = json.JSONDecoder().raw_decode(text, start) if start >= 0 else (None, 0)
    except ValueError:
        body = None
    if not isinstance(body, dict) or "success" not in body:
        raise Garbled(f"{where} {_described(response, text)}")
    code = _number(body.get("code"), response.status_code)
    identity = body.get("id")
    return Answer(
        code=code if response.status_code < 300 else response.status_code,
        success=body["success"] in (True, 1, "1", "true") and response.status_code < 300,
        message=str(body.get("message") or ""),
        id=None if identity is None else str(identity),
        data=body.get("data"),
    )


def rows_of(data: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - whatever came
    """The rows of a list, or the one row of an object; custom fields that are nested come out of their nest.

    Raises Garbled for rows without a number of their own: then it is no answer of phpIPAM.
    """
    found = [each for each in (data if isinstance(data, list) else [data]) if isinstance(each, dict)]
    if not all(str(each.get("id", "")).isdigit() for each in found):
        raise Garbled("phpIPAM's answer has rows without an id: check :url:")
    return [_flat(each) for each in found]


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    nested = row.get("custom_fields")
    return row | nested if isinstance(nested, dict) else row


def _described(response: Response, text: str) -> str:
    status = response.status_code
    if not text.strip():
        return f"ended with status {status} and no answer: PHP failed there, its error log says why"
    if status < _SERVER_ERROR:
        return (
            f"answers {status} with something that is not phpIPAM's API: check :url:, that the API is switched on in "
            "its settings, and the web server's rewrite rules"
        )
    return f"answers {status} {printable(response.reason or '')}"


def _number(value: object, otherwise: int) -> int:
    try:
        return int(str(value))
    except ValueError:
        return otherwise
