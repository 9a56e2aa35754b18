"""Processes for races: each is forked from a clean one that has the slow imports behind it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from typing import Any

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["alembic.command", "providers.address_book", "providers.book.schema_version", "psycopg"],
)

_PATIENCE = 120


def together(
    many: int, work: Callable[..., list[Any]], *arguments: object, patience: float = _PATIENCE
) -> list[Any]:
    """Run ``work(number, *arguments)`` in ``many`` processes at once; returns all that they returned.

    Raises AssertionError when one of them ends badly; each may take ``patience`` seconds.
    """
    results: Any = CONTEXT.Queue()
    start: Any = CONTEXT.Barrier(many)
    processes = [
        CONTEXT.Process(target=_run, args=(start, results, number, work, arguments)) for number in range(many)
    ]
    for process in processes:
        process.start()
    found = [results.get(timeout=patience) for _ in processes]
    for process in processes:
        process.join(patience)
    errors = [each for each in found if isinstance(each, str)]
    assert not errors, errors
    return [each for part in found for each in part]


def _run(start: Any, results: Any, number: int, work: Callable[..., list[Any]], arguments: tuple[object, ...]) -> None:
    try:
        start.wait(_PATIENCE)
        results.put(work(number, *arguments))
    except BaseException as error:
        results.put(repr(error))
        raise
