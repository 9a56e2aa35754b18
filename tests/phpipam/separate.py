"""The double in a process of its own, so that it shares no interpreter with whoever calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

_PATIENCE = 60


@dataclass
class SeparateDouble:
    """Where it is, and what it was asked."""

    url: str
    _process: subprocess.Popen[str]

    def calls(self) -> Counter[str]:
        """How many calls of each kind there were."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("calls\n")
        self._process.stdin.flush()
        return Counter(json.loads(self._process.stdout.readline()))


@contextmanager
def separate_double(*subnets: str, section: str = "Lab", taken: int = 0) -> Iterator[SeparateDouble]:
    """A double with these subnets in a section, as long as the block lasts."""
    command = [sys.executable, "-m", "tests.phpipam", *subnets, "--section", section, "--taken", str(taken)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert url, "the double did not start"
        yield SeparateDouble(url, process)
    finally:
        process.stdin.close()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
