"""How dnsmasq is told: by a signal to the right process, or by the operator's commands."""

from __future__ import annotations

import os
import subprocess

import pytest
from marshmallow import ValidationError

from providers.dhcp.dnsmasq.daemon import Daemon
from providers.dhcp.dnsmasq.settings import DnsmasqSchema
from providers.errors import Unavailable


@pytest.fixture
def files(tmp_path):
    """A file that is to be read."""
    (tmp_path / "hosts").write_text("x\n")
    return [tmp_path / "hosts"]


@pytest.fixture
def daemon(tmp_path):
    """A daemon by its settings."""

    def made(**settings) -> Daemon:
        given = {"pid_file": str(tmp_path / "pid"), "timeout": 60, "version": "2.91"} | settings
        return Daemon(DnsmasqSchema().load(given))

    return made


def script(tmp_path, text: str) -> str:
    path = tmp_path / "script with blanks"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return f"'{path}'"


def test_another_process_with_the_number_of_one_that_ended_is_left_alone(tmp_path, files, daemon):
    with subprocess.Popen(["sleep", "300"]) as other:
        (tmp_path / "pid").write_text(f"{other.pid}\n")
        assert daemon().is_there() is False
        with pytest.raises(Unavailable, match="does not run"):
            daemon().read_again(files, restart=False)
        assert other.poll() is None
        other.kill()


def test_a_process_that_ended_and_was_not_waited_for_is_not_there(tmp_path, daemon):
    with subprocess.Popen(["sleep", "300"]) as other:
        (tmp_path / "pid").write_text(f"{other.pid}\n")
        assert daemon(program="sleep").is_there() is True
        other.kill()
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        assert daemon(program="sleep").is_there() is False


@pytest.mark.parametrize("text", ["", "none", "0", "-1", "1", "99999999"])
def test_a_pid_file_that_names_nothing_of_use(tmp_path, daemon, text):
    (tmp_path / "pid").write_text(text)
    assert daemon().is_there() is False


def test_a_command_that_lets_it_read_is_enough(tmp_path, files, daemon):
    command = script(tmp_path, f"cat {files[0]}")
    reloading = daemon(reload_command=command, pid_file="none")

    reloading.read_again(files, restart=False)

    assert reloading.is_there() is None


def test_one_that_was_stopped_is_not_started_by_a_command(tmp_path, files, daemon):
    (tmp_path / "pid").write_text("99999999")
    command = script(tmp_path, f"cat {files[0]}")

    for restart in (False, True):
        with pytest.raises(Unavailable, match="does not run"):
            daemon(reload_command=command, restart_command=command).read_again(files, restart=restart)


@pytest.mark.parametrize(
    ("text", "seconds", "reason"),
    [
        ("echo not allowed >&2; exit 7", 60, "exit code 7: not allowed"),
        ("exec sleep 60", 1, "did not end within 1 s"),
        ("true", 4, "did not read .*hosts within 4 s"),
    ],
)
def test_a_command_that_fails_is_told(tmp_path, files, daemon, text, seconds, reason):
    with pytest.raises(Unavailable, match=reason):
        daemon(reload_command=script(tmp_path, text), pid_file="none", timeout=seconds).read_again(files, restart=False)


def test_with_neither_pid_file_nor_command_nothing_can_be_told(files, daemon):
    with pytest.raises(Unavailable, match="set :pid_file: or :reload_command:"):
        daemon(pid_file="none").read_again(files, restart=False)


def test_a_command_that_is_not_there_is_told(files, daemon):
    with pytest.raises(Unavailable, match="cannot be run: No such file"):
        daemon(reload_command="/nowhere/at-all", pid_file="none").read_again(files, restart=False)


@pytest.mark.parametrize(
    ("said", "version", "ends"),
    [
        ("Dnsmasq version 2.90  Copyright", (2, 90), True),
        ("Dnsmasq version 2.91", (2, 91), False),
        ("Dnsmasq version 2.100test1  Copyright", (2, 100), False),
        ("something else", None, True),
    ],
)
def test_the_program_is_asked_for_its_version(tmp_path, daemon, said, version, ends):
    script(tmp_path, f"echo '{said}'")
    asked = daemon(program=str(tmp_path / "script with blanks"), version=None)

    assert (asked.version(), asked.ends_on_tags) == (version, ends)


def test_the_version_in_the_settings_counts_more(daemon):
    assert daemon(version="2.85").version() == (2, 85)


def test_a_program_that_is_not_there_counts_as_old(daemon):
    assert daemon(program="/nowhere/dnsmasq", version=None).ends_on_tags


@pytest.mark.parametrize(
    "wrong",
    [{"reload_command": "a 'b"}, {"restart_command": " "}, {"version": "two"}, {"timeout": 0}, {"hosts_file": ""}],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValidationError):
        DnsmasqSchema().load(wrong)


def test_a_file_that_is_to_be_two_files_is_refused():
    with pytest.raises(ValidationError, match="is the file of :hosts_file: too"):
        DnsmasqSchema().load({"hosts_file": "/x/hosts", "options_file": "/x/hosts"})
