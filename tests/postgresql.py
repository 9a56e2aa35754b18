"""A private PostgreSQL server for the tests: its own directory, its own socket, no network, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_DEBIAN = Path("/usr/lib/postgresql")
_UNPRIVILEGED = "postgres"
_START_SECONDS = 60


def need_driver() -> None:
    """Skip the test where the driver, or the C library below it, is missing."""
    pytest.importorskip("psycopg", reason="PostgreSQL driver not found", exc_type=ImportError)


def binaries() -> Path:
    """The directory of the newest server on this machine; skips the test when there is none."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = [path for path in _DEBIAN.glob("*/bin/initdb") if path.parent.parent.name.isdigit()]
    if not versions:
        pytest.skip("PostgreSQL server not found")
    return max(versions, key=lambda path: int(path.parent.parent.name)).parent


@contextmanager
def private_server() -> Iterator[str]:
    """Run a server for as long as the context lasts; yields the SQLAlchemy URL of its first database."""
    need_driver()
    programs = binaries()
    user = _user()
    directory = Path(tempfile.mkdtemp(prefix="leasehold-pg-"))
    try:
        if user is not None:
            shutil.chown(directory, user)
        data = directory / "data"
        _run([programs / "initdb", "--pgdata", data, "--username", _UNPRIVILEGED, "--auth", "trust", "--no-sync"], user)
        with _serving(programs, directory, data, user):
            yield f"postgresql+psycopg://{_UNPRIVILEGED}@/postgres?host={directory}"
    finally:
        shutil.rmtree(directory)


def _user() -> str | None:
    """As whom the server runs: it refuses to be root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(_UNPRIVILEGED).pw_name
    except KeyError:
        pytest.skip(f"PostgreSQL does not run as root, and there is no user {_UNPRIVILEGED}")


def _run(command: list[object], user: str | None) -> None:
    subprocess.run(list(map(str, command)), user=user, cwd="/", check=True, capture_output=True)


@contextmanager
def _serving(programs: Path, directory: Path, data: Path, user: str | None) -> Iterator[None]:
    """The server process; nothing it writes has to survive, so it does not wait for the disk."""
    options = {"listen_addresses": "", "unix_socket_directories": str(directory), "fsync": "off"}
    arguments = [f"--{key}={value}" for key, value in options.items()]
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, *arguments], user=user, cwd="/", stdout=log, stderr=log
        )
    try:
        _wait_for(server, directory)
        yield
    finally:
        # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients to leave.
        server.send_signal(signal.SIGINT)
        server.wait(_START_SECONDS)


def _wait_for(server: subprocess.Popen[bytes], directory: Path) -> None:
    import psycopg

    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(host=str(directory), user=_UNPRIVILEGED, dbname="postgres").close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise AssertionError((directory / "log").read_text()) from None
            time.sleep(0.05)
        else:
            return
