"""Seeing that somebody else has read a file."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from providers.dhcp.dnsmasq.reading import reading
from providers.errors import Unavailable


@pytest.fixture
def files(tmp_path):
    """Two files."""
    paths = [tmp_path / "hosts", tmp_path / "options"]
    for path in paths:
        path.write_text("x\n")
    return paths


def read_elsewhere(*paths) -> None:
    """Another process reads them."""
    code = "import sys, pathlib; [pathlib.Path(path).read_bytes() for path in sys.argv[1:]]"
    subprocess.run([sys.executable, "-c", code, *paths], check=True)


def test_it_is_seen_when_all_were_read(files):
    with reading(files) as watch:
        read_elsewhere(*files)
        begin = time.monotonic()
        assert watch.wait(60)
    assert time.monotonic() - begin < 30


def test_one_that_was_not_read_is_named(files):
    with reading(files) as watch:
        read_elsewhere(files[0])
        assert not watch.wait(0.1)
        assert watch.unread == {files[1]}
        read_elsewhere(files[1])
        assert watch.wait(60)


def test_what_was_read_before_does_not_count(files):
    read_elsewhere(*files)
    with reading(files) as watch:
        assert not watch.wait(0.1)


def test_the_file_that_was_there_before_does_not_count(files, tmp_path):
    """It was replaced, and somebody still reads the old one."""
    with files[0].open() as old:
        (tmp_path / "new").write_text("y\n")
        os.replace(tmp_path / "new", files[0])
        with reading(files[:1]) as watch:
            old.read()
            old.close()
            assert not watch.wait(0.1)


def test_writing_is_not_reading(files):
    with reading(files[:1]) as watch:
        files[0].write_text("z\n")
        assert not watch.wait(0.1)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(Unavailable, match="No such file"):
        reading([tmp_path / "none"]).__enter__()


linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


def watching() -> int:
    """How many descriptors of inotify this process has."""
    found = 0
    for path in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found += "inotify" in os.readlink(path)
    return found


@linux
def test_nobody_waits_for_the_descriptor_to_be_closed(files, monkeypatch):
    """That takes Linux longer than all the rest."""
    go_on = threading.Event()
    closed = threading.Event()
    close = os.close

    def slow(descriptor: int) -> None:
        go_on.wait(30)
        close(descriptor)
        closed.set()

    with reading(files):
        monkeypatch.setattr(os, "close", slow)
    assert not closed.is_set()
    go_on.set()
    assert closed.wait(30)


@linux
@pytest.mark.parametrize("threads", [True, False], ids=["by another thread", "where no thread can be had"])
def test_every_descriptor_is_closed(files, monkeypatch, threads):
    def none_left(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    before = watching()
    if not threads:
        monkeypatch.setattr(threading.Thread, "start", none_left)
    for _ in range(5):
        with reading(files):
            pass
    deadline = time.monotonic() + 30
    while watching() > before:
        assert time.monotonic() < deadline
        time.sleep(0.01)
