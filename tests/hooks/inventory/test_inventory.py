"""The inventory as Ansible asks for it, of a real service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from hooks.inventory.command import guests
from hooks.settings import Settings
from tests.hooks.answering import nobody_listening
from tests.hooks.host import HOOK, Host
from tests.hooks.running_service import running_service

ANSIBLE = Path(sys.executable).with_name("ansible-inventory")
GUESTS = [
    {"node": "moon", "name": "web1", "emulator": "bhyve", "state": "running", "addresses": ["10.0.1.11"],
     "note": "{{ 7 * 191 }}"},
    {"node": "sun", "name": "web1-db", "emulator": "iocage", "state": "stopped", "addresses": ["10.0.1.12"]},
    {"node": "sun", "name": "naïve", "emulator": "jail", "state": "running",
     "addresses": ["10.0.1.13", "2001:db8:1::13"]},
]  # fmt: skip


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, empty_book_file: Path) -> Iterator[Host]:
    """The host sun; three guests on two nodes."""
    place = tmp_path_factory.mktemp("inventory")
    with running_service(place / "service", empty_book_file, "10.0.1.0/24", "2001:db8:1::/64") as running:
        host = Host(place / "host", f"http://127.0.0.1:{running.port}", cluster="east", node="sun")
        for each in GUESTS:
            body = {key: value for key, value in each.items() if key != "name"}
            body["addresses"] = [{"address": address} for address in each["addresses"]]
            host.ask("PUT", f"/guests/east/{each['name']}".replace("ï", "%C3%AF"), None, body)
        yield host


def listed(host: Host) -> dict:
    told = host.run("inventory", "--list")
    assert (told.returncode, told.stderr) == (0, "")
    found: dict = json.loads(told.stdout)
    return found


def test_the_list_has_all_guests_with_their_groups(host: Host):
    found = listed(host)
    assert found["node_sun"]["hosts"] == ["naïve", "web1-db"]
    assert found["state_running"]["hosts"] == ["naïve", "web1"]
    assert found["subnet_2001_db8_1___64"]["hosts"] == ["naïve"]
    assert found["_meta"]["hostvars"]["web1"]["ansible_host"] == "10.0.1.11"
    connection = found["_meta"]["hostvars"]["web1-db"].get("ansible_connection")
    assert connection == ("community.general.iocage" if os.geteuid() == 0 else None)


def test_one_host_has_the_variables_of_the_list_and_an_unknown_one_none(host: Host):
    told = host.run("inventory", "--host", "web1")
    assert json.loads(told.stdout) == listed(host)["_meta"]["hostvars"]["web1"]
    assert host.run("inventory", "--host", "nobody").stdout == "{}\n"


def test_nothing_is_listed_when_nobody_answers(host: Host):
    with nobody_listening() as url:
        host.set(urls=[url])
        told = host.run("inventory", "--list")
        host.set(urls=[host.url])
    assert (told.returncode, told.stdout) == (1, "")
    assert len(told.stderr.splitlines()) == 1


def test_all_pages_are_read(server):
    pages = {None: ("a", "m/1"), "m/1": ("b", "m/2"), "m/2": ("c", None)}

    def answer(asked):
        name, after = pages[parse_qs(urlsplit(asked.path).query).get("after", [None])[0]]
        return 200, {"items": [{"name": name}], "next": after}

    server.answer = answer
    assert [each["name"] for each in guests(Settings(urls=(server.url,)))] == ["a", "b", "c"]


@pytest.fixture
def ansible(host: Host, tmp_path: Path):
    """Runs ``ansible-inventory`` on the installed command, linked under the name that means an inventory."""
    if not ANSIBLE.exists():
        pytest.skip("ansible-inventory is not installed")
    script = tmp_path / "leasehold-inventory"
    script.symlink_to(HOOK)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ANSIBLE, "-i", script, *arguments],
            env=host.environment | {"ANSIBLE_HOME": str(tmp_path / "ansible"), "LANG": "C.UTF-8"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


def test_ansible_reads_it_without_a_warning(ansible, host: Host):
    told = ansible("--list")
    assert (told.returncode, told.stderr) == (0, "")
    read, ours = json.loads(told.stdout), listed(host)
    assert read["_meta"]["hostvars"] == ours["_meta"]["hostvars"]
    assert read["node_sun"]["hosts"] == ours["node_sun"]["hosts"]
    assert set(ours) - {"_meta"} <= set(read["all"]["children"])


def test_ansible_reads_nothing_into_it_when_nobody_answers(ansible, host: Host):
    with nobody_listening() as url:
        host.set(urls=[url])
        told = ansible("--list")
        host.set(urls=[host.url])
    assert json.loads(told.stdout)["_meta"]["hostvars"] == {}
    assert "ungrouped" not in json.loads(told.stdout)
    assert "Connection refused" in told.stderr


def test_ansible_runs_nothing_that_a_node_wrote(ansible, tmp_path: Path, host: Host):
    told = subprocess.run(
        [ANSIBLE.with_name("ansible"), "-i", tmp_path / "leasehold-inventory", "web1", "-c", "local", "-m", "debug",
         "-a", "msg={{ ipam_note }}"],
        env=host.environment | {"ANSIBLE_HOME": str(tmp_path / "ansible"), "LANG": "C.UTF-8"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert "{{ 7 * 191 }}" in told.stdout, told.stderr
