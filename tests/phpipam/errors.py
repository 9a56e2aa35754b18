"""How the double ends a call early."""

from __future__ import annotations


class Refused(Exception):
    """Answered with ``status`` and a message; with ``status`` None as phpIPAM does with what it did not expect.

    Then the HTTP status is 200, and only ``success`` and ``code`` in the body say that it failed.
    """

    def __init__(self, status: int | None, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Died(Exception):
    """PHP ended in the middle: HTTP 500 and nothing in it."""


class AnswerLost(Exception):
    """What was asked is done, and the connection breaks before the answer."""
