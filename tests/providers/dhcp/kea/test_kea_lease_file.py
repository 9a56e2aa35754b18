"""Kea's lease file: as it grows, while the cleanup moves it, and when lines are cut off."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from netaddr import IPAddress, IPNetwork

from providers.clock import utc_now
from providers.dhcp.kea.control import Control
from providers.dhcp.kea.lease_file import LeaseFile
from providers.dhcp.kea.leases import KeaLeases
from providers.dhcp.kea.settings import KeaSchema
from providers.errors import Unavailable
from tests.providers.desk import mac
from tests.providers.dhcp.kea.running_kea import Kea, kea_directory

HEAD = (
    "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n"
)
NET = IPNetwork("10.0.1.0/24")
SOON = int(time.time()) + 3600


def line(last: int, *, number: int | None = None, lifetime: int = 3600, ends: int = SOON, state: int = 0) -> str:
    hwaddr = "" if state == 1 else mac(number or last)
    return f"10.0.1.{last},{hwaddr},01:02,{lifetime},{ends},1,0,0,web{last}.,{state},\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "leases.csv"
    path.write_text(HEAD)
    return path


def append(path: Path, *text: str) -> None:
    with path.open("a") as file:
        file.write("".join(text))


def listed(file: LeaseFile) -> list[str]:
    return [str(lease.address) for lease in file.refresh().within(NET, utc_now)]


def test_what_is_added_is_seen(path: Path):
    file = LeaseFile(path)
    assert listed(file) == []
    append(path, line(3))
    assert listed(file) == ["10.0.1.3"]
    append(path, line(1))
    assert listed(file) == ["10.0.1.1", "10.0.1.3"]


def test_a_lease_in_full(path: Path):
    append(path, line(3))
    lease = LeaseFile(path).refresh().at(IPAddress("10.0.1.3"), utc_now)
    assert (lease.mac, lease.hostname, lease.uid, lease.state) == (mac(3), "web3", "01:02", "active")
    assert (lease.ends - lease.starts).total_seconds() == 3600


@pytest.mark.parametrize(
    "last_word",
    [line(3, lifetime=0), line(3, ends=1000), line(3, state=2), line(3, state=3)],
    ids=["deleted", "expired", "reclaimed", "released"],
)
def test_the_last_line_of_an_address_counts(path: Path, last_word: str):
    file = LeaseFile(path)
    append(path, line(3))
    assert listed(file) == ["10.0.1.3"]
    append(path, last_word)
    assert listed(file) == []
    assert file.refresh().at(IPAddress("10.0.1.3"), utc_now) is None
    assert file.refresh().of(mac(3), NET, utc_now) is None


def test_an_address_that_went_to_another(path: Path):
    append(path, line(3, number=1), line(3, number=2))
    table = LeaseFile(path).refresh()
    assert table.of(mac(1), NET, utc_now) is None
    assert str(table.of(mac(2), NET, utc_now).address) == "10.0.1.3"


def test_a_declined_address_is_nobodys_and_not_free(path: Path):
    append(path, line(3, state=1))
    file = LeaseFile(path)
    assert listed(file) == []
    assert file.refresh().at(IPAddress("10.0.1.3"), utc_now).state == "abandoned"


def test_one_that_never_ends(path: Path):
    append(path, line(3, lifetime=0xFFFFFFFF, ends=1000))
    assert LeaseFile(path).refresh().at(IPAddress("10.0.1.3"), utc_now).ends is None


def test_a_line_counts_once_it_is_whole(path: Path):
    file = LeaseFile(path)
    whole = line(3)
    append(path, whole[:30])
    assert listed(file) == []
    append(path, whole[30:])
    assert listed(file) == ["10.0.1.3"]


@pytest.mark.parametrize("odd", ["\n", "nonsense\n", "10.0.1.9,a,b,c,d,e,f,g,h,i,j\n", ",,,,,,,,,,\n", "\xff\n" * 3])
def test_odd_lines_are_passed_over(path: Path, odd: str):
    append(path, line(1), odd, line(2))
    assert listed(LeaseFile(path)) == ["10.0.1.1", "10.0.1.2"]


def test_columns_are_found_by_their_names(path: Path):
    """Newer releases have more of them."""
    path.write_text(f"address,pool_id,{HEAD.removeprefix('address,')}10.0.1.3,0,{line(3).removeprefix('10.0.1.3,')}")
    assert listed(LeaseFile(path)) == ["10.0.1.3"]


def test_the_cleanup_step_by_step(path: Path):
    """Nothing is missed and nothing comes back, whichever step it is at."""
    file = LeaseFile(path)
    old, older, output = (path.with_name(f"leases.csv.{end}") for end in ("1", "2", "output"))
    completed = path.with_name("leases.csv.completed")
    append(path, line(1), line(2), line(2, lifetime=0))
    assert listed(file) == ["10.0.1.1"]
    path.rename(old)
    assert listed(file) == ["10.0.1.1"]
    path.write_text(HEAD + line(3))
    assert listed(file) == ["10.0.1.1", "10.0.1.3"]
    output.write_text(HEAD + line(1)[:20])
    assert listed(file) == ["10.0.1.1", "10.0.1.3"]
    output.write_text(HEAD + line(1))
    output.rename(completed)
    assert listed(file) == ["10.0.1.1", "10.0.1.3"]
    old.unlink()
    completed.rename(older)
    append(path, line(4))
    assert listed(file) == ["10.0.1.1", "10.0.1.3", "10.0.1.4"]


def test_a_file_that_was_cut_is_read_anew(path: Path):
    file = LeaseFile(path)
    append(path, line(1), line(2))
    assert len(listed(file)) == 2
    path.write_text(HEAD + line(5))
    assert listed(file) == ["10.0.1.5"]


def test_one_that_is_not_there_yet_has_no_leases(tmp_path: Path):
    assert listed(LeaseFile(tmp_path / "missing.csv")) == []


def test_one_that_may_not_be_read_is_said_and_what_is_known_counts_on(path: Path, monkeypatch):
    leases = KeaLeases(Control(KeaSchema().load({})), str(path))
    append(path, line(3))

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        with pytest.raises(Unavailable, match=r"leases\.csv cannot be read: Permission denied"):
            leases.refresh()
    leases.refresh()
    append(path, line(4))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        leases._next_look = 0.0
        leases.refresh()
    assert leases.at(IPAddress("10.0.1.3")) is not None


def test_the_cleanup_of_a_real_kea():
    with kea_directory() as directory:
        kea = Kea(directory)
        kea.add_subnet(1, "10.0.1.0/24")
        kea.more["lease-database"] = {"type": "memfile", "name": str(kea.lease_file), "lfc-interval": 1}
        kea.start()
        try:
            file = LeaseFile(kea.lease_file)
            for last in range(1, 21):
                lease = {"ip-address": f"10.0.1.{last}", "hw-address": mac(last), "subnet-id": 1, "valid-lft": 3600}
                kea.command("lease4-add", {**lease, "expire": SOON})
            deadline = time.monotonic() + 60
            while not kea.lease_file.with_name("leases.csv.2").exists():
                assert len(listed(file)) == 20
                assert time.monotonic() < deadline, "no cleanup"
                time.sleep(0.01)
            assert len(listed(file)) == 20
            kea.command("lease4-del", {"ip-address": "10.0.1.7"})
            assert len(listed(file)) == 19
        finally:
            kea.stop()
