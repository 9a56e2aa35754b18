"""Requests that schemathesis makes up from the OpenAPI document, against a running service: none may surprise it.

``make fuzz`` sends many more, without a fixed seed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from running import Service

SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))

EXAMPLES = int(os.environ.get("LEASEHOLD_FUZZ", "0"))
BOUNDED = ("--generation-deterministic",)

# A request may be well formed and still be refused with 422: the gateway of a subnet is an address, and nobody's.
LEFT_OUT = "positive_data_acceptance"

THERE = """\
[parameters]
"path.address" = "10.0.1.0"
"path.prefix" = 24
"path.ip" = "10.0.1.77"
"path.cluster" = "east"
"path.name" = "web1"

[[operations]]
include-path = ["/api/v1/guests/{cluster}/{name}", "/api/v1/guests/{cluster}/{name}/claim"]
[operations.checks.use_after_free]
enabled = false
"""
"""Paths that lead to something, so that more than 404 is seen.

A removal that comes late, or from a node that does not own the guest, is a success without effect: the guest is there
afterwards.
"""


@pytest.fixture
def token(service: Service) -> str:
    """What lets everything through."""
    assert service.command("subnet", "sample").returncode == 0
    return service.command("token", "create", "fuzz", "--scope", "admin").stdout.strip()


@pytest.mark.parametrize(
    ("settings", "phases", "examples"),
    [("", "coverage", 1), (THERE, "fuzzing,stateful", 12)],
    ids=["any path", "paths that lead to something"],
)
def test_no_request_surprises_the_service(
    settings: str, phases: str, examples: int, service: Service, token: str, tmp_path: Path
) -> None:
    (tmp_path / "schemathesis.toml").write_text(settings)
    command = [
        *(SCHEMATHESIS, "--config-file", str(tmp_path / "schemathesis.toml"), "run"),
        f"http://127.0.0.1:{service.port}/api/v1/openapi.json",
        *("--header", f"Authorization: Bearer {token}"),
        *("--exclude-checks", LEFT_OUT, "--no-color", "--phases", phases),
        # A machine that stands still for a while is no finding.
        *("--request-timeout", "60", "--request-retries", "2", "--suppress-health-check", "too_slow,data_too_large"),
        *("--max-examples", str(EXAMPLES or examples), *(() if EXAMPLES else BOUNDED)),
    ]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=7200 if EXAMPLES else 600
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert "Internal error" not in service.log()
