"""A clean environment, and a server that answers as a test says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hooks.answering import Answering, answering


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of this machine counts, and nothing is written outside the test's own directory."""
    for name in [name for name in os.environ if name.startswith("LEASEHOLD_")]:
        monkeypatch.delenv(name)
    (tmp_path / "hook.toml").write_text("")
    monkeypatch.setenv("LEASEHOLD_HOOK_CONFIG", str(tmp_path / "hook.toml"))
    monkeypatch.setenv("LEASEHOLD_HOOK_SPOOL_DIR", str(tmp_path / "spool"))
    monkeypatch.setenv("LEASEHOLD_HOOK_SYSLOG", "false")
    monkeypatch.setenv("LEASEHOLD_HOOK_NODE", "node1")


@pytest.fixture
def server() -> Iterator[Answering]:
    """A server that answers as the test says."""
    with answering() as state:
        yield state
