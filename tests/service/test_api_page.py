"""Every curl line of docs/api.md, run in order against a real service: the answers are as printed there."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from printed_page import DOCS, in_a_shell, printed_session, without
from running import Service

from proxy.app import routes_only

PAGE = DOCS / "api.md"

_VOLATILE = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|\+00:00)"), "TIME"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "REQUEST"),
    (re.compile(r"anonymous:[0-9a-f]{16}"), "anonymous:NUMBER"),
)


def session() -> list[tuple[str, str]]:
    """The commands of the page, each with what is printed below it."""
    return printed_session(PAGE, " ")


def masked(text: str) -> Any:
    """What a command printed, but for the parts that differ every time; JSON as what it says."""
    text = without(text, _VOLATILE)
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()


@pytest.fixture
def empty_service(tmp_path: Path, empty_book_file: Path) -> Iterator[Service]:
    """A service on a book with nothing in it; skips where there is no curl."""
    if shutil.which("curl") is None:
        pytest.skip("curl not found")
    (tmp_path / "leasehold.db").write_bytes(empty_book_file.read_bytes())
    service = Service(tmp_path)
    service.start()
    yield service
    service.stop()


def run(command: str, service: Service) -> str:
    """What a shell on the machine of the service prints."""
    done = in_a_shell(command, service, 300)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


def test_every_line_answers_as_printed(empty_service: Service) -> None:
    for command, printed in session():
        assert masked(run(command, empty_service)) == masked(printed), command


def test_there_is_a_line_for_every_endpoint() -> None:
    """Of every endpoint but the page for browsers; that the path is spelled out is enough."""
    page = PAGE.read_text()
    rules = {
        f"{method} {rule.rule}"
        for rule in routes_only().url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {rule for rule in rules if f"### `{rule}`" not in page} == set()
    assert len(session()) > len(rules)
