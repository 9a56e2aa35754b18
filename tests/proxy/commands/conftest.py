"""The command line on a book of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from proxy.commands import main


class CommandLine:
    """Runs ``leasehold`` as a shell would; what we did not foresee is raised, not hidden in a result."""

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, prog_name="leasehold", catch_exceptions=False)

    def done(self, *arguments: str) -> str:
        """Run a command that has to succeed; returns what it printed on standard output."""
        result = self(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str):
        """Run a listing with --json and return what it listed."""
        return json.loads(self.done(*arguments, "--json"))


@pytest.fixture
def empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory without settings and without a book."""
    for name in [name for name in os.environ if name.startswith("LEASEHOLD_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def bookless(empty_place: Path) -> CommandLine:
    """The command line before ``database upgrade``."""
    return CommandLine()


@pytest.fixture
def leasehold(bookless: CommandLine) -> CommandLine:
    """The command line, with an empty book."""
    bookless.done("database", "upgrade")
    return bookless


@pytest.fixture
def lab(leasehold: CommandLine) -> CommandLine:
    """The command line, with 10.0.1.0/24 in group Lab."""
    leasehold.done("subnet", "add", "10.0.1.0/24", "--group", "Lab", "--gateway", "10.0.1.1")
    return leasehold
