"""``leasehold-hook sync`` on a node, with a real service: afterwards the book has what the node has."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hooks.claim import take
from hooks.journal import Journal
from hooks.service import Service as Asking
from hooks.settings import Settings
from hooks.sync.claims import sync_claims
from hooks.sync.command import run
from hooks.sync.present import present
from tests.hooks.answering import nobody_listening
from tests.hooks.cbsd.node import Guest, Node
from tests.hooks.host import Host, addresses
from tests.hooks.running_service import running_service
from tests.service.running import Service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, empty_book_file: Path) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("service"), empty_book_file, "10.0.0.0/16") as running:
        yield running


@pytest.fixture
def host(service: Service, tmp_path: Path) -> Host:
    """A host of iocage; every test has a cluster of its own and addresses by its number."""
    host = Host(tmp_path / "host", f"http://127.0.0.1:{service.port}", node=tmp_path.name, cluster=f"c-{tmp_path.name}")
    host.runs()
    return host


def cluster(host: Host) -> str:
    return str(host.values["cluster"])


def synced(host: Host, *options: str) -> str:
    told = host.run("sync", *options)
    assert (told.returncode, told.stderr) == (0, "")
    return told.stdout


def claim(host: Host, guest: str, node: str) -> None:
    host.ask("POST", f"/guests/{cluster(host)}/{guest}/claim", None, {"node": node})


def claims(host: Host) -> dict[str, dict]:
    return {each["name"]: each for each in host.ask("GET", "/claims", {"cluster": cluster(host)})["items"]}


def test_jails_that_fired_no_hook_are_confirmed_and_templates_are_none(host: Host):
    host.jail("a", ip4_addr="em0|10.0.1.1/16", vnet=0)
    host.jail("b.c", vnet=1, ip4_addr="vnet0|10.0.1.2/16", vnet0_mac="02ff60aaaa11 02ff60bbbb11")
    host.jail("t", template=1, ip4_addr="10.0.1.3")
    host.runs("b_c")
    shown = synced(host, "--plan")
    assert "report  a: iocage, stopped, 10.0.1.1" in shown
    assert host.guests(cluster=cluster(host)) == {}
    assert synced(host) == ""
    found = host.guests(cluster=cluster(host))
    assert {name: (addresses(each), each["state"]) for name, each in found.items()} == {
        "a": (["10.0.1.1"], "stopped"),
        "b.c": (["10.0.1.2"], "running"),
    }
    assert found["b.c"]["nics"][0]["mac"] == "02:ff:60:bb:bb:11"
    assert synced(host, "--plan") == "The service knows what is here.\n"


def test_what_a_hook_said_of_cards_stays(host: Host):
    host.jail("v", vnet=1, ip4_addr="vnet1|10.0.1.11/16", vnet0_mac="none", vnet1_mac="02ff60aaaa12 02ff60bbbb12")
    host.run("iocage", "prestart", "v")
    host.runs("v")
    synced(host)
    guest = host.guest("v", cluster(host))
    assert (guest["state"], guest["addresses"][0]["nic"]) == ("running", "vnet1")


def test_a_renamed_jail_keeps_its_address_and_its_claim(host: Host):
    host.jail("old", ip4_addr="10.0.1.21")
    synced(host)
    claim(host, "old", host.values["node"])
    (host.iocage / "jails" / "old").rename(host.iocage / "jails" / "new")
    assert "rename  old to new" in synced(host, "--plan")
    synced(host)
    assert {name: addresses(each) for name, each in host.guests(cluster=cluster(host)).items()} == {
        "new": ["10.0.1.21"]
    }
    assert list(claims(host)) == ["new"]


def test_guests_that_exchanged_their_addresses_are_known_after_one_sync(host: Host):
    """Each of them would wait for another one to give its address up."""
    for name, number in (("x", 91), ("y", 92), ("z", 93)):
        host.jail(name, ip4_addr=f"10.0.1.{number}")
    synced(host)
    for name, number in (("x", 92), ("y", 93), ("z", 91)):
        host.jail(name, ip4_addr=f"10.0.1.{number}")
    assert "yield   x: no address, until others have what it had" in synced(host, "--plan")
    synced(host)
    found = {name: addresses(each) for name, each in host.guests(cluster=cluster(host)).items()}
    assert found == {"x": ["10.0.1.92"], "y": ["10.0.1.93"], "z": ["10.0.1.91"]}
    assert synced(host, "--plan") == "The service knows what is here.\n"


def test_a_clone_is_told_loudly_and_its_original_keeps_the_address(host: Host):
    host.jail("orig", ip4_addr="10.0.1.31")
    synced(host)
    host.jail("clone", ip4_addr="10.0.1.31")
    told = host.run("sync")
    assert told.returncode == 1
    assert "guest clone: 10.0.1.31" in told.stderr
    assert addresses(host.guest("orig", cluster(host))) == ["10.0.1.31"]


def test_what_is_gone_is_released_in_time_and_at_once_with_force(host: Host, monkeypatch):
    monkeypatch.setenv("LEASEHOLD_HOOK_CONFIG", str(host.settings))
    monkeypatch.setenv("PATH", host.environment["PATH"])
    for name in ("NODE", "SPOOL_DIR"):
        monkeypatch.delenv(f"LEASEHOLD_HOOK_{name}")
    for number in (41, 42, 43):
        host.jail(f"j{number}", ip4_addr=f"10.0.1.{number}")
    now = time.time()
    assert run([], lambda: now) == 0
    for number in (41, 42):
        (host.iocage / "jails" / f"j{number}" / "config.json").unlink()
        (host.iocage / "jails" / f"j{number}").rmdir()
        left = [
            run([], lambda at=minutes: now + at * 60) or set(host.guests(cluster=cluster(host))) for minutes in (0, 59)
        ]
        assert left == [{f"j{each}" for each in (41, 42, 43) if each >= number}] * 2
        assert run(["--force"] if number == 42 else [], lambda: now + 60 * 60) == 0
    assert set(host.guests(cluster=cluster(host))) == {"j43"}
    assert host.ask("GET", "/addresses", {"ip": "10.0.1.41"})["items"] == []


def test_what_cannot_be_read_releases_nothing(host: Host):
    host.set(cluster=host.values["node"])
    for number in (51, 52, 53):
        host.jail(f"j{number}", ip4_addr=f"10.0.1.{number}")
    synced(host)
    # The file system of one of them is not mounted: its directory is there, and nothing in it.
    (host.iocage / "jails" / "j51" / "config.json").unlink()
    synced(host, "--force")
    for spoil in ("[", "[]"):
        (host.iocage / "jails" / "j52" / "config.json").write_text(spoil)
        assert host.run("sync", "--force").returncode == 1
    (host.iocage / "jails").rename(host.iocage / "elsewhere")
    assert host.run("sync", "--force").returncode == 1
    # Nothing at all is mounted.
    (host.iocage / "jails").mkdir()
    assert "is their storage mounted?" in host.run("sync").stderr
    assert set(host.guests(cluster=cluster(host))) == {"j51", "j52", "j53"}


@pytest.mark.parametrize("jls", ["echo no; exit 1", None])
def test_without_an_answer_of_jls_no_jail_is_taken_as_stopped(host: Host, jls):
    host.jail("r", ip4_addr="10.0.1.61")
    host.runs("r")
    synced(host)
    claim(host, "r", host.values["node"])
    if jls is None:
        (host.tools / "jls").unlink()
    else:
        host.tool("jls", jls)
    told = host.run("sync")
    assert told.returncode == 1
    assert "jls" in told.stderr
    assert host.guest("r", cluster(host))["state"] == "running"
    assert list(claims(host)) == ["r"]
    host.ask("DELETE", f"/guests/{cluster(host)}/r")


def test_what_waits_is_delivered_first(host: Host):
    host.jail("w", ip4_addr="10.0.1.71")
    with nobody_listening() as url:
        host.set(urls=[url])
        host.run("iocage", "prestart", "w")
        assert host.run("sync").returncode == 1
    assert len(host.waiting()) == 1
    host.set(urls=[host.url])
    host.jail("w", ip4_addr="10.0.1.72")
    synced(host)
    assert host.waiting() == []
    assert addresses(host.guest("w", cluster(host))) == ["10.0.1.72"]


def test_more_guests_than_one_request_takes(host: Host):
    # More than 64 KiB of them.
    for number in range(180):
        host.jail(f"many{number}", ip4_addr=f"10.0.2.{1 + number}", host_hostname="h" * 250)
    synced(host)
    found = host.guests(cluster=cluster(host))
    assert len(found) == 180
    assert addresses(found["many179"]) == ["10.0.2.180"]


def test_claims_are_renewed_while_the_guest_runs_and_given_back_when_it_does_not(host: Host, capfd, monkeypatch):
    settings = Settings(urls=(host.url,), node="sun", cluster=cluster(host), timeout=9)
    journal = Journal("sync", to_syslog=False)
    for guest, node in (("up", "sun"), ("down", "sun"), ("moved", "moon"), ("other", "moon")):
        claim(host, guest, node)
    asking = Asking(settings, seconds=60)
    # A claim that is young may belong to a guest that is about to start.
    assert sync_claims(asking, settings, journal, {"up"}) == 0
    assert set(claims(host)) == {"up", "down", "moved", "other"}
    renewed = claims(host)["up"]["renewed_at"]
    monkeypatch.setattr("hooks.sync.claims.STARTING_TAKES", 0)
    assert sync_claims(asking, settings, journal, {"up", "moved"}) == 1
    assert set(claims(host)) == {"up", "moved", "other"}
    assert claims(host)["up"]["renewed_at"] >= renewed
    assert "guest moved runs here, and node moon has its claim" in capfd.readouterr().err
    # Nobody knows what runs: nothing is given back.
    sync_claims(asking, settings, journal, None)
    assert set(claims(host)) == {"up", "moved", "other"}


def test_cbsd_and_copies_of_what_runs_elsewhere(service: Service, tmp_path: Path):
    node = Node(tmp_path, "cb", f"http://127.0.0.1:{service.port}", cluster="cb-east", release_after=0)
    node.keep(Guest("j1", addresses=("10.0.4.1",), jid=5))
    node.keep(Guest("m1", "bhyve", ("10.0.4.2",), ("00:a0:98:00:00:01",)))
    node.keep(Guest("copy", addresses=("10.0.4.3",), status=2))
    node.keep(Guest("arm1", "qemu-aarch64-static", ("10.0.4.4",), jid=6))
    for _ in range(2):
        told = node.run("sync")
        assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
    asked = Host(tmp_path / "asking", f"http://127.0.0.1:{service.port}")
    found = asked.guests(cluster="cb-east")
    assert {name: (each["emulator"], addresses(each)) for name, each in found.items()} == {
        "j1": ("jail", ["10.0.4.1"]),
        "m1": ("bhyve", ["10.0.4.2"]),
        "arm1": ("jail", ["10.0.4.4"]),
    }
    assert found["m1"]["nics"][0]["mac"] == "00:a0:98:00:00:01"
    (node.workdir / "var" / "db" / "local.sqlite").write_bytes(b"nonsense")
    assert node.run("sync", "--force").returncode == 1
    assert set(asked.guests(cluster="cb-east")) == {"j1", "m1", "arm1"}


def test_a_guest_that_was_taken_over_is_not_taken_back_by_the_node_that_had_it(host: Host):
    host.jail("g", ip4_addr="10.0.1.81")
    synced(host)
    host.ask("PUT", f"/guests/{cluster(host)}/g", None, {"node": "moon", "state": "running"})
    synced(host, "--force")
    assert host.guest("g", cluster(host))["node"] == "moon"
    (host.iocage / "jails" / "g" / "config.json").unlink()
    (host.iocage / "jails" / "g").rmdir()
    synced(host, "--force")
    assert addresses(host.guest("g", cluster(host))) == ["10.0.1.81"]


def test_a_node_without_tools_says_so(host: Host):
    host.set(iocage_root="")
    told = host.run("sync")
    assert told.returncode == 1
    assert "neither CBSD, iocage nor vmadm is found" in told.stderr


def test_what_runs_here_keeps_its_claim_whatever_cbsd_says_of_it(host: Host, tmp_path: Path, monkeypatch):
    """A copy that was started all the same, for example: to give its claim back would let another node start it too."""
    node = Node(tmp_path, "cp", host.url)
    node.keep(Guest("copy", addresses=("10.0.4.9",), jid=7, status=2))
    host.tool("jls", "echo copy")
    monkeypatch.setenv("PATH", host.environment["PATH"])
    found = present(Settings(cbsd_workdir=str(node.workdir)))
    assert found.guests == ()
    assert "copy" in found.running


def test_a_claim_that_ended_in_an_outage_is_renewed_while_its_guest_runs(host: Host):
    """The service lists it no more; whoever takes it now starts the guest a second time."""
    settings = Settings(urls=(host.url,), node="sun", cluster=cluster(host), claim_lifetime=3, claim_renewal=1)
    for guest in ("up", "down"):
        take(Asking(settings), settings, guest)
    deadline = time.monotonic() + 60
    while claims(host) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert claims(host) == {}
    # The renewed one must not end before it is looked at.
    lasting = settings._replace(claim_lifetime=900)
    sync_claims(Asking(lasting), lasting, Journal("sync", to_syslog=False), {"up", "never"})
    assert list(claims(host)) == ["up"]
