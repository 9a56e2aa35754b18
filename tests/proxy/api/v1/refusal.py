"""The one shape of errors, as the tests read it."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse


def error(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The error in an answer, which has that status and code."""
    assert (answer.status_code, (answer.json or {})["error"]["code"]) == (status, code), answer.text
    assert answer.content_type == "application/json"
    assert (answer.json or {})["error"]["request_id"] == answer.headers["X-Request-Id"]
    assert (answer.json or {})["error"]["message"]
    found: dict[str, Any] = (answer.json or {})["error"]
    return found
