"""What an exception says in a line, and where it came from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from traceback import extract_tb

from proxy.logs.cleaning import clean

_LAST_PARTS = 3
_MOST_FRAMES = 60


def summary(error: BaseException) -> str:
    """The class of ``error``, its text, and the file and line that raised it, on one line."""
    frames = extract_tb(error.__traceback__, limit=-1)
    where = f" ({PurePath(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{_said(error)}{where}"


def backtrace(error: BaseException) -> list[str]:
    """A line for ``error`` and one for each frame, the innermost first; then the same for what caused it."""
    return list(_lines(error, set()))


def _lines(error: BaseException, told: set[int]) -> Iterator[str]:
    told.add(id(error))
    yield _said(error)
    for frame in reversed(extract_tb(error.__traceback__, limit=-_MOST_FRAMES)):
        file = "/".join(PurePath(frame.filename).parts[-_LAST_PARTS:])
        yield clean(f"{file}:{frame.lineno}:in {frame.name}")
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and id(cause) not in told:
        yield from (f"caused by {line}" if not at else line for at, line in enumerate(_lines(cause, told)))


def _said(error: BaseException) -> str:
    return clean(f"{type(error).__name__}: {error}")
