"""A log for each test: what is set up for it is taken down again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from providers.trace import current_trace, end
from proxy.logs.configuration import start_log
from proxy.logs.destinations import Destination
from proxy.settings import Settings, load


def leave_request() -> None:
    """The test client does not close its answers."""
    if trace := current_trace():
        end(trace)


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[logging.Logger]:
    """The root logger, whose level and handlers are afterwards what they were."""
    root = logging.getLogger()
    before = root.level
    leave_request()
    yield root
    root.setLevel(before)
    for handler in root.handlers[:]:
        if isinstance(handler, Destination):
            root.removeHandler(handler)
            handler.close()
    leave_request()


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Starts the log with the given settings and returns them all."""
    monkeypatch.chdir(tmp_path)

    def started(**keys: Any) -> Settings:
        settings = load(environ={}, **keys)
        start_log(settings)
        return settings

    return started


Record = Callable[..., logging.LogRecord]


@pytest.fixture
def record() -> Record:
    """Makes a record, at a fixed time."""

    def record(
        message: str, *arguments: object, level: int = logging.INFO, error: BaseException | None = None
    ) -> logging.LogRecord:
        trouble = None if error is None else (type(error), error, error.__traceback__)
        made = logging.LogRecord("proxy.test", level, "/x/test.py", 7, message, arguments, trouble)
        made.created = 1767323045.5
        return made

    return record


@pytest.fixture
def raised() -> BaseException:
    """An exception that was raised, because of another one, with line ends in its text."""
    try:
        try:
            {}["the cause"]
        except KeyError as cause:
            raise RuntimeError("two\nlines") from cause
    except RuntimeError as error:
        return error
