"""Files in a directory that user ``cbsd`` writes too: root opens nothing there that is a way to somewhere else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from hooks.install.change import OwnFile
from hooks.journal import Journal
from hooks.shared_file import open_shared

_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file of root's, elsewhere."""
    file = tmp_path / "master.passwd"
    file.write_text("root:*:0:0\n")
    file.chmod(0o600)
    return file


def is_untouched(file: Path) -> bool:
    return file.read_text() == "root:*:0:0\n" and stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_link_that_somebody_left_is_neither_written_nor_opened_for_a_group(tmp_path, secret, link):
    link(secret, tmp_path / "log")
    Journal("cbsd", to_syslog=False, file=str(tmp_path / "log")).info("root2::0:0")
    assert is_untouched(secret)


def test_a_link_to_nothing_makes_no_file(tmp_path):
    os.symlink(tmp_path / "cron.d", tmp_path / "log")
    with pytest.raises(OSError, match="log"):
        open_shared(tmp_path / "log", _APPEND)
    assert not (tmp_path / "cron.d").exists()


def test_nobody_waits_at_a_pipe_that_somebody_left(tmp_path):
    os.mkfifo(tmp_path / "log")
    with pytest.raises(OSError, match="log"):
        open_shared(tmp_path / "log", _APPEND)


def test_the_lock_of_the_spool_is_no_way_to_another_file(tmp_path, secret):
    os.symlink(secret, tmp_path / ".lock")
    with pytest.raises(OSError, match="lock"):
        open_shared(tmp_path / ".lock", os.O_RDWR | os.O_CREAT)
    assert is_untouched(secret)


def test_what_install_writes_goes_through_no_link(tmp_path, secret):
    there = tmp_path / "cron"
    os.symlink(secret, f"{there}.{os.getpid()}")
    OwnFile(str(there), "# leasehold-hook\n").make()
    assert there.read_text() == "# leasehold-hook\n"
    assert is_untouched(secret)
