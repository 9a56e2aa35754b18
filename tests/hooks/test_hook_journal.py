"""What a hook says, where, and where never."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import syslog
from pathlib import Path

import pytest

from hooks.journal import Journal

ROOT = Path(__file__).parents[2]


@pytest.fixture
def logged(monkeypatch) -> list[tuple[int, str]]:
    """What goes to syslog."""
    found: list[tuple[int, str]] = []
    monkeypatch.setattr(syslog, "syslog", lambda priority, line: found.append((priority, line)))
    return found


def test_what_is_loud_is_one_line_on_standard_error_and_in_syslog(capfd, logged):
    Journal("cbsd remove.d").loud("guest web1:\nno\x1b[31m way")
    told = capfd.readouterr()
    assert (told.out, told.err) == ("", "leasehold-hook cbsd remove.d: guest web1: no [31m way\n")
    assert logged == [(syslog.LOG_ERR, "cbsd remove.d: guest web1: no [31m way")]


@pytest.mark.parametrize("level", ["info", "warning"])
def test_the_rest_is_in_the_logs_alone(capfd, logged, tmp_path, level):
    getattr(Journal("sync", file=str(tmp_path / "log")), level)("as it should be")
    assert capfd.readouterr() == ("", "")
    assert [line for _, line in logged] == ["sync: as it should be"]
    assert (tmp_path / "log").read_text().endswith("sync: as it should be\n")
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o660


def test_closed_standard_error_does_not_make_it_standard_output(capfd, logged, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    Journal("cbsd remove.d").loud("no way")
    assert capfd.readouterr().out == ""
    assert len(logged) == 1


def test_a_log_file_that_cannot_be_written_is_told_in_syslog(capfd, logged, tmp_path):
    Journal("sync", file=str(tmp_path)).info("as it should be")
    assert any("log_file" in line for _, line in logged)
    assert capfd.readouterr() == ("", "")


def test_bytes_that_are_no_text_are_no_failure(logged, tmp_path):
    Journal("cbsd", file=str(tmp_path / "log")).info(b"guest \xff\x00".decode(errors="surrogateescape"))
    assert logged == [(syslog.LOG_INFO, "cbsd: guest   ")]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_standard_error_that_cannot_be_written_leaves_the_status_as_it_is():
    """With another one than 0 iocage stops the jail, and CBSD does not start it."""
    told = "from hooks.journal import Journal; Journal('iocage poststart', to_syslog=False).loud('no way')"
    with open("/dev/full", "wb") as full:
        done = subprocess.run([sys.executable, "-c", told], stderr=full, cwd=ROOT, check=False, timeout=30)
    assert done.returncode == 0
