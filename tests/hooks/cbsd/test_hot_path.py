"""What runs at every start of every guest: which modules it takes, and what happens when it has a mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hooks import main as program
from tests.hooks.cbsd.node import SECRET

ROOT = Path(__file__).parents[3]
SLOW = {"argparse", "asyncio", "dataclasses", "email", "http.client", "logging", "pathlib",
        "secrets", "shutil", "sqlite3", "subprocess", "tempfile", "typing_extensions", "urllib.request",
        "hooks.delivery", "hooks.failing", "hooks.flush"}  # fmt: skip
RUN = """
import json, os, sys
sys.path.insert(0, {root!r})
before = set(sys.modules)
from hooks.main import main
sys.argv[0] = "/usr/jails/jails-system/web1/master_prestart.d/leasehold"
status = main({arguments!r})
print(json.dumps([status, sorted(set(sys.modules) - before)]), file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["cbsd", "master_prestart.d"], ["cbsd", "remove.d"], ["cbsd-dhcpd"], []])
def test_what_every_start_of_a_guest_imports(server, tmp_path, arguments):
    """Each of these takes longer to import than an interpreter takes to start, or brings others that do."""
    server.always(200, {"address": "10.0.1.5", "accepted": True})
    # Without site-packages, whose own start-up files import what they like.
    done = subprocess.run(
        [sys.executable, "-S", "-c", RUN.format(root=str(ROOT), arguments=arguments)],
        env={
            "LEASEHOLD_HOOK_CONFIG": str(tmp_path / "hook.toml"), "LEASEHOLD_HOOK_URLS": server.url,
            "LEASEHOLD_HOOK_SPOOL_DIR": str(tmp_path / "spool"), "LEASEHOLD_HOOK_CLAIMS": "no",
            "LEASEHOLD_HOOK_SYSLOG": "no", "LEASEHOLD_HOOK_SUBNETS": "10.0.1.0/24",
            "jname": "web1", "ip4_addr": "10.0.1.5/24",
        },
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    status, modules = json.loads(done.stderr)
    assert (status, len(server.asked) > 0) == (0, True)
    assert SLOW & set(modules) == set()


@pytest.mark.parametrize(("command", "status"), [("cbsd-dhcpd", 2), ("cbsd", 0)])
def test_a_mistake_of_ours_is_told_and_stores_no_empty_address(monkeypatch, capfd, command, status):
    def mistaken(_: object) -> int:
        raise KeyError(SECRET)

    monkeypatch.setattr(program, "import_module", lambda _: type("Broken", (), {"run": staticmethod(mistaken)}))
    assert program.main([command]) == status
    told = capfd.readouterr()
    assert (told.out, len(told.err.splitlines())) == ("", 1)
    assert "KeyError" in told.err
    assert SECRET not in told.err


def test_a_mistake_elsewhere_is_one(monkeypatch):
    def mistaken(_: object) -> int:
        raise KeyError("x")

    monkeypatch.setattr(program, "import_module", lambda _: type("Broken", (), {"run": staticmethod(mistaken)}))
    with pytest.raises(KeyError):
        program.main(["sync"])
