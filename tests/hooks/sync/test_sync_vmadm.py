"""``leasehold-hook sync`` on a host of vmadm, which has no hooks: what it lists and shows is what the book has."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hooks.host import Host, addresses
from tests.hooks.running_service import running_service
from tests.service.running import Service

ONE, TWO, THREE = (f"0f4bd9a6-6a36-11ef-9d5a-00000000000{number}" for number in (1, 2, 3))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, empty_book_file: Path) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("service"), empty_book_file, "10.0.0.0/16") as running:
        yield running


@pytest.fixture
def host(service: Service, tmp_path: Path) -> Host:
    """A host that has vmadm alone; each test has a node, and so a cluster, of its own."""
    return Host(tmp_path / "host", f"http://127.0.0.1:{service.port}", node=tmp_path.name, iocage_root="")


def has(host: Host, status: int = 0, **machines: dict[str, Any] | None) -> None:
    """Let vmadm have these machines: what it shows of each, with ``state`` in the list alone; None: it cannot show it.

    ``status`` is how its list ends.

    Its list is as r-vmadm and SmartOS print it, and its errors are on standard output, as those of r-vmadm.
    """
    cases = ""
    lines = []
    for uuid, shown in machines.items():
        state = (shown or {}).pop("state", "running")
        lines.append(f"{uuid}:OS:1024:{state}:an alias: with a colon")
        if shown is not None:
            cases += f"'get {uuid}') echo {shlex.quote(json.dumps({'uuid': uuid, **shown}))} ;;\n"
    listed = "".join(f"echo {shlex.quote(line)}; " for line in lines)
    cases = f"'list -H -p') {listed} exit {status} ;;\n{cases}*) echo VM not found; exit 1 ;;"
    host.tool("vmadm", f'case "$*" in\n{cases}\nesac')


def nic(address: str, number: int = 1, **more: Any) -> dict[str, Any]:
    return {"interface": "net0", "nic_tag": "external", "mac": f"2:8:20:1:a:{number:x}", "ip": address, **more}


def synced(host: Host, *options: str) -> str:
    told = host.run("sync", *options)
    assert (told.returncode, told.stderr) == (0, "")
    return told.stdout


def known(host: Host) -> dict[str, dict[str, Any]]:
    return host.guests(cluster=str(host.values["node"]))


def test_machines_that_nobody_confirmed_are_and_twice_changes_nothing(host: Host):
    has(host, **{
        ONE: {"alias": "web", "hostname": "web1", "nics": [nic("10.0.1.1")]},
        TWO: {"alias": "db", "nics": [nic("", 2, ips=["10.0.1.2/16", "addrconf"])], "state": "stopped"},
    })  # fmt: skip
    assert f"report  {ONE}: vmadm, running, 10.0.1.1, host name web1, note web" in synced(host, "--plan")
    assert synced(host) == ""
    found = known(host)
    assert {name: (addresses(each), each["state"], each["note"]) for name, each in found.items()} == {
        ONE: (["10.0.1.1"], "running", "web"),
        TWO: (["10.0.1.2"], "stopped", "db"),
    }
    assert found[ONE]["nics"][0]["mac"] == "02:08:20:01:0a:01"
    assert host.ask("GET", "/addresses/10.0.1.1")["mac"] == "02:08:20:01:0a:01"
    assert synced(host, "--plan") == "The service knows what is here.\n"


def test_what_confirm_has_told_needs_no_sync(host: Host):
    has(host, **{ONE: {"alias": "web", "hostname": "web1", "nics": [nic("10.0.1.11")]}})
    # Of r-vmadm, the list alone tells the state.
    assert host.run("vmadm", "confirm", ONE).returncode == 0
    assert synced(host, "--plan") == "The service knows what is here.\n"


def test_a_machine_that_was_deleted_is_released(host: Host):
    has(host, **{ONE: {"nics": [nic("10.0.1.21")]}, TWO: {"nics": [nic("10.0.1.22", 2)]}})
    synced(host)
    has(host, **{TWO: {"nics": [nic("10.0.1.22", 2)]}})
    synced(host)
    assert list(known(host)) == [TWO]
    assert host.ask("GET", "/addresses", {"ip": "10.0.1.21"})["items"] == []


def test_a_machine_that_cannot_be_shown_is_left_as_it_is(host: Host):
    has(host, **{ONE: {"nics": [nic("10.0.1.31")]}, TWO: {"nics": [nic("10.0.1.32", 2)]}})
    synced(host)
    has(host, **{ONE: None, TWO: {"nics": [nic("10.0.1.33", 2)]}})
    synced(host, "--force")
    assert {name: addresses(each) for name, each in known(host).items()} == {ONE: ["10.0.1.31"], TWO: ["10.0.1.33"]}


def test_a_vmadm_that_does_not_tell_releases_nothing(host: Host):
    """A card that it cannot read breaks the list of r-vmadm."""
    has(host, **{ONE: {"nics": [nic("10.0.1.41")]}})
    synced(host)
    for broken in ("echo no such pool; exit 1", "echo", "echo 'Usage: vmadm'", ":"):
        host.tool("vmadm", broken)
        told = host.run("sync")
        assert len(told.stderr.splitlines()) == 1
        assert list(known(host)) == [ONE]
    # As far as it came.
    has(host, status=1, **{TWO: {"nics": [nic("10.0.1.42", 2)]}})
    assert host.run("sync").returncode == 1
    assert list(known(host)) == [ONE]


def test_a_machine_that_asks_for_its_address_itself_keeps_what_is_known(host: Host):
    has(host, **{ONE: {"nics": [nic("10.0.1.51")]}})
    synced(host)
    has(host, **{ONE: {"nics": [nic("", ips=["dhcp"])]}})
    synced(host)
    assert addresses(known(host)[ONE]) == ["10.0.1.51"]


def test_guests_of_other_tools_are_not_vmadms_to_release(host: Host):
    node = str(host.values["node"])
    host.ask("PUT", f"/guests/{node}/web1", None, {"node": node, "emulator": "iocage", "addresses": []})
    has(host, **{ONE: {"nics": [nic("10.0.1.61")]}})
    synced(host, "--force")
    assert set(known(host)) == {"web1", ONE}


def test_installing_makes_the_line_of_cron(host: Host):
    has(host)
    told = host.run("install", "--cron-dir", str(host.place / "cron.d"))
    assert (told.returncode, told.stderr) == (0, "")
    assert " sync\n" in (host.place / "cron.d" / "leasehold-hook").read_text()
