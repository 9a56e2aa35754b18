"""The Makefile means the same to GNU make and to BSD make."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TARGETS = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
GNU, BSD = ("make", "gmake"), ("bmake",)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The files that targets depend on, without the environment that they make."""
    for name in ("Makefile", "setup.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def commands(makes: tuple[str, ...], target: str, directory: Path) -> list[str]:
    """The commands that ``target`` would run; skips where there is no such make."""
    program = next(filter(None, map(shutil.which, makes)), None)
    if program is None:
        pytest.skip(f"{makes[0]} not found")
    command = [program, "-n", target, "ARGS=-x"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=120, check=False, env={})
    assert (done.returncode, done.stderr) == (0, "")
    return [line.strip() for line in done.stdout.splitlines() if line]


def test_the_targets_that_everybody_knows_are_there() -> None:
    assert {"all", "run", "test", "lint", "bench", "venv", "docs", "clean"} <= set(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("makes", [GNU, BSD], ids=["GNU make", "BSD make"])
def test_each_target_can_be_read(target: str, makes: tuple[str, ...], tree: Path) -> None:
    assert commands(makes, target, tree) != []


@pytest.mark.parametrize("target", TARGETS)
def test_both_makes_would_do_the_same(target: str, tree: Path) -> None:
    assert commands(BSD, target, tree) == commands(GNU, target, tree)


def test_arguments_reach_the_command(tree: Path) -> None:
    assert commands(BSD, "test", tree)[-1].endswith("-m pytest --numprocesses 2 --dist loadfile -x")
