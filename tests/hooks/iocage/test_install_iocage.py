"""``leasehold-hook install`` and ``uninstall`` with jails of iocage: their properties, set by iocage itself."""

from __future__ import annotations

import json
import sys

import pytest

from hooks.install.iocage import Property
from tests.hooks.host import HOOK, Host

SET = f"""exec {sys.executable} - "$@" <<'END'
import json, sys
verb, setting, jail = sys.argv[1:]
assert verb == "set"
key, _, value = setting.partition("=")
path = "{{jails}}/" + jail + "/config.json"
config = json.load(open(path))
json.dump(config | {{{{key: value}}}}, open(path, "w"))
END"""


@pytest.fixture
def host(tmp_path) -> Host:
    """A host on which nothing needs the service: installing asks nobody."""
    host = Host(tmp_path / "host", "http://127.0.0.1:1")
    host.tool("iocage", SET.format(jails=host.iocage / "jails"))
    return host


def install(host: Host, *options: str, command: str = "install"):
    return host.run(command, "--cron-dir", str(host.place / "cron.d"), *options)


def hooked(host: Host, name: str) -> dict[str, str]:
    config = json.loads((host.iocage / "jails" / name / "config.json").read_text())
    return {key: value for key, value in config.items() if key.startswith("exec_")}


def ours(name: str) -> dict[str, str]:
    events = ("prestart", "poststart", "prestop", "poststop")
    return {f"exec_{event}": f"{HOOK} iocage {event} {name}" for event in events}


def test_installing_sets_the_properties_of_each_jail_and_undoing_takes_them_away(host: Host):
    host.jail("web1", exec_prestop="/usr/bin/true")
    host.jail("t1", template=1)
    shown = install(host, "--dry-run")
    assert f'iocage set exec_poststart="{HOOK} iocage poststart web1" web1' in shown.stdout
    assert hooked(host, "web1") == {"exec_prestop": "/usr/bin/true"}
    assert (install(host).returncode, hooked(host, "web1")) == (0, ours("web1"))
    assert hooked(host, "t1") == {}
    assert install(host).stdout.splitlines()[-1] == "Everything is installed."
    assert install(host, command="uninstall").returncode == 0
    assert set(hooked(host, "web1").values()) == {"/usr/bin/true"}


def test_a_clone_that_names_its_original_is_set_right_and_strict_stays(host: Host):
    host.jail("clone", **ours("orig") | {"exec_prestart": f"{HOOK} iocage prestart orig --strict"})
    assert install(host).returncode == 0
    assert hooked(host, "clone") == ours("clone") | {"exec_prestart": f"{HOOK} iocage prestart clone --strict"}


def test_what_the_site_has_set_stays_and_is_told(host: Host):
    host.jail("web1", exec_poststart="/opt/site/mine.sh leasehold")
    told = install(host)
    assert told.returncode == 1
    assert "/opt/site/mine.sh" in told.stderr
    assert hooked(host, "web1") == ours("web1") | {"exec_poststart": "/opt/site/mine.sh leasehold"}
    install(host, command="uninstall")
    assert hooked(host, "web1")["exec_poststart"] == "/opt/site/mine.sh leasehold"


def test_an_executable_that_is_run_instead_is_told(host: Host):
    place = host.jail("web1", **ours("web1"))
    (place / "poststart").write_text("#!/bin/sh\n")
    (place / "poststart").chmod(0o755)
    told = install(host)
    assert told.returncode == 1
    assert f"{place}/poststart is run in place of exec_poststart" in told.stderr


def test_iocage_that_fails_is_told_and_the_rest_is_made(host: Host):
    host.jail("web1")
    host.tool("iocage", "echo cannot; exit 1")
    told = install(host)
    assert told.returncode == 1
    assert "iocage set exec_prestart web1 failed: cannot" in told.stderr
    assert (host.place / "cron.d" / "leasehold-hook").exists()


@pytest.mark.parametrize(
    ("present", "here"),
    [
        ("/usr/local/bin/leasehold-hook iocage prestart web1", True),
        ("/opt/leasehold-hook.pyz iocage prestart other --strict", True),
        ("/usr/local/bin/leasehold-hook iocage poststart web1", False),
        ("/opt/site/mine.sh /usr/local/bin/leasehold-hook iocage prestart web1", False),
        ("/usr/bin/true", False),
    ],
)
def test_what_is_ours_is_recognised(host: Host, present, here):
    host.jail("web1", exec_prestart=present)
    assert Property(str(host.iocage), "web1", "prestart", HOOK).is_here() == here


def test_a_program_of_another_name_can_be_undone_too(host: Host):
    host.jail("web1")
    program = host.place / "hook.pyz"
    program.symlink_to(HOOK)
    assert install(host, "--program", str(program)).returncode == 0
    assert install(host, "--program", str(program), command="uninstall").returncode == 0
    assert set(hooked(host, "web1").values()) == {"/usr/bin/true"}
