"""Pages of docs/ that show commands and what they print: read, and run against a real service."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from running import Service

DOCS = Path(__file__).parents[2] / "docs"
SHOWN = "127.0.0.1:8000"
"""Where the pages say that the service is."""

_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def printed_session(page: Path, joined_by: str) -> list[tuple[str, str]]:
    """The commands of a page, each with what is printed below it.

    A blank at the start of a line continues the one above, with ``joined_by`` between them.
    """
    found: list[tuple[str, str]] = []
    for block in _BLOCK.findall(page.read_text()):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], ""))
            else:
                command, printed = found[-1]
                found[-1] = (command, f"{printed}{line}\n")
    return [(command, printed.replace("\n ", joined_by)) for command, printed in found]


def without(text: str, volatile: Iterable[tuple[re.Pattern[str], str]]) -> str:
    """The text with something else in place of what differs every time."""
    for pattern, stands_for in volatile:
        text = pattern.sub(stands_for, text)
    return text


def in_a_shell(script: str, service: Service, timeout: float) -> subprocess.CompletedProcess[str]:
    """Run what a page shows on the machine of the service, with the commands of this installation."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{service.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", script.replace(SHOWN, f"127.0.0.1:{service.port}")],
        cwd=service.state_dir,
        env=service.environ | {"PATH": programs},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
