"""The object that every answer is: ``code``, ``success``, what there is of ``message``, ``id`` and ``data``, ``time``.

As recorded in tests/recorded/phpipam/. ``data`` is never null, and a list in it never empty: nothing found is 404.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import chain

from flask import Response, g

from proxy.api.answer import json_answer, streamed_answer, to_json

_BATCH = 500


def start_counting() -> None:
    """Let ``time`` be counted from now."""
    g.phpipam_began = time.perf_counter()


class Refused(Exception):
    """What phpIPAM refuses, with its status and its words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def found(data: object) -> Response:
    """What was asked for."""
    return json_answer({"code": 200, "success": True, "data": data, "time": _seconds()})


def found_many(rows: Iterator[Mapping[str, object]], nothing: str) -> Response:
    """A list that is sent while it is made; raises Refused with 404 and ``nothing`` when it is empty."""
    first = next(rows, None)
    if first is None:
        raise Refused(404, nothing)
    return streamed_answer(_list(chain([first], rows), _began()))


def done(message: str) -> Response:
    """What was asked was done."""
    return json_answer({"code": 200, "success": True, "message": message, "time": _seconds()})


def created(identifier: str, location: str, *, data: str | None = None) -> Response:
    """An address was made; ``data`` is which one, where the caller left that to us."""
    told: dict[str, object] = {"code": 201, "success": True, "message": "Address created", "id": identifier}
    if data is not None:
        told["data"] = data
    answer = json_answer({**told, "time": _seconds()}, 201)
    answer.headers["Location"] = location
    return answer


def refusal(status: int, message: str) -> Response:
    """Nothing was done, and why."""
    return json_answer({"code": status, "success": False, "message": message, "time": _seconds()}, status)


def _list(rows: Iterator[Mapping[str, object]], began: float) -> Iterator[bytes]:
    """The object in pieces; made when the request is over, so nothing of it is at hand any more."""
    head = '{"code":200,"success":true,"data":['
    for number, row in enumerate(rows):
        head += ("," if number else "") + to_json(row)
        if number % _BATCH == _BATCH - 1:
            yield head.encode(errors="replace")
            head = ""
    yield (head + f'],"time":{_seconds(began)}}}').encode(errors="replace")


def _seconds(began: float | None = None) -> float:
    """How long this request has taken so far."""
    start = _began() if began is None else began
    return round(time.perf_counter() - start, 3)


def _began() -> float:
    began: float = g.setdefault("phpipam_began", time.perf_counter())
    return began
