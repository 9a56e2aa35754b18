"""Files that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from providers.dhcp import atomic_file
from providers.errors import Unavailable


def test_a_new_file_is_readable_by_its_group(tmp_path: Path):
    atomic_file.write(tmp_path / "hosts", b"one\n")
    assert (tmp_path / "hosts").read_bytes() == b"one\n"
    assert (tmp_path / "hosts").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "hosts").stat().st_gid == tmp_path.stat().st_gid


def test_an_old_one_keeps_its_mode(tmp_path: Path):
    (tmp_path / "hosts").write_bytes(b"old\n")
    (tmp_path / "hosts").chmod(0o604)
    atomic_file.write(tmp_path / "hosts", b"new\n")
    assert (tmp_path / "hosts").stat().st_mode & 0o777 == 0o604


def test_nothing_is_left_beside_it(tmp_path: Path):
    atomic_file.write(tmp_path / "hosts", b"one\n")
    (tmp_path / "directory").mkdir()
    with pytest.raises(Unavailable, match="directory cannot be written"):
        atomic_file.write(tmp_path / "directory", b"one\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["directory", "hosts"]


def test_whoever_has_it_open_reads_the_old_one_to_its_end(tmp_path: Path):
    (tmp_path / "hosts").write_bytes(b"old\n")
    with (tmp_path / "hosts").open("rb") as reader:
        atomic_file.write(tmp_path / "hosts", b"new\n")
        assert reader.read() == b"old\n"


def test_what_was_there_is_put_back_after_a_failure(tmp_path: Path):
    (tmp_path / "old").write_bytes(b"old\n")
    def refuse() -> None:
        with atomic_file.replaced({tmp_path / "old": b"new\n", tmp_path / "fresh": b"new\n"}):
            assert (tmp_path / "old").read_bytes() == (tmp_path / "fresh").read_bytes() == b"new\n"
            raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        refuse()
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").read_bytes() == b"old\n"


def test_the_first_is_put_back_when_the_second_cannot_be_written(tmp_path: Path):
    (tmp_path / "old").write_bytes(b"old\n")
    (tmp_path / "directory").mkdir()
    wanted = {tmp_path / "old": b"new\n", tmp_path / "missing" / "file": b"new\n"}
    with pytest.raises(Unavailable), atomic_file.replaced(wanted):
        raise AssertionError
    assert (tmp_path / "old").read_bytes() == b"old\n"


def test_what_is_equal_is_not_written(tmp_path: Path):
    (tmp_path / "old").write_bytes(b"old\n")
    before = (tmp_path / "old").stat().st_ino
    with atomic_file.replaced({tmp_path / "old": b"old\n"}):
        pass
    assert (tmp_path / "old").stat().st_ino == before
