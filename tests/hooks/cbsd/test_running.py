"""Whether a guest runs on this node, asked of the system."""

from __future__ import annotations

from pathlib import Path

import pytest

from hooks.cbsd import running
from hooks.cbsd.running import jail_runs


@pytest.fixture
def jls(tmp_path: Path, monkeypatch):
    def says(script: str) -> None:
        path = tmp_path / "jls"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(running, "_SECONDS", 0.2)
    return says


@pytest.mark.parametrize(("script", "runs"), [("echo 7", True), ("exit 1", False), ("exec sleep 5", True)])
def test_a_jail_runs_unless_the_system_denies_it(jls, script, runs):
    jls(script)
    assert jail_runs("web1") is runs
