"""The hooks of all directories, run as CBSD runs them (guest-hooks, sections 2 and 3), against a real service."""

from __future__ import annotations

import pytest

from tests.hooks.cbsd.node import EVENTS, SECRET, SHELLS, Guest, Node, in_shell


def happen(node: Node, guest: Guest, *events: str, shell: str = "sh", **more: str) -> None:
    """Events that nobody has to look at: nothing is printed."""
    for event in events:
        done = node.fire(f"{event}.d", guest, shell=shell, **more)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), event


def made(node: Node, guest: Guest) -> Guest:
    """A guest whose system directory CBSD has made."""
    node.copy_skeleton(guest)
    return guest


@pytest.mark.parametrize(
    ("shell", "emulator"),
    [*(in_shell(each, "jail") for each in SHELLS), *(("sh", kind) for kind in ("bhyve", "qemu", "xen"))],
)
def test_a_whole_life(node, known, shell, emulator):
    place = 20 + len(shell) + 20 * ("jail", "bhyve", "qemu", "xen").index(emulator)
    address, name = f"10.0.2.{place}", f"{emulator}{len(shell)}"
    guest = made(node, Guest(name, emulator, (address,), jid=1))

    happen(node, guest, "master_create", shell=shell)
    there = known.guest(name)
    assert there is not None
    assert (there["node"], there["emulator"], there["hostname"], there["state"]) == (
        "sun", emulator, f"{name}.example.com", "created",
    )  # fmt: skip
    assert known.uses(address) == ["guest"]

    happen(node, guest, "master_prestart", shell=shell)
    assert known.guest(name)["state"] == "starting"
    happen(node, guest, "master_poststart", shell=shell)
    assert known.guest(name)["state"] == "running"
    happen(node, guest, "master_prestop", shell=shell)
    assert known.guest(name)["state"] == "running"
    happen(node, guest, "master_poststop", shell=shell)
    assert (known.guest(name)["state"], known.uses(address)) == ("stopped", ["guest"])

    happen(node, guest, "remove", "master_prestop", "master_poststop", shell=shell)
    assert (known.guest(name), known.uses(address)) == (None, [])


def test_an_address_of_the_helper_becomes_the_guests(node, known):
    address = node.ask().stdout.strip()
    happen(node, made(node, Guest("held1", "jail", (address,))), "master_create")
    assert (known.held(address), known.uses(address)) == (None, ["guest"])


@pytest.mark.parametrize("shell", [in_shell(each) for each in SHELLS])
def test_standard_input_is_left_to_cbsd(node, shell):
    """It has the names of the hooks that are still to come."""
    guest = made(node, Guest("stdin1"))
    directory = node.workdir / "jails-system" / guest.name / "master_poststop.d"
    for name in ("aaa", "zzz"):
        (directory / name).write_text(f"#!/bin/sh\necho ran-{name}\n")
        (directory / name).chmod(0o755)
    assert node.fire("master_poststop.d", guest, shell=shell).stdout.split() == ["ran-aaa", "ran-zzz"]


def test_a_jail_that_is_an_application_runs_before_it_is_created(node, known):
    guest = made(node, Guest("app1", "jail", ("10.0.1.40",), jid=1))
    happen(node, guest, "master_prestart", "master_poststart", "master_create")
    assert known.guest("app1")["state"] == "running"


def test_a_failed_start_is_none(node, known):
    guest = made(node, Guest("failed1", "jail", ("10.0.1.41",)))
    happen(node, guest, "master_create", "master_prestart", "master_poststart")
    assert known.guest("failed1")["state"] == "stopped"
    happen(node, guest, "master_poststop")
    assert (known.guest("failed1")["state"], known.addresses("failed1")) == ("stopped", ["10.0.1.41"])


def test_bhyve_may_stop_twice(node, known):
    guest = made(node, Guest("twice1", "bhyve", ("10.0.1.42",)))
    happen(node, guest, "master_prestart", "master_poststart")
    happen(node, guest, *["master_prestop", "master_poststop"] * 2)
    assert known.guest("twice1")["state"] == "stopped"


@pytest.mark.parametrize("event", ["master_prestop", "master_poststop", "remove", "clone"])
def test_what_is_not_known_is_not_made_by_its_end(node, known, event):
    happen(node, made(node, Guest("unknown1", "jail", ("10.0.1.43",))), event)
    assert (known.guest("unknown1"), known.uses("10.0.1.43")) == (None, [])


def test_a_guest_that_starts_with_another_address_gives_the_old_one_back(node, known):
    guest = made(node, Guest("other1", "jail", ("10.0.1.44", "10.0.1.45")))
    happen(node, guest, "master_create")
    happen(node, guest._replace(addresses=("10.0.1.45", "10.0.1.46")), "master_prestart")
    assert known.addresses("other1") == ["10.0.1.45", "10.0.1.46"]
    assert known.uses("10.0.1.44") == []


@pytest.mark.parametrize("ip4_addr", ["0", "", "DHCP", "REALDHCP"])
def test_a_jail_whose_addresses_are_not_told_keeps_what_is_known(node, known, ip4_addr):
    guest = made(node, Guest("keeps1", "jail", ("10.0.1.47",)))
    happen(node, guest, "master_create")
    happen(node, guest, "master_prestart", ip4_addr=ip4_addr)
    assert known.addresses("keeps1") == ["10.0.1.47"]


def test_what_is_no_address_is_told_and_changes_nothing(node, known):
    guest = made(node, Guest("wrong1", "jail", ("10.0.1.48",)))
    happen(node, guest, "master_create")
    done = node.fire("master_prestart.d", guest, ip4_addr="10.0.1.49/24,10.0.1.999")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (0, "", 1)
    assert "10.0.1.999" in done.stderr
    assert known.addresses("wrong1") == ["10.0.1.48"]
    assert node.fire("master_poststop.d", guest, ip4_addr="10.0.1.999").stderr == ""


def test_both_families_with_interfaces(node, known):
    guest = made(node, Guest("dual1"))
    happen(node, guest, "master_prestart", ip4_addr="em0#10.0.1.50/24,em0#2001:DB8:1::50/64")
    assert known.addresses("dual1") == ["10.0.1.50", "2001:db8:1::50"]


def test_macs_that_come_late_and_in_any_form(node, known):
    guest = made(node, Guest("macs1", "bhyve", ("10.0.1.51",), ("0", "0")))
    happen(node, guest, "master_create")
    assert [nic["mac"] for nic in known.guest("macs1")["nics"]] == [None, None]
    happen(node, guest._replace(macs=("00A098000051", "00:A0:98:00:00:52")), "master_prestart")
    assert [nic["mac"] for nic in known.guest("macs1")["nics"]] == ["00:a0:98:00:00:51", "00:a0:98:00:00:52"]
    (row,) = known.get("/addresses", ip="10.0.1.51")["items"]
    assert [host["mac"] for host in row["hosts"]] == ["00:a0:98:00:00:51"]


def test_a_machine_that_asks_a_real_dhcp_server_has_its_address_before_it_boots(node, known):
    guest = made(node, Guest("real1", "bhyve", (), ("00:a0:98:00:00:61",)))
    happen(node, guest, "master_create", ip4_addr="REALDHCP")
    assert known.addresses("real1") == []
    happen(node, guest, "master_prestart", ip4_addr="REALDHCP")
    (address,) = known.addresses("real1")
    (row,) = known.get("/addresses", ip=address)["items"]
    assert [host["mac"] for host in row["hosts"]] == ["00:a0:98:00:00:61"]
    for event in ("master_poststart", "master_poststop", "master_prestart", "master_poststart"):
        happen(node, guest, event, ip4_addr="REALDHCP")
    assert known.addresses("real1") == [address]
    happen(node, guest, "remove", ip4_addr="REALDHCP")
    assert known.uses(address) == []


def test_each_card_that_asks_has_an_address_of_its_own(node, known):
    guest = made(node, Guest("real2", "bhyve", (), ("00:a0:98:00:00:62", "00:a0:98:00:00:63")))
    happen(node, guest, "master_prestart", ip4_addr="REALDHCP,REALDHCP")
    addresses = known.addresses("real2")
    served = [known.get("/addresses", ip=each)["items"][0]["hosts"][0]["mac"] for each in addresses]
    assert served == ["00:a0:98:00:00:62", "00:a0:98:00:00:63"]


def test_room_in_an_earlier_subnet_is_no_reason_to_move(make_node, known):
    node = make_node(subnets=["10.0.2.0/24"])
    guest = made(node, Guest("real3", "bhyve", (), ("00:a0:98:00:00:64",)))
    happen(node, guest, "master_prestart", ip4_addr="REALDHCP")
    before = known.addresses("real3")
    node.settings.write_text(node.settings.read_text().replace('["10.0.2.0/24"]', '["10.0.1.0/24", "10.0.2.0/24"]'))
    happen(node, guest, "master_poststop", "master_prestart", ip4_addr="REALDHCP")
    assert known.addresses("real3") == before


def test_a_clone_with_the_address_of_its_original_is_told_and_takes_nothing(node, known):
    original, clone = Guest("orig1", "jail", ("10.0.1.70",), jid=1), Guest("clone1", "jail", ("10.0.1.70",), jid=2)
    happen(node, made(node, original), "master_create", "master_prestart", "master_poststart")
    happen(node, original, "clone", newjname="clone1", newdata="/x")
    assert known.guest("clone1") is None
    done = node.fire("master_prestart.d", made(node, clone))
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (0, "", 1)
    assert "10.0.1.70" in done.stderr
    assert "orig1" in done.stderr
    assert known.addresses("orig1") == ["10.0.1.70"]
    assert known.guest("orig1")["state"] == "running"
    assert "clone1" in {event["detail"]["guest"] for event in known.events("guest.conflict")}
    happen(node, clone, "master_poststop", "remove", "master_poststop")
    assert known.uses("10.0.1.70") == ["guest"]


def test_an_address_of_a_vhid_may_be_on_several(node, known):
    for name in ("carp1", "carp2"):
        happen(node, made(node, Guest(name)), "master_prestart", ip4_addr="vhid_1#10.0.1.71/24")
    assert (known.addresses("carp1"), known.addresses("carp2")) == (["10.0.1.71"], ["10.0.1.71"])


def test_a_guest_that_moved_is_not_ended_by_what_it_left_behind(make_node, known):
    sun, moon = make_node("sun"), make_node("moon")
    guest = Guest("moves1", "jail", ("10.0.1.72",), jid=1)
    happen(sun, made(sun, guest), "master_create", "master_prestart", "master_poststart", "master_poststop")
    happen(moon, made(moon, guest), "master_prestart", "master_poststart")
    copy = guest._replace(status=2)
    happen(sun, copy, "master_poststop", "remove", "master_prestop", "master_poststop")
    # Even a copy that does not say that it is one.
    happen(sun, guest, "remove", "master_prestop", "master_poststop")
    there = known.guest("moves1")
    assert (there["node"], there["state"], known.uses("10.0.1.72")) == ("moon", "running", ["guest"])


def test_a_copy_that_is_removed_before_the_guest_starts_elsewhere_is_not_the_guest(node, known):
    guest = made(node, Guest("moves2", "jail", ("10.0.1.75",), jid=1))
    happen(node, guest, "master_prestart", "master_poststart", "master_poststop")
    happen(node, guest._replace(status=2), "remove", "master_poststop")
    assert (known.addresses("moves2"), known.uses("10.0.1.75")) == (["10.0.1.75"], ["guest"])


def test_the_stop_of_a_copy_is_not_the_stop_of_the_guest(node, known):
    """Delivered before the start elsewhere, which was earlier, it would make that one late."""
    guest = made(node, Guest("moves3", "jail", ("10.0.1.76",), jid=1))
    happen(node, guest, "master_prestart", "master_poststart")
    happen(node, guest._replace(status=2), "master_prestop", "master_poststop")
    assert known.guest("moves3")["state"] == "running"


def test_a_claim_goes_back_when_the_guest_is_made_and_when_it_has_stopped(make_node, known):
    node = make_node(claims=True)
    guest = made(node, Guest("claim1", "jail", ("10.0.1.73",), jid=1))
    for events in (("master_create",), ("master_prestart", "master_poststart", "master_poststop")):
        assert node.run("mount", "start", "-j", "claim1", "-d", "/x").returncode == 0
        assert [claim["name"] for claim in known.get("/claims", cluster="east")["items"]] == ["claim1"]
        happen(node, guest, *events)
        assert known.get("/claims", cluster="east")["items"] == []


def test_a_program_in_another_directory_says_so_and_ends_well(node):
    directory = node.workdir / "jails-system" / "odd1" / "start.d"
    directory.mkdir(parents=True)
    (directory / "leasehold").symlink_to(node.program)
    done = node.fire("start.d", Guest("odd1"))
    assert (done.returncode, done.stdout) == (0, "")
    assert "start.d" in done.stderr


def test_no_guest_at_all_ends_well(node):
    done = node.fire("master_create.d", made(node, Guest("named1")), jname="")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (0, "", 1)


def test_a_password_is_told_nowhere(node, known):
    guest = made(node, Guest("secret1", "bhyve", ("10.0.1.74",), ("0",)))
    printed = [node.fire(event, guest, ip4_addr="10.0.4.1,nonsense") for event in EVENTS]
    printed.append(node.fire("master_prestart.d", guest, ip4_addr="10.0.4.1"))
    assert SECRET not in "".join(done.stdout + done.stderr for done in printed) + node.logged()
    assert SECRET not in known.service.log()
