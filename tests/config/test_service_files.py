"""The service files: what the systems that read them say about them, where their tools are on this machine."""

from __future__ import annotations

import configparser
import grp
import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from providers.errors import Misconfigured
from proxy.commands.exits import exit_code

CONFIG = Path(__file__).parents[2] / "config"
UNIT = CONFIG / "leasehold.service"


def run(*command: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a tool of the system; skips the test, by the tool's name, where it is missing."""
    name = str(command[0])
    if shutil.which(name) is None:
        pytest.skip(f"{name} not found")
    return subprocess.run([*command], capture_output=True, text=True, timeout=timeout, check=False)


@pytest.fixture
def unit() -> configparser.RawConfigParser:
    """The unit; of keys that stand there several times the last one."""
    parser = configparser.RawConfigParser(strict=False, delimiters="=")
    parser.optionxform = str
    parser.read_string(UNIT.read_text())
    return parser


@pytest.fixture
def unit_of_this_machine(tmp_path: Path) -> Path:
    """The unit with programs that are here, because systemd looks for them."""
    path = tmp_path / UNIT.name
    path.write_text(UNIT.read_text().replace("/opt/leasehold/bin/leasehold", shutil.which("true") or "/bin/true"))
    return path


def test_systemd_accepts_the_unit(unit_of_this_machine: Path) -> None:
    done = run("systemd-analyze", "verify", "--man=no", unit_of_this_machine)
    told = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert (done.returncode, told) == (0, [])


def test_systemd_finds_the_service_little_exposed(unit_of_this_machine: Path) -> None:
    done = run("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", unit_of_this_machine)
    if "unrecognized option" in done.stderr or "Unknown" in done.stderr:
        pytest.skip("systemd-analyze security does not work offline")
    assert done.returncode == 0, done.stdout


def test_the_unit_is_not_started_again_with_wrong_settings(unit: configparser.RawConfigParser) -> None:
    assert str(exit_code(Misconfigured(""))) in unit["Service"]["RestartPreventExitStatus"].split()


def test_the_unit_writes_where_the_tmpfiles_are(unit: configparser.RawConfigParser) -> None:
    service = unit["Service"]
    made = {line.split()[1]: line.split()[2:5] for line in lines(CONFIG / "leasehold.tmpfiles")}
    account = [service["User"], service["Group"]]
    assert made == {
        f"/var/lib/{service['StateDirectory']}": [service["StateDirectoryMode"], *account],
        f"/var/log/{service['LogsDirectory']}": [service["LogsDirectoryMode"], *account],
        "/etc/leasehold": ["0750", "root", service["Group"]],
    }
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"


def test_systemd_makes_the_account_and_the_directories(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make directories of others")
    (tmp_path / "etc").mkdir()
    for path in ("etc", "var/lib", "var/log"):
        (tmp_path / path).mkdir(parents=True, exist_ok=True)

    account = run("systemd-sysusers", f"--root={tmp_path}", CONFIG / "leasehold.sysusers")
    directories = run("systemd-tmpfiles", f"--root={tmp_path}", "--create", CONFIG / "leasehold.tmpfiles")

    assert (account.returncode, directories.returncode) == (0, 0), account.stderr + directories.stderr
    line = next(line for line in (tmp_path / "etc/passwd").read_text().splitlines() if line.startswith("leasehold:"))
    uid = int(line.split(":")[2])
    state = (tmp_path / "var/lib/leasehold").stat()
    assert (state.st_uid, oct(state.st_mode & 0o777)) == (uid, "0o750")
    settings = (tmp_path / "etc/leasehold").stat()
    assert (settings.st_uid, settings.st_gid, oct(settings.st_mode & 0o777)) == (0, uid, "0o750")


def test_logrotate_rotates(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)  # logrotate refuses directories that others may write to
    log = tmp_path / "leasehold.log"
    log.write_text("a line\n")
    me, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    text = (CONFIG / "leasehold.logrotate").read_text()
    text = text.replace("/var/log/leasehold", str(tmp_path)).replace("leasehold leasehold", f"{me} {group}")
    rules = tmp_path / "rules"
    rules.write_text(text)
    rules.chmod(0o644)

    done = run("logrotate", "--force", "--verbose", "--state", tmp_path / "state", rules)

    assert (done.returncode, "error" in done.stderr) == (0, False), done.stderr
    assert (tmp_path / "leasehold.log.1").read_text() == "a line\n"
    assert log.read_text() == ""


def test_newsyslog_has_the_fields_it_needs() -> None:
    (line,) = lines(CONFIG / "leasehold.newsyslog")
    name, owner, mode, count, size, when, flags = line.split()
    assert (name, owner, mode) == ("/var/log/leasehold/leasehold.log", "leasehold:leasehold", "640")
    assert count.isdigit()
    assert (size, re.fullmatch(r"\$[WMD]\d\S*", when) is not None) == ("*", True)
    assert set(flags) <= set("BCDGJNPRTUXYZp")
    assert "N" in flags, "nobody has to be told"


def lines(path: Path) -> list[str]:
    """What is not a comment."""
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
