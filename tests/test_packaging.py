"""The package as others install it: what is in the wheel, and that a service runs from nothing else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from providers.book.schema_version import HEAD
from proxy import __version__
from tests.ports import free_port

ROOT = Path(__file__).parent.parent
SOURCES = ("proxy", "providers", "hooks", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")
START_SECONDS = 120


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources so that nothing is left behind in them."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, source / name)
    shutil.copytree(ROOT / "tests", source / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    # With the setuptools of the tests' environment: a fresh one would come over the network, each time.
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", target, source)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def files(wheel: Path) -> set[str]:
    """The names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of an environment with the wheel in it, and the libraries of the one that runs the tests."""
    directory = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(directory, with_pip=False, symlinks=True)
    python = directory / "bin" / "python"
    (libraries,) = directory.glob("lib/python*/site-packages")
    pip("--python", python, "install", "--no-deps", wheel)
    # Behind the wheel in the path; an editable installation of the tests' environment does not come with it.
    (libraries / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return directory / "bin"


class Installed:
    """The installed program with a state directory of its own, far from the sources."""

    def __init__(self, programs: Path, state_dir: Path) -> None:
        self.programs = programs
        self.state_dir = state_dir
        ours = {key: value for key, value in os.environ.items() if not key.startswith(("LEASEHOLD_", "PYTHON"))}
        self.environ = ours | {"LEASEHOLD_STATE_DIR": str(state_dir)}

    def __call__(self, *arguments: str) -> str:
        """What ``leasehold`` with these arguments prints."""
        command = [self.programs / "leasehold", *arguments]
        done = subprocess.run(
            command, cwd=self.state_dir, env=self.environ, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def serve(self, port: int, **environ: str) -> subprocess.Popen[bytes]:
        """Start the service."""
        return subprocess.Popen(
            [self.programs / "leasehold", "serve", "--http-port", str(port), "--workers", "1"],
            cwd=self.state_dir,
            env=self.environ | environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


@pytest.fixture
def leasehold(programs: Path, tmp_path: Path) -> Installed:
    """The installed ``leasehold``."""
    return Installed(programs, tmp_path)


def test_every_module_is_in_the_wheel(files: set[str]) -> None:
    modules = {
        str(path.relative_to(ROOT)) for top in ("proxy", "providers", "hooks") for path in (ROOT / top).rglob("*.py")
    }
    assert modules - files == set()


def test_every_migration_and_the_template_for_new_ones_are_in_the_wheel(files: set[str]) -> None:
    migrations = ROOT / "providers" / "book" / "migrations"
    wanted = {str(path.relative_to(ROOT)) for path in migrations.rglob("*") if path.suffix in {".py", ".mako"}}
    assert any(HEAD in name for name in wanted)
    assert wanted - files == set()


def test_the_page_of_the_api_is_in_the_wheel(files: set[str]) -> None:
    assert "proxy/api/v1/page.html" in files


def test_nothing_else_is_in_the_wheel(files: set[str]) -> None:
    assert {name.split("/")[0] for name in files} == {
        *("proxy", "providers", "hooks"),
        f"leasehold-{__version__}.dist-info",
    }


def test_the_wheel_has_both_commands_the_version_and_the_licence(wheel: Path) -> None:
    about = f"leasehold-{__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        commands = archive.read(f"{about}/entry_points.txt").decode()
        metadata = archive.read(f"{about}/METADATA").decode()
        names = archive.namelist()
    assert "leasehold = proxy.commands:main" in commands
    assert "leasehold-hook = hooks.main:main" in commands
    assert f"\nVersion: {__version__}\n" in metadata
    assert f"{about}/licenses/LICENSE" in names


def test_the_installed_commands_run_from_the_wheel(leasehold: Installed) -> None:
    assert leasehold("--version") == f"leasehold {__version__}\n"
    where = [leasehold.programs / "python", "-c", "import proxy; print(proxy.__file__)"]
    found = subprocess.run(
        where, env=leasehold.environ, cwd=leasehold.state_dir, capture_output=True, text=True, check=True
    )
    assert found.stdout.startswith(str(leasehold.programs.parent))
    hook = subprocess.run([leasehold.programs / "leasehold-hook", "--help"], capture_output=True, check=False)
    assert hook.returncode == 0


def test_the_installed_program_makes_a_book(leasehold: Installed) -> None:
    assert leasehold("database", "upgrade") == f"Upgraded the database: schema none -> {HEAD}.\n"
    assert leasehold("database", "upgrade") == f"The database is up to date (schema {HEAD}).\n"


@pytest.fixture
def listening(leasehold: Installed) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The service from the wheel, which has told systemd that it is ready; its master process and its port."""
    leasehold("database", "upgrade")
    leasehold("subnet", "sample")
    port = free_port()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.settimeout(START_SECONDS)
        name = f"\0leasehold-{os.getpid()}-{port}" if sys.platform == "linux" else str(leasehold.state_dir / "told")
        told.bind(name)
        master = leasehold.serve(port, NOTIFY_SOCKET=name.replace("\0", "@"))
        try:
            assert told.recv(4096).startswith(b"READY=1"), "Type=notify in config/leasehold.service"
            yield master, port
        finally:
            if master.poll() is None:
                os.killpg(master.pid, signal.SIGKILL)
                master.wait()


def test_the_service_tells_systemd_serves_and_ends(listening: tuple[subprocess.Popen[bytes], int]) -> None:
    master, port = listening
    with urlopen(f"http://127.0.0.1:{port}/dhcp", timeout=START_SECONDS) as answer:
        assert {subnet["network"] for subnet in json.load(answer)} == {"10.0.1.0", "10.0.2.0"}

    master.send_signal(signal.SIGTERM)

    assert master.wait(START_SECONDS) == 0


def pip(*arguments: str | Path) -> None:
    """Run pip of the tests' environment."""
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
