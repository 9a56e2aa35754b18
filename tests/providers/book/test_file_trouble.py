"""What somebody hears whose book cannot be used for the sake of its account or file system."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.book import schema_version
from providers.book.database import Book
from providers.book.file_trouble import trouble
from providers.errors import Misconfigured

_ASK = """
import sys
from providers.book import schema_version
from providers.book.database import Book
from providers.errors import LeaseholdError

try:
    book = Book(sys.argv[1])
    getattr(schema_version, sys.argv[2])(book)
    print("fine")
except LeaseholdError as error:
    print(error)
"""
_NO_RIGHTS_OF_ROOT = "-dac_override,-dac_read_search"


def asked(database: Path, what: str) -> str:
    """What a process hears that is not the owner of ``database`` and has no rights beyond its mode."""
    command = [sys.executable, "-c", _ASK, f"sqlite:///{database}", what]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("setpriv of util-linux is not here")
        command = ["setpriv", f"--bounding-set={_NO_RIGHTS_OF_ROOT}", f"--inh-caps={_NO_RIGHTS_OF_ROOT}", *command]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in ended.stderr
    return ended.stdout.strip()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A directory with a book, both of another account where that can be had."""
    directory = tmp_path / "state"
    database = directory / "leasehold.db"
    book = Book(f"sqlite:///{database}")
    schema_version.upgrade(book)
    book.close()
    if os.geteuid() == 0:
        for path in (directory, *directory.iterdir()):
            os.chown(path, 65534, 65534)
    yield directory
    directory.chmod(0o755)


def test_an_account_that_may_not_write_hears_whose_book_it_is(place: Path):
    for path in place.iterdir():
        path.chmod(0o444)
    place.chmod(0o555)
    told = asked(place / "leasehold.db", "check")
    assert "may not write" in told
    assert "which the book belongs to" in told
    assert "Try again" not in told


@pytest.mark.parametrize("what", ["check", "upgrade"])
def test_an_account_that_may_not_look_hears_where(place: Path, what: str):
    place.chmod(0o000)
    assert f"may not look into {place}" in asked(place / "leasehold.db", what)


def test_a_file_system_without_room_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "leasehold.db").touch()
    real = os.statvfs(tmp_path)
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result([*real[:4], 0, *real[5:]]))
    assert trouble(tmp_path / "leasehold.db", OSError()) == f"the file system of {tmp_path} is full: make room"


def test_what_is_no_matter_of_files_is_left_to_its_own_words(tmp_path: Path):
    (tmp_path / "leasehold.db").touch()
    assert trouble(tmp_path / "leasehold.db", TimeoutError()) is None
    assert trouble(tmp_path / "leasehold.db", ValueError()) is None
    assert trouble(tmp_path / "leasehold.db", OSError()) is None


def test_a_driver_that_is_missing_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pymysql", None)
    with pytest.raises(Misconfigured, match=r"install its driver, pip install '\.\[mariadb\]'"):
        Book("mysql+pymysql://127.0.0.1/leasehold")
