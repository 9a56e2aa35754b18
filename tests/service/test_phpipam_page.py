"""Every line of docs/phpipam-api.md, run by a shell against a real service: the answers are as printed there."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from printed_page import DOCS, SHOWN, in_a_shell, printed_session, without
from running import Service

from proxy.app import routes_only
from proxy.commands import main

PAGE = DOCS / "phpipam-api.md"
BETWEEN = "@@@"

_VOLATILE = (
    (re.compile(r'"time":[0-9.]+'), '"time":SECONDS'),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "MOMENT"),
    (re.compile(r"lh_(?:[A-Za-z0-9_-]{43}|Sk3w\.\.\.)"), "SECRET"),
)

pytestmark = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="curl or jq is missing")


def session() -> list[tuple[str, str]]:
    """The commands of the page, each with what is printed below it."""
    return printed_session(PAGE, "")


def masked(text: str) -> str:
    """What a command printed, but for the parts that differ every time."""
    return without(text, _VOLATILE).strip()


@pytest.fixture
def sample_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_book_file: Path) -> Iterator[Service]:
    """A service on the sample."""
    (tmp_path / "leasehold.db").write_bytes(empty_book_file.read_bytes())
    monkeypatch.setenv("LEASEHOLD_STATE_DIR", str(tmp_path))
    assert CliRunner().invoke(main, ["subnet", "sample"]).exit_code == 0
    service = Service(tmp_path)
    service.start()
    yield service
    service.stop()


def test_every_line_answers_as_printed(sample_service: Service) -> None:
    commands = [command for command, _ in session()]
    script = "".join(f"{command}\necho; echo {BETWEEN}\n" for command in commands)
    done = in_a_shell(script, sample_service, 600)
    printed = done.stdout.split(f"{BETWEEN}\n")[:-1]
    assert len(printed) == len(commands), done.stderr
    for (command, expected), answer in zip(session(), printed, strict=True):
        assert masked(answer) == masked(expected), command


def test_every_route_has_a_line() -> None:
    lines = [command for command, _ in session()]
    asked = {
        (_method(line), path.rstrip("/") + "/") for line in lines for path in re.findall(rf"{SHOWN}([^?\s\"]*)", line)
    }
    missing = [
        f"{method} {rule.rule}"
        for rule in routes_only().url_map.iter_rules()
        if rule.endpoint.startswith("phpipam.")
        for method in (rule.methods or set()) - {"HEAD"}
        if not any(method == sent and _fits(rule.rule, path) for sent, path in asked)
    ]
    assert missing == []


def _method(line: str) -> str:
    if given := re.search(r"-X ([A-Z]+)", line):
        return given[1]
    return "POST" if " -d " in line or "--json" in line else "GET"


def _fits(rule: str, path: str) -> bool:
    pattern = re.sub(r"<[^>]+>", "@", rule).replace("@", "[^/]+" if "path:" not in rule else ".+")
    return re.fullmatch(pattern if pattern.endswith("/") else f"{pattern}/?", path) is not None
