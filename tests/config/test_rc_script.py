"""The script for FreeBSD, run with a small stand-in for what FreeBSD has: rc.subr and daemon(8)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "config" / "rc.d" / "leasehold"

# As much of FreeBSD's rc.subr as the script uses: rc.conf, the checks before a start, and which command is run how.
RC_SUBR = r"""
load_rc_config() { . "$RC_CONF"; }
wait_for_pids() { echo "waited|$*" >> "$TOLD"; }
run_rc_command()
{
    eval enabled=\$$rcvar
    rc_pid=
    [ -f "$pidfile" ] && read -r rc_pid < "$pidfile"
    case "$1" in
    start)
        [ "$enabled" = YES ] || { echo "Set $rcvar to YES"; return 0; }
        for file in $required_files; do [ -r "$file" ] || { echo "$file is not readable"; return 1; }; done
        $start_precmd || return 1
        eval "su -m $leasehold_user -c 'cd $leasehold_chdir && env $leasehold_env $command $command_args'" ;;
    stop)
        $stop_precmd && echo "stopped|$rc_pid" >> "$TOLD" && wait_for_pids "$rc_pid" && $stop_postcmd ;;
    *)
        case " $extra_commands " in *" $1 "*) ;; *) echo "unknown directive $1"; return 1 ;; esac
        eval \$"${1}_cmd" ;;
    esac
}
"""
TELL = '#!/bin/sh\necho "{name}|$*" >> "$TOLD"\n'
CHILD = '#!/bin/sh\n[ "$*" = "-P 4711" ] && echo 4712\n'
SU = '#!/bin/sh\n[ "$1 $3" = "-m -c" ] || exit 64\necho "su|$2" >> "$TOLD"\nexec sh -c "$4"\n'
LEASEHOLD = '#!/bin/sh\necho "leasehold|$*|$LEASEHOLD_CONFIG|$PWD" >> "$TOLD"\nexit "${BROKEN:-0}"\n'


@pytest.mark.parametrize("shell", ["sh", "dash", "bash"])
def test_shells_can_read_it(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} not found")
    done = subprocess.run([shell, "-n", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_shellcheck_finds_nothing() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck not found")
    done = subprocess.run(["shellcheck", "--shell=sh", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_it_can_be_executed() -> None:
    assert os.access(SCRIPT, os.X_OK)


class Machine:
    """A directory that looks like FreeBSD to the script."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.told = root / "told"
        programs = root / "bin"
        (root / "venv" / "bin").mkdir(parents=True)
        programs.mkdir()
        for name, text in {"daemon": TELL, "install": TELL, "pkill": TELL, "su": SU, "pgrep": CHILD}.items():
            self._program(programs / name, text.replace("{name}", name))
        self._program(root / "venv" / "bin" / "leasehold", LEASEHOLD)
        (root / "rc.subr").write_text(RC_SUBR)
        self.settings = root / "settings.yml"
        self.settings.write_text("")
        self.state = root / "state"
        self.state.mkdir()
        text = SCRIPT.read_text().replace("/etc/rc.subr", str(root / "rc.subr"))
        text = text.replace("/usr/sbin/daemon", str(programs / "daemon")).replace("/var/run", str(root / "run"))
        self.script = root / "leasehold"
        self.script.write_text(text)
        self.conf = {
            "leasehold_enable": "YES",
            "leasehold_home": root / "venv",
            "leasehold_config": self.settings,
            "leasehold_state_dir": self.state,
        }

    def call(self, word: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """``service leasehold WORD``."""
        rc_conf = self.root / "rc.conf"
        rc_conf.write_text("".join(f'{key}="{value}"\n' for key, value in self.conf.items()))
        path = f"{self.root / 'bin'}:{os.environ['PATH']}"
        return subprocess.run(
            ["sh", self.script, word],
            env={"PATH": path, "RC_CONF": str(rc_conf), "TOLD": str(self.told), **environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def runs(self) -> None:
        """From now on daemon(8) is process 4711, and the service its child, 4712."""
        (self.root / "run" / "leasehold").mkdir(parents=True)
        (self.root / "run" / "leasehold" / "leasehold.pid").write_text("4711\n")

    def heard(self, name: str) -> list[str]:
        """What the program ``name`` was called with, each time."""
        calls = [line.split("|", 1) for line in self.told.read_text().splitlines()] if self.told.exists() else []
        return [arguments for program, arguments in calls if program == name]

    @staticmethod
    def _program(path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine where the service is enabled."""
    return Machine(tmp_path)


def test_start_runs_the_service_under_daemon(machine: Machine) -> None:
    done = machine.call("start")

    assert (done.returncode, done.stderr) == (0, "")
    (command,) = machine.heard("daemon")
    assert command.split() == [
        *("-P", f"{machine.root}/run/leasehold/leasehold.pid", "-R", "10", "-S", "-T", "leasehold"),
        *(f"{machine.root}/venv/bin/leasehold", "serve"),
    ]
    assert set(machine.heard("su")) == {"leasehold"}


def test_start_makes_the_directories_for_the_account(machine: Machine) -> None:
    machine.conf["leasehold_user"] = machine.conf["leasehold_group"] = "ipam"
    machine.call("start")

    directories = (machine.state, "/var/log/leasehold", f"{machine.root}/run/leasehold")
    assert machine.heard("install") == [f"-d -o ipam -g ipam -m 0750 {each}" for each in directories]


def test_start_checks_the_settings_as_the_service_finds_them(machine: Machine) -> None:
    machine.call("start")

    assert machine.heard("leasehold") == [f"config check|{machine.settings}|{machine.state}"]


def test_start_with_wrong_settings_starts_nothing(machine: Machine) -> None:
    done = machine.call("start", BROKEN="5")

    assert (done.returncode, machine.heard("daemon")) == (1, [])


def test_start_without_settings_names_the_file(machine: Machine) -> None:
    machine.settings.unlink()
    done = machine.call("start")

    assert (done.returncode, machine.heard("daemon")) == (1, [])
    assert str(machine.settings) in done.stdout


def test_it_is_off_unless_it_was_enabled(machine: Machine) -> None:
    del machine.conf["leasehold_enable"]
    machine.call("start")

    assert machine.heard("daemon") == []


def test_options_of_serve_are_passed_on(machine: Machine) -> None:
    machine.conf["leasehold_serve_flags"] = "--http-port 8080 --workers 2"
    machine.call("start")

    assert machine.heard("daemon")[0].endswith("leasehold serve --http-port 8080 --workers 2")


def test_stop_waits_for_the_service_because_daemon_does_not(machine: Machine) -> None:
    machine.runs()

    assert machine.call("stop").returncode == 0
    assert machine.heard("stopped") == ["4711"]
    assert machine.heard("waited") == ["4711", "4712"]


def test_reload_reaches_the_child_of_daemon(machine: Machine) -> None:
    machine.runs()

    assert machine.call("reload").returncode == 0
    assert machine.heard("pkill") == ["-HUP -P 4711"]


def test_reload_with_wrong_settings_leaves_the_service_alone(machine: Machine) -> None:
    machine.runs()

    assert machine.call("reload", BROKEN="5").returncode != 0
    assert machine.heard("pkill") == []


def test_reload_says_that_it_does_not_run(machine: Machine) -> None:
    done = machine.call("reload")

    assert done.returncode == 1
    assert "not running" in done.stderr


def test_configtest_reads_the_settings(machine: Machine) -> None:
    assert machine.call("configtest").returncode == 0
    assert machine.heard("leasehold") == [f"config check|{machine.settings}|{machine.state}"]
