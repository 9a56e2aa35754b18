"""One file on a node, run by root and by user ``cbsd``: settings and spool are theirs, and nobody else's."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipapp
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from hooks.install.change import ReadableFile, SharedDirectory
from hooks.spool import Spool
from tests.hooks.answering import nobody_listening
from tests.hooks.cbsd.conftest import Known
from tests.hooks.cbsd.node import PATH, SECRET

ROOT = Path(__file__).parents[3]
USER = GROUP = 54321
STRANGER = 54322

TRY = "import sys; sys.exit(sys.version_info < (3, 11))"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def interpreter() -> str:
    """Python 3.11 or newer that others may run: the one of the tests may be where they cannot go."""
    for path in (sys._base_executable, "/usr/local/bin/python3", "/usr/bin/python3"):
        try:
            done = subprocess.run([path, "-c", TRY], user=STRANGER, cwd="/", capture_output=True, check=False)
        except OSError:
            continue
        if done.returncode == 0:
            return path
    pytest.skip("python3 (3.11 or newer) that every user may run is missing")


class OneFile:
    """``leasehold-hook.pyz`` in a directory that others can enter, with links as on a node."""

    def __init__(self, place: Path, url: str, python: str) -> None:
        self.place = place
        place.chmod(0o755)
        source = place / "source"
        copytree(ROOT / "hooks", source / "hooks", ignore=ignore_patterns("__pycache__"))
        self.program = place / "leasehold-hook.pyz"
        main = "import sys\n\nfrom hooks.main import main\n\nsys.exit(main())\n"
        (source / "__main__.py").write_text(main)
        zipapp.create_archive(source, self.program, interpreter=python)
        self.program.chmod(0o755)
        self.helper = place / "leasehold-dhcpd"
        self.helper.symlink_to(self.program)
        self.hook = place / "web1" / "master_poststop.d" / "leasehold"
        self.hook.parent.mkdir(parents=True)
        self.hook.symlink_to(self.program)
        self.settings, self.spool = place / "hook.toml", place / "spool"
        self.log = self.spool / "hook.log"
        self.url = url
        self.write(url)
        SharedDirectory(str(self.spool), GROUP).make()

    def write(self, url: str) -> None:
        """The settings, as install leaves them."""
        text = (
            f'urls = ["{url}"]\nnode = "sun"\ncluster = "east"\nsubnets = ["10.0.1.0/24"]\nclaims = false\n'
            f'spool_dir = "{self.spool}"\nlog_file = "{self.log}"\nsyslog = false\n'
        )
        self.settings.write_text(text)
        ReadableFile(str(self.settings), GROUP).make()

    def run(self, program: Path, user: int, *arguments: str) -> subprocess.CompletedProcess[str]:
        """As CBSD does, with the umask that it has; root's own is another one, as from cron."""
        return subprocess.run(
            [program, *arguments],
            env={"PATH": PATH, "LEASEHOLD_HOOK_CONFIG": str(self.settings), "jname": "web1", "vnc_password": SECRET},
            cwd="/", user=user, group=GROUP if user == USER else user, extra_groups=[],
            umask=0o002 if user else 0o022,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip


@pytest.fixture
def one_file(known: Known) -> Iterator[OneFile]:
    """It."""
    with tempfile.TemporaryDirectory() as place:
        yield OneFile(Path(place), known.url, interpreter())


def test_root_and_cbsd_get_addresses(one_file):
    for user in (0, USER, 0):
        done = one_file.run(one_file.helper, user)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("10.0.1.")
    assert len(one_file.log.read_text().splitlines()) == 3


def test_somebody_else_cannot_read_the_settings_and_gets_nothing(one_file):
    done = one_file.run(one_file.helper, STRANGER)
    assert (done.returncode, done.stdout) == (2, "")


def test_what_one_of_them_kept_the_other_delivers(one_file):
    with nobody_listening() as url:
        one_file.write(url)
        for user in (0, USER, 0):
            assert one_file.run(one_file.hook, user).returncode == 0
    assert len(Spool(str(one_file.spool)).entries()) == 1
    one_file.write(one_file.url)
    done = one_file.run(one_file.program, USER, "flush")
    assert (done.returncode, done.stderr) == (0, "")
    assert Spool(str(one_file.spool)).entries() == []
