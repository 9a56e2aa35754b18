"""``leasehold-hook install`` and ``uninstall`` on a CBSD node: shown first, made once, undone."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
from pathlib import Path

import pytest

from hooks.main import main
from tests.hooks.cbsd.node import EVENTS, KINDS, SHELLS, Guest, Node, in_shell

OF_SITE = "# made by hand\ndhcpd_helper=\"internal\"\nlease_time=60 # seconds"


def everything(node: Node) -> dict[str, str]:
    """Each file and link below the node's directories, and what is in it."""
    found = {}
    for place in (node.workdir, node.program.parent, node.spool):
        for path in sorted(place.rglob("*")):
            if path.is_symlink():
                found[str(path)] = f"-> {os.readlink(path)}"
            elif path.is_file():
                found[str(path)] = path.read_bytes().hex()
    return found


def links(node: Node, *below: str) -> set[str]:
    """The events of which a directory has a link to the program."""
    place = node.workdir.joinpath(*below)
    found = (path for path in place.glob("*/leasehold") if path.is_symlink())
    return {path.parent.name for path in found if os.readlink(path) == str(node.program)}


def peer(node: Node, name: str) -> None:
    """Let CBSD know another node."""
    with sqlite3.connect(node.workdir / "var" / "db" / "nodes.sqlite") as connection:
        connection.execute("CREATE TABLE nodelist (nodename TEXT, ip TEXT)")
        connection.execute("INSERT INTO nodelist VALUES (?, '192.0.2.7')", (name,))


def undone(node: Node, *options: str) -> subprocess.CompletedProcess[str]:
    return node.run("uninstall", "--cron-dir", str(node.workdir / "cron.d"), *options)


def helper_of(node: Node, name: str, shell: str = "sh") -> str:
    """What a shell makes of a file of CBSD's settings."""
    done = subprocess.run(
        [*shell.split(), "-c", '. "$1"; printf %s "$dhcpd_helper"', "x", str(node.workdir / "etc" / name)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def test_a_dry_run_shows_every_change_and_makes_none(node):
    before = everything(node)
    done = node.install("--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert everything(node) == before
    assert not node.spool.exists()
    for kind in KINDS:
        for event in EVENTS:
            assert f"{kind}-system-default/{event}/leasehold" in done.stdout
    for part in ("jails-system/web1/master_create.d", "jails-system/vm1/remove.d", "dhcpd.conf", "dhcpdv6.conf",
                 "sync", str(node.spool)):  # fmt: skip
        assert part in done.stdout


def test_everything_is_made(node):
    assert node.install().returncode == 0
    for kind in KINDS:
        assert links(node, "share", f"{kind}-system-default") == set(EVENTS)
    for guest in ("web1", "vm1"):
        assert links(node, "jails-system", guest) == set(EVENTS)
    for name in ("leasehold-dhcpd", "leasehold-mount"):
        assert os.readlink(node.program.with_name(name)) == str(node.program)
    assert stat.S_IMODE(node.spool.stat().st_mode) == 0o2770


@pytest.mark.parametrize("shell", [in_shell(each) for each in SHELLS])
def test_the_helper_is_what_a_shell_reads(node, shell):
    (node.workdir / "etc" / "dhcpd.conf").write_text(OF_SITE)
    node.install()
    for name in ("dhcpd.conf", "dhcpdv6.conf"):
        assert helper_of(node, name, shell) == str(node.program.with_name("leasehold-dhcpd"))
        assert stat.S_IMODE((node.workdir / "etc" / name).stat().st_mode) & 0o444 == 0o444


def test_cron_runs_sync_with_a_path_that_has_python_in_it(node):
    node.install()
    lines = (node.workdir / "cron.d" / "leasehold-hook").read_text().splitlines()
    assert f"*/5 * * * * root {node.program} sync" in lines
    assert "/usr/local/bin" in next(line for line in lines if line.startswith("PATH="))


def test_a_second_time_changes_nothing(node):
    (node.workdir / "etc" / "dhcpd.conf").write_text(OF_SITE)
    node.install()
    before = everything(node)
    done = node.install()
    assert (done.returncode, done.stdout.splitlines()[-1], done.stderr) == (0, "Everything is installed.", "")
    assert everything(node) == before


def test_uninstall_leaves_the_node_as_it_was(node):
    (node.workdir / "etc" / "dhcpd.conf").write_text(OF_SITE)
    before = everything(node)
    node.install()
    # A guest that was made meanwhile has its links from the skeleton.
    node.copy_skeleton(Guest("db1"))
    done = undone(node)
    assert (done.returncode, done.stderr) == (0, "")
    assert everything(node) == before
    assert not node.spool.exists()
    assert undone(node).stdout == "Nothing is installed.\n"


def test_uninstall_can_be_shown_first(node):
    node.install()
    before = everything(node)
    done = undone(node, "--dry-run")
    assert "dhcpd.conf" in done.stdout
    assert everything(node) == before


def test_the_helper_of_the_site_is_shown_and_kept_even_when_installed_from_elsewhere_later(node):
    conf = node.workdir / "etc" / "dhcpd.conf"
    conf.write_text(OF_SITE)
    assert '(now: dhcpd_helper="internal")' in node.install("--dry-run").stdout
    node.install()
    moved = node.program.parent / "elsewhere" / "leasehold-hook"
    moved.parent.mkdir()
    moved.symlink_to(node.program)
    for _ in range(2):
        assert node.install("--program", str(moved)).returncode == 0
    assert helper_of(node, "dhcpd.conf") == str(moved.with_name("leasehold-dhcpd"))
    assert os.readlink(node.workdir / "jails-system" / "web1" / "remove.d" / "leasehold") == str(moved)
    undone(node, "--program", str(moved))
    assert conf.read_text() == OF_SITE
    assert links(node, "jails-system", "web1") == set()


def test_what_the_site_has_set_since_stays(node):
    conf = node.workdir / "etc" / "dhcpd.conf"
    conf.write_text("lease_time=60\n")
    node.install()
    with conf.open("a") as file:
        file.write('dhcpd_helper="/opt/site/mine"\n')
    undone(node)
    assert conf.read_text() == 'lease_time=60\ndhcpd_helper="/opt/site/mine"\n'


def test_a_line_of_the_site_behind_ours_is_seen_and_replaced(node):
    conf = node.workdir / "etc" / "dhcpd.conf"
    node.install()
    with conf.open("a") as file:
        file.write('dhcpd_helper="/opt/site/mine"\n')
    assert "dhcpd.conf (now" in node.install("--dry-run").stdout
    node.install()
    assert helper_of(node, "dhcpd.conf") == str(node.program.with_name("leasehold-dhcpd"))


def test_existing_guests_can_be_left_alone(node):
    node.install("--new-only")
    assert links(node, "jails-system", "web1") == set()
    assert links(node, "share", "jail-system-default") == set(EVENTS)


def test_kinds_that_the_node_does_not_have_are_not_made(node):
    for event in EVENTS:
        (node.workdir / "share" / "xen-system-default" / event).rmdir()
    (node.workdir / "share" / "xen-system-default").rmdir()
    assert node.install().returncode == 0
    assert not (node.workdir / "share" / "xen-system-default").exists()


@pytest.mark.parametrize("somebody", ["file", "link"])
def test_what_is_somebody_elses_stays_and_the_rest_is_made(node, somebody):
    place = node.workdir / "jails-system" / "web1" / "remove.d" / "leasehold"
    place.parent.mkdir(parents=True)
    if somebody == "file":
        place.write_text("#!/bin/sh\n")
    else:
        place.symlink_to("/opt/site/mine")
    done = node.install()
    assert done.returncode == 1
    assert str(place) in done.stderr
    assert links(node, "jails-system", "web1") == set(EVENTS) - {"remove.d"}
    undone(node)
    assert os.path.lexists(place)


def test_a_node_with_peers_has_to_be_told_its_cluster(node):
    peer(node, "moon.example.com")
    node.settings.write_text(node.settings.read_text().replace('cluster = "east"\n', ""))
    before = everything(node)
    done = node.install()
    assert (done.returncode, done.stdout) == (1, "")
    assert "moon.example.com" in done.stderr
    assert "cluster" in done.stderr
    assert everything(node) == before
    assert node.install(f"--cron-dir={node.workdir}/cron.d", "--dry-run").returncode == 1


def test_a_node_with_peers_and_a_cluster_is_installed(node):
    peer(node, "moon.example.com")
    assert node.install().returncode == 0


def test_a_node_alone_needs_no_cluster(node):
    peer(node, "sun")
    node.settings.write_text(node.settings.read_text().replace('cluster = "east"\n', ""))
    assert node.install().returncode == 0


@pytest.mark.parametrize(("mode", "told"), [(None, "is no file"), (0o744, "chmod 755")])
def test_a_program_that_cbsd_could_not_run_is_refused(node, tmp_path, mode, told):
    program = tmp_path / "leasehold-hook.pyz"
    if mode is not None:
        program.write_text("#!/bin/sh\n")
        program.chmod(mode)
    done = node.install("--program", str(program))
    assert done.returncode == 1
    assert told in done.stderr
    assert not node.spool.exists()


def test_a_token_is_for_root_and_cbsd_alone(node):
    node.settings.write_text(node.settings.read_text() + 'token = "lh_x"\n')
    node.settings.chmod(0o644)
    assert "lh_x" not in node.install().stdout
    assert stat.S_IMODE(node.settings.stat().st_mode) == 0o640


def test_reports_that_wait_outlive_an_uninstall(node):
    node.install()
    (node.spool / "000000000001.json").write_text("{}")
    undone(node)
    assert (node.spool / "000000000001.json").exists()


def test_a_settings_file_behind_a_link_stays_behind_it(node, tmp_path):
    real = tmp_path / "dhcpd.conf"
    real.write_text(OF_SITE)
    conf: Path = node.workdir / "etc" / "dhcpd.conf"
    conf.symlink_to(real)
    node.install()
    assert conf.is_symlink()
    undone(node)
    assert real.read_text() == OF_SITE


def test_a_program_of_another_name_can_be_undone_too(node):
    program = node.program.with_name("hook.pyz")
    program.symlink_to(node.program)
    assert node.install("--program", str(program)).returncode == 0
    undone(node, "--program", str(program))
    assert links(node, "jails-system", "web1") == set()


@pytest.mark.parametrize("name", ["lease hold", "a%b", "it's", 'a"b', "a$b"])
def test_a_program_that_cron_or_cbsd_would_break_is_refused(node, name):
    program = node.program.parent / name / "leasehold-hook"
    program.parent.mkdir()
    program.symlink_to(node.program)
    done = node.install("--program", str(program))
    assert (done.returncode, done.stdout) == (1, "")
    assert "elsewhere" in done.stderr


def test_settings_that_only_this_shell_knows_are_told(node, monkeypatch, capsys):
    """Neither cron nor CBSD, called from elsewhere, would find them."""
    assert f"note: the settings are from {node.settings}." in node.install("--dry-run").stdout
    monkeypatch.setenv("LEASEHOLD_HOOK_CONFIG", str(node.settings))
    monkeypatch.setattr("hooks.install.command.PATHS", (str(node.settings), "/etc/leasehold-hook.toml"))
    assert main(["install", "--dry-run", "--program", str(node.program), "--cron-dir", str(node.workdir)]) == 0
    assert "note:" not in capsys.readouterr().out
