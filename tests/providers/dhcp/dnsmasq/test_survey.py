"""What a configuration of dnsmasq means as subnets and reservations."""

from __future__ import annotations

import subprocess

import pytest

from providers.dhcp.dnsmasq.grammar import read
from providers.dhcp.dnsmasq.survey import survey
from providers.errors import InvalidValue
from tests.dhcp_network import need_program

MAC, OTHER = "52:54:00:00:00:01", "52:54:00:00:00:02"


@pytest.fixture
def surveyed(tmp_path):
    """What a configuration of these lines means."""

    def made(*lines: str):
        (tmp_path / "dnsmasq.conf").write_text("\n".join(lines) + "\n")
        return survey(read(tmp_path / "dnsmasq.conf"))

    return made


def hosts(found):
    return [
        (str(each.address), each.host.mac, each.host.name, each.host.filename, each.host.next_server)
        for each in found.incoming.addresses
    ]


def spec(found):
    (subnet,) = found.incoming.subnets
    return subnet.spec


@pytest.mark.parametrize(
    ("line", "network", "dynamic"),
    [
        ("10.0.1.100,10.0.1.199,255.255.255.0,12h", "10.0.1.0/24", "10.0.1.100-10.0.1.199"),
        ("set:a,tag:b,10.0.1.100,10.0.1.199,255.255.254.0,10.0.1.255,infinite", "10.0.0.0/23", "10.0.1.100-10.0.1.199"),
        ("10.0.1.0,static,255.255.255.128", "10.0.1.0/25", "None"),
        ("10.0.1.0,static", "10.0.1.0/24", "None"),
        ("10.0.1.5,10.0.1.9,1h", "10.0.1.0/24", "10.0.1.5-10.0.1.9"),
        ("10.0.1.5,10.0.3.9", "10.0.0.0/22", "10.0.1.5-10.0.3.9"),
        ("10.0.1.5", "10.0.1.0/24", "10.0.1.5"),
        (" 10.0.1.9 , 10.0.1.5 , 255.255.255.0 # a comment", "10.0.1.0/24", "10.0.1.5-10.0.1.9"),
    ],
)
def test_a_range_is_a_subnet(surveyed, line, network, dynamic):
    found = spec(surveyed(f"dhcp-range={line}"))

    assert (str(found.network), str(found.dynamic)) == (network, dynamic)


def test_a_netmask_that_was_assumed_is_told(surveyed):
    (problem,) = surveyed("dhcp-range=10.0.1.5,10.0.1.9").problems

    assert "taken as 10.0.1.0/24" in problem.text


def test_of_several_ranges_the_first_is_dynamic(surveyed):
    mask = "255.255.255.0"
    found = surveyed(f"dhcp-range=10.0.1.50,10.0.1.59,{mask}", f"dhcp-range=10.0.1.10,10.0.1.19,{mask}")

    assert (str(spec(found).dynamic), list(map(str, spec(found).exclusions))) == (
        "10.0.1.50-10.0.1.59",
        ["10.0.1.10-10.0.1.19"],
    )


def test_what_clients_are_told(surveyed):
    options = spec(
        surveyed(
            "dhcp-range=set:floor,10.0.1.0,static,255.255.255.0",
            "dhcp-option=option:router,10.0.1.1,10.0.1.2",
            "dhcp-option=6,10.0.1.53,0.0.0.0",
            "dhcp-option=tag:floor,option:ntp-server,10.0.1.123",
            "dhcp-option=option:ntp-server,10.0.1.124",
            "dhcp-option=tag:elsewhere,option:mtu,9000",
            "dhcp-option-force=26,1400",
            "domain=example.com",
            "domain=floor.example.com,10.0.1.0/24",
            'dhcp-boot="pxe,linux.0",boot,10.0.1.9',
        )
    ).options

    assert (str(options.gateway), list(map(str, options.dns)), list(map(str, options.ntp))) == (
        "10.0.1.1",
        ["10.0.1.53"],
        ["10.0.1.123"],
    )
    assert (options.domain, options.mtu) == ("floor.example.com", 1400)
    assert (options.filename, options.next_server) == ("pxe,linux.0", "10.0.1.9")


def test_hosts(surveyed):
    found = surveyed(
        f"dhcp-host={MAC},10.0.1.5,web,12h",
        f"dhcp-host=set:red,db,{OTHER},52:54:0:0:0:3,10.0.1.6",
        "dhcp-option=tag:red,option:bootfile-name,red.0",
        "dhcp-boot=tag:red,red.0,,10.0.1.9",
        "dhcp-host=52:54:00:00:00:04,10.0.1.7",
    )

    assert hosts(found) == [
        ("10.0.1.5", MAC, "web", None, None),
        ("10.0.1.6", OTHER, "db-01", "red.0", "10.0.1.9"),
        ("10.0.1.6", "52:54:00:00:00:03", "db-02", "red.0", "10.0.1.9"),
        ("10.0.1.7", "52:54:00:00:00:04", "host-10-0-1-7", None, None),
    ]
    assert found.incoming.addresses[1].related_macs == {OTHER, "52:54:00:00:00:03"}
    assert found.incoming.addresses[1].host.hostname == "db"
    assert "has no name" in found.problems[0].text


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"dhcp-host={MAC},ignore", "ignores a client"),
        (f"dhcp-host={MAC},web", "no IPv4 address"),
        ("dhcp-host=web,10.0.1.5", "no MAC"),
        ("dhcp-host=52:54:00:*:*:*,10.0.1.5", "Invalid MAC"),
        ("dhcp-range=10.0.1.5,proxy", "proxy DHCP"),
        ("dhcp-range=eth0", "Invalid IP"),
        ("dhcp-range=10.0.1.5,10.0.2.5,255.255.255.0", "not in one network"),
        ("dhcp-option=option:router,gateway", "Invalid IP"),
        ("dhcp-option=option:mtu,large", "no whole number"),
    ],
)
def test_what_cannot_come_in_is_told_with_its_place(surveyed, line, reason):
    found = surveyed("# first line", line)

    assert any(reason in each.text and each.place.line == 2 for each in found.problems), found.problems
    assert not found.incoming.addresses


def test_what_is_not_used_is_named_without_its_value(surveyed):
    found = surveyed("dhcp-option=option:root-path,SECRET", "dhcp-match=set:x,60,SECRET", "server=10.0.0.1", "no-hosts")

    assert [each.text for each in found.unused] == ["dhcp-option option:root-path", "dhcp-match"]


def test_addresses_that_only_the_name_server_knows_are_told_once(surveyed):
    """They are in use, and the book would suggest them to the next who asks."""
    found = surveyed(
        "listen-address=127.0.0.1,10.0.1.2",
        "dhcp-range=10.0.1.100,10.0.1.199,255.255.255.0",
        "dhcp-option=option:router,10.0.1.1",
        f"dhcp-host={MAC},10.0.1.5,web",
        "host-record=nas,nas.lan,10.0.1.3,fd00::3",
        "address=/nas.example.com/10.0.1.3",
        "address=/ads.example.com/0.0.0.0",
        "address=/ads.example.com/",
        "host-record=web,10.0.1.5",
        "host-record=router,10.0.1.1",
        "host-record=elsewhere,10.0.2.1",
    )

    assert [(each.place.line, each.text.partition(",")[0]) for each in found.problems] == [
        (1, "listen-address names 10.0.1.2"),
        (5, "host-record names 10.0.1.3"),
    ]


class TestFiles:
    """The files that a configuration names."""

    def test_they_are_read_in_their_place(self, tmp_path, surveyed):
        (tmp_path / "hosts").write_text(f"# ours\n\n{MAC},10.0.1.5,set:red,web\n")
        (tmp_path / "options").write_text('tag:red,option:bootfile-name,"red.0"\n')
        (tmp_path / "conf.d").mkdir()
        (tmp_path / "conf.d" / "a.conf").write_text("dhcp-range=10.0.1.0,static,255.255.255.0\n")
        (tmp_path / "conf.d" / "a.bak").write_text("dhcp-range=10.0.2.0,static,255.255.255.0\n")
        (tmp_path / "conf.d" / ".hidden.conf").write_text("dhcp-range=10.0.3.0,static,255.255.255.0\n")
        (tmp_path / "more").write_text(f"dhcp-host={OTHER},10.0.1.6,db\n")
        found = surveyed(
            "dhcp-hostsfile=hosts",
            "dhcp-optsfile=options",
            "conf-dir=conf.d,*.conf",
            "conf-file=more",
            "conf-file=more",
        )

        assert [each[0:4] for each in hosts(found)] == [
            ("10.0.1.5", MAC, "web", "red.0"),
            ("10.0.1.6", OTHER, "db", None),
        ]
        assert str(spec(found).network) == "10.0.1.0/24"
        assert str(found.incoming.addresses[0].origin) == f"{tmp_path / 'hosts'}:3"

    def test_a_hosts_file_that_is_not_there_is_passed_over(self, surveyed):
        assert hosts(surveyed("dhcp-hostsfile=none")) == []

    @pytest.mark.parametrize("line", ["conf-file=none", "conf-dir=none", 'dhcp-boot="x'])
    def test_what_dnsmasq_would_not_start_with_is_refused(self, surveyed, line):
        with pytest.raises(InvalidValue, match=r"dnsmasq.conf:1|none"):
            surveyed(line)

    def test_a_file_that_includes_itself_is_read_once(self, surveyed):
        assert len(hosts(surveyed("conf-file=dnsmasq.conf", f"dhcp-host={MAC},10.0.1.5,web"))) == 1


@pytest.mark.parametrize(
    "line",
    ["", "# x", "domain-needed", 'dhcp-boot="a,b"', "dhcp-boot=a#b", "dhcp-host=52:54:00:00:00:01, 10.0.1.5 ,web # x",
     'dhcp-boot="a', "dhcp-range = 10.0.1.5 , 10.0.1.9"],
)  # fmt: skip
def test_the_real_dnsmasq_accepts_the_same(tmp_path, line):
    path = tmp_path / "dnsmasq.conf"
    path.write_text(f"{line}\n")
    program = need_program("dnsmasq", "dnsmasq-base")
    accepted = subprocess.run([program, "--test", f"--conf-file={path}"], capture_output=True).returncode == 0

    try:
        list(read(path))
        here = True
    except InvalidValue:
        here = False

    assert here == accepted
