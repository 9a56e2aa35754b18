"""The leases file of dnsmasq, followed while it is written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from netaddr import IPAddress, IPNetwork

from providers.dhcp.dnsmasq.leases import LeasesFile
from providers.errors import Unavailable

MAC, OTHER = "52:54:00:00:00:01", "52:54:00:00:00:02"
NET = IPNetwork("10.0.1.0/24")
LATER = 1_900_000_000
LINE = f"{LATER} {MAC} 10.0.1.5 web01 01:{MAC}\n"
OTHER_LINE = f"0 {OTHER} 10.0.1.6 * *\n"


@pytest.fixture
def path(tmp_path):
    """An empty leases file."""
    made = tmp_path / "dnsmasq.leases"
    made.touch()
    return made


@pytest.fixture
def leases(path, clock):
    """What follows it."""
    return LeasesFile(path, clock)


def look(leases) -> list[str]:
    leases.refresh(at_once=True)
    return [str(lease.address) for lease in leases.within(NET)]


def test_a_lease_is_read(path, leases, clock):
    path.write_text(LINE)

    (lease,) = leases.within(NET)

    assert (str(lease.address), lease.mac, lease.state, lease.hostname) == ("10.0.1.5", MAC, "active", "web01")
    assert (lease.starts, lease.ends, lease.uid) == (clock.now, datetime.fromtimestamp(LATER, UTC), f"01:{MAC}")


def test_leases_are_found_by_mac_and_address(path, leases):
    path.write_text(LINE + OTHER_LINE)

    assert leases.at(IPAddress("10.0.1.6")).mac == OTHER
    assert str(leases.of(MAC, NET).address) == "10.0.1.5"
    assert leases.of(MAC, IPNetwork("10.0.2.0/24")) is None
    assert leases.at(IPAddress("10.0.1.7")) is None


def test_a_lease_that_never_ends_and_has_no_name(path, leases):
    path.write_text(OTHER_LINE)

    (lease,) = leases.within(NET)

    assert (lease.ends, lease.hostname, lease.uid) == (None, None, None)


def test_a_lease_that_has_ended_is_none(path, leases, clock):
    path.write_text(f"{int(clock.now.timestamp()) + 60} {MAC} 10.0.1.5 * *\n")
    assert look(leases) == ["10.0.1.5"]

    clock.pass_(seconds=61)

    assert look(leases) == []
    assert leases.at(IPAddress("10.0.1.5")) is None


def test_renewing_does_not_begin_a_lease_anew(path, leases, clock):
    path.write_text(LINE)
    look(leases)
    began = clock.now
    clock.pass_(minutes=5)
    path.write_text(LINE.replace(str(LATER), str(LATER + 300)))
    look(leases)

    assert leases.at(IPAddress("10.0.1.5")).starts == began


def test_what_is_being_written_is_read_when_it_is_whole(path, leases):
    path.write_text(LINE + OTHER_LINE[:-9])
    assert look(leases) == ["10.0.1.5"]

    path.write_text(LINE + OTHER_LINE)
    assert look(leases) == ["10.0.1.5", "10.0.1.6"]


def test_a_file_that_is_empty_for_a_moment_takes_no_lease_away(path, leases):
    """dnsmasq empties the file and writes it again; whoever looks in between must not give the address out."""
    path.write_text(LINE + OTHER_LINE)
    look(leases)

    path.write_text("")
    assert look(leases) == ["10.0.1.5", "10.0.1.6"]
    path.write_text(LINE + OTHER_LINE)
    assert look(leases) == ["10.0.1.5", "10.0.1.6"]
    path.write_text(OTHER_LINE)
    assert look(leases) == ["10.0.1.5", "10.0.1.6"]
    assert look(leases) == ["10.0.1.6"]


def test_what_is_no_lease_is_passed_over(path, leases):
    path.write_text(
        "nonsense\n\nx y z a b\n"
        f"{LATER} 06-{MAC} 10.0.1.7 * *\n"
        f"{LATER} {MAC} 10.0.1.700 * *\n"
        f"{10**30} {MAC} 10.0.1.8 * *\n"
        f"{LINE}duid 00:01\n{LATER} {OTHER} 10.0.1.9 * *\n"
    )

    assert look(leases) == ["10.0.1.5"]


def test_a_file_that_is_gone_takes_its_leases_along_in_the_end(path, leases):
    path.write_text(LINE)
    look(leases)
    path.unlink()

    assert look(leases) == ["10.0.1.5"]
    assert look(leases) == []


def test_no_file_is_no_lease(tmp_path, clock):
    assert look(LeasesFile(tmp_path / "none", clock)) == []


def test_as_long_as_it_was_never_read_nobody_is_told_that_there_are_none(tmp_path, clock):
    (tmp_path / "leases").mkdir()
    leases = LeasesFile(tmp_path / "leases", clock)

    with pytest.raises(Unavailable, match="cannot be read: Is a directory"):
        leases.at(IPAddress("10.0.1.5"))


def test_when_it_cannot_be_read_later_on_what_is_known_counts(path, leases):
    path.write_text(LINE)
    look(leases)
    path.unlink()
    path.mkdir()

    assert look(leases) == ["10.0.1.5"]
    assert "cannot be read" in leases.failure


def test_the_file_is_looked_at_once_a_second(path, leases, monkeypatch):
    moment = [100.0]
    monkeypatch.setattr("providers.dhcp.dnsmasq.leases.time.monotonic", lambda: moment[0])
    assert list(leases.within(NET)) == []
    path.write_text(LINE)
    moment[0] += 0.9
    assert list(leases.within(NET)) == []

    moment[0] += 0.2

    assert len(list(leases.within(NET))) == 1
