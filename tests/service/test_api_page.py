"""Every curl line of docs/api.md, run in order against a real service: the answers are as printed there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import Service

from proxy.app import routes_only

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
SHOWN = "127.0.0.1:8000"

_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_VOLATILE = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|\+00:00)"), "TIME"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "REQUEST"),
    (re.compile(r"anonymous:[0-9a-f]{16}"), "anonymous:NUMBER"),
)


def session() -> list[tuple[str, str]]:
    """The commands of the page, each with what is printed below it; a blank at its start continues a line."""
    found: list[tuple[str, str]] = []
    for block in _BLOCK.findall(PAGE.read_text()):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], ""))
            else:
                command, printed = found[-1]
                found[-1] = (command, f"{printed}{line}\n")
    return [(command, printed.replace("\n ", " ")) for command, printed in found]


def masked(text: str) -> Any:
    """What a command printed, but for the parts that differ every time; JSON as what it says."""
    for pattern, stands_for in _VOLATILE:
        text = pattern.sub(stands_for, text)
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
    programs = f"{Path(sys.executable).parent}{os.pathsep}{service.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command.replace(SHOWN, f"127.0.0.1:{service.port}")],
        cwd=service.state_dir,
        env=service.environ | {"PATH": programs},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
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
