"""The leases file as dhcpd writes it: growing, put in place of another, cut off in the middle."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from netaddr import IPAddress, IPNetwork

from providers.dhcp.isc.leases_file import LeasesFile
from providers.dhcp.isc.leases_state import LeasesState
from providers.errors import Unavailable
from providers.model import Lease

NOW = datetime(2026, 1, 2, tzinfo=UTC)
HEAD = '# written by isc-dhcp\nauthoring-byte-order little-endian;\nserver-duid "\\000\\001";\n\n'


def lease(address, mac, state="active", ends="never"):
    return (
        f"lease {address} {{\n  starts 3 2024/01/03 10:00:00;\n  ends {ends};\n  cltt 3 2024/01/03 10:00:00;\n"
        f"  binding state {state};\n  next binding state free;\n  rewind binding state free;\n"
        f'  hardware ethernet {mac};\n  uid "\\001RT\\000;{{";\n  set x = "}}";\n'
        f'  on expiry {{\n    set y = "a";\n  }}\n  client-hostname "web1";\n}}\n'
    )


def made(name, mac, address, told=""):
    return f"host {name} {{\n  dynamic;\n  hardware ethernet {mac};\n  fixed-address {address};\n{told}}}\n"


def gone(name):
    return f"host {name} {{\n  dynamic;\n  deleted;\n}}\n"


A, B = "52:54:00:00:00:0a", "52:54:00:00:00:0b"


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "dhcpd.leases"
    found.write_text(HEAD)
    return found


@pytest.fixture
def file(path):
    opened = LeasesFile(path)
    yield opened
    opened.close()


def append(path, text):
    with path.open("a") as stream:
        stream.write(text)


def put_in_place(path, text):
    """As dhcpd does: the old one gets another name, then the new one its name."""
    new = path.with_name("dhcpd.leases.123")
    new.write_text(text)
    path.rename(path.with_name("dhcpd.leases~"))
    new.rename(path)


def names(file):
    return file.ask(lambda state: [each.name for _, each in state.hosts_in(IPNetwork("10.0.0.0/8"))], now=True)


def leased(file):
    found = file.ask(lambda state: state.leases_in(IPNetwork("10.0.0.0/8"), NOW), now=True)
    return [str(each.address) for each in found]


def test_a_lease_in_every_detail(path, file):
    append(path, lease("10.0.1.5", A))

    assert file.ask(lambda state: state.lease_at(IPAddress("10.0.1.5"), NOW)) == Lease(
        IPAddress("10.0.1.5"),
        A,
        datetime(2024, 1, 3, 10, tzinfo=UTC),
        None,
        "active",
        "free",
        "web1",
        "\\001RT\\000;{",
    )


def test_the_last_word_on_an_address_counts(path, file):
    append(path, lease("10.0.1.6", A) + lease("10.0.1.5", A) + lease("10.0.1.6", B))
    assert leased(file) == ["10.0.1.5", "10.0.1.6"]
    assert [str(each.address) for each in file.ask(lambda state: state.leases_of(A, NOW))] == ["10.0.1.5"]

    append(path, lease("10.0.1.5", A, state="free", ends="3 2024/01/03 11:00:00"))
    assert leased(file) == ["10.0.1.6"]
    assert file.ask(lambda state: state.leases_of(A, NOW)) == []


@pytest.mark.parametrize("state", ["free", "abandoned", "expired", "released", "backup"])
def test_what_is_not_active_is_no_lease(path, file, state):
    append(path, lease("10.0.1.5", A, state=state))
    assert leased(file) == []


def test_a_lease_that_ended_is_none(path, file):
    append(path, lease("10.0.1.5", A, ends="3 2024/01/03 11:00:00"))
    append(path, lease("10.0.1.6", A, ends="5 2026/01/02 00:00:01"))
    assert leased(file) == ["10.0.1.6"]


def test_the_latest_lease_of_a_mac_comes_first(path, file):
    append(path, lease("10.0.1.5", A) + lease("10.0.1.6", A).replace("2024/01/03 10", "2025/01/03 10"))
    assert [str(each.address) for each in file.ask(lambda state: state.leases_of(A, NOW))] == ["10.0.1.6", "10.0.1.5"]


def test_hosts_come_go_and_come_again(path, file):
    append(path, made("web1", A, "10.0.1.5"))
    assert names(file) == ["web1"]
    append(path, gone("web1"))
    assert names(file) == []
    assert file.ask(lambda state: (state.hosts_of(A), state.hosts_at(IPAddress("10.0.1.5")), state.deleted)) == (
        [],
        [],
        {"web1"},
    )
    append(path, made("web1", B, "10.0.1.6"))
    assert file.ask(lambda state: state.host("web1"), now=True).mac == B


def test_what_a_host_is_told_is_read_when_it_is_asked_for(path, file):
    append(path, made("web1", A, "10.0.1.5", '        supersede server.filename = \n                "pxe";\n'))
    assert file.ask(lambda state: state.host("web1")).told == {"server.filename": b"pxe"}


def test_a_block_that_is_written_octet_by_octet_counts_when_it_is_whole(path, file):
    whole = lease("10.0.1.5", A) + made("web1", A, "10.0.1.6")
    seen = []
    for octet in whole:
        append(path, octet)
        seen.append((leased(file), names(file)))

    assert seen[-2] == (["10.0.1.5"], [])
    assert seen[-1] == (["10.0.1.5"], ["web1"])
    assert seen[len(lease("10.0.1.5", A)) - 2] == ([], [])


def test_a_block_that_was_cut_off_does_not_hide_those_behind_it(path, file):
    append(path, lease("10.0.1.5", A)[:60] + "\n" + lease("10.0.1.6", B))
    append(path, 'lease 10.0.1.7 {\n  uid "' + "\n" + made("web1", A, "10.0.1.8"))

    assert (leased(file), names(file)) == (["10.0.1.6"], ["web1"])


def test_a_block_that_cannot_be_read_does_not_hide_the_others(path, file, caplog):
    append(path, lease("10.0.1.5", A).replace("ends never", "ends soon") + lease("10.0.1.6", B))
    append(path, made("odd", A, "10.0.1.8", '        supersede server.filename = "a"b";\n'))

    assert leased(file) == ["10.0.1.6"]
    assert file.ask(lambda state: state.host("odd")).told == {}
    assert "10.0.1.5" in caplog.text


def test_a_file_that_was_put_in_place_of_another_is_read_anew(path, file):
    append(path, lease("10.0.1.5", A) + made("web1", A, "10.0.1.6"))
    assert (leased(file), names(file)) == (["10.0.1.5"], ["web1"])

    put_in_place(path, HEAD + lease("10.0.1.7", B))
    assert (leased(file), names(file)) == (["10.0.1.7"], [])
    append(path, made("web2", B, "10.0.1.8"))
    assert names(file) == ["web2"]


def test_a_file_that_was_emptied_is_read_anew(path, file):
    append(path, lease("10.0.1.5", A))
    assert leased(file) == ["10.0.1.5"]
    path.write_text("")
    assert leased(file) == []


def test_a_file_that_is_away_for_a_moment_changes_nothing(path, file):
    append(path, lease("10.0.1.5", A))
    assert leased(file) == ["10.0.1.5"]
    path.rename(path.with_name("dhcpd.leases~"))

    with pytest.raises(Unavailable, match=r"dhcpd\.leases of dhcpd cannot be read: No such file"):
        leased(file)
    assert file.ask(lambda state: state.lease_at(IPAddress("10.0.1.5"), NOW)) is not None


def test_a_file_that_never_was_there_is_told(tmp_path):
    with pytest.raises(Unavailable, match=r"see :leases: in dhcp_isc\.yml"):
        LeasesFile(tmp_path / "none").ask(lambda state: state.counts())


def test_it_is_looked_at_once_a_second(path):
    moment = [0.0]
    file = LeasesFile(path, lambda: moment[0])

    def count():
        return file.ask(lambda state: state.counts()[1])

    assert count() == 0
    append(path, lease("10.0.1.5", A))
    moment[0] = 0.9
    assert count() == 0
    moment[0] = 1.0
    assert count() == 1
    file.close()


def test_whoever_asks_while_another_reads_gets_the_answer_from_before(path):
    file = LeasesFile(path, lambda: float(os.stat(path).st_size))
    assert file.ask(LeasesState.counts) == (0, 0)
    append(path, lease("10.0.1.5", A))

    with file._following:
        assert file.ask(LeasesState.counts) == (0, 0)
    assert file.ask(LeasesState.counts) == (0, 1)
    file.close()


def test_many_threads_see_every_host_once_while_it_grows(path):
    file = LeasesFile(path, lambda: float(os.stat(path).st_size))

    def look(_):
        found = names(file)
        assert found == [f"h{number:03}" for number in range(len(found))]
        return len(found)

    with ThreadPoolExecutor(4) as pool:
        counts = pool.map(look, range(200))
        for number in range(200):
            append(path, made(f"h{number:03}", A, f"10.0.1.{number}"))
        assert max(counts) <= 200
    assert len(names(file)) == 200
    file.close()
