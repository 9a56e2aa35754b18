"""The lines of the hosts and options files: what is written is read back, and what could be misread is refused."""

from __future__ import annotations

import pytest
from netaddr import IPAddress

from providers.dhcp.dnsmasq.boot_sets import BootSet, options_text, read_options
from providers.dhcp.dnsmasq.host_lines import MOST_MACS, HostLine, lines, read_line, refuse_unfit
from providers.dhcp.dnsmasq.sections import Sections
from providers.errors import InvalidValue
from providers.model import DHCPHost

MAC, OTHER = "52:54:00:00:00:01", "52:54:00:00:00:02"
AT = IPAddress("10.0.1.3")
PXE = BootSet("pxelinux.0", "10.0.1.9")


def host(mac: str = MAC, hostname: str = "web01.example.com", **changed) -> DHCPHost:
    return DHCPHost(mac, changed.pop("name", "web01"), hostname, address=changed.pop("address", AT), **changed)


@pytest.mark.parametrize(
    "hostname", ["web01", "web-01.example.com", "web_01", "3com", "10.example.com", "w", "xn--p1ai"]
)
def test_a_host_name_is_served(hostname):
    refuse_unfit(host(hostname=hostname))


@pytest.mark.parametrize(
    "hostname",
    ["12", "12h", "5S", "7d", "1w", "30m", "infinite", "Ignore", "10.0.1.3", "-web", "_web", "web,set:x", "web 01",
     "id:1", "[::1]", "web#", "wéb", "web..org", "a" * 64, "a." * 130, "web\n"],
)  # fmt: skip
def test_what_dnsmasq_would_read_otherwise_is_refused(hostname):
    with pytest.raises(InvalidValue, match="Invalid hostname"):
        refuse_unfit(host(hostname=hostname))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"mac": ":".join(["52"] * 20)}, "six octets"),
        ({"next_server": "boot.example.com"}, "not its name"),
        ({"next_server": "10.1"}, "not its name"),
        ({"filename": "x" * 128}, "at most 127"),
        ({"filename": "a\nb"}, "line breaks"),
        ({"filename": 'a"b'}, "may be in it"),
        ({"options": {"ztp_vendor": "a"}}, "ztp_vendor"),
    ],
)
def test_what_dnsmasq_cannot_tell_is_refused(changed, reason):
    with pytest.raises(InvalidValue, match=reason):
        refuse_unfit(host(**changed))


def test_a_line_is_read_back():
    line = HostLine((MAC, OTHER), AT, "web01", PXE)

    assert line.text() == f"{MAC},{OTHER},10.0.1.3,set:{PXE.tag},web01"
    assert read_line(line.text(), {PXE.tag: PXE}) == line
    assert read_line(line.text(), {}) is None


def test_the_macs_of_an_address_share_a_line_and_the_first_says_what_they_are_told():
    bond = [host(MAC, "db", filename="a"), host(OTHER, "other"), host("52:54:00:00:00:03", "c", address=AT + 1)]

    assert [(line.macs, line.hostname) for line in lines(bond)] == [
        ((MAC, OTHER), "db"),
        (("52:54:00:00:00:03",), "c"),
    ]


def test_more_macs_than_fit_into_a_line_are_refused():
    macs = tuple(f"52:54:00:00:00:{number:02x}" for number in range(60))

    with pytest.raises(InvalidValue, match="60 MACs"):
        HostLine(macs, AT, "web01", None).text()


def test_a_bond_that_fits_into_no_line_is_served_in_part():
    many = [host(f"52:54:00:00:00:{number:02x}", "x" * 63 + ".y" * 95, filename="a") for number in range(60)]

    (line,) = lines(many)

    assert len(line.macs) == MOST_MACS
    assert read_line(line.text(), {line.boot.tag: line.boot}) == line


@pytest.mark.parametrize("filename", ["pxelinux.0", "a,b", "back\\slash", "\\", "10.0.0.1", "#", "é", None])
@pytest.mark.parametrize("next_server", ["10.0.1.9", None])
def test_boot_sets_are_read_back(filename, next_server):
    sets = {BootSet(filename, next_server), PXE} - {BootSet(None, None)}

    assert set(read_options(options_text(sets)).values()) == sets


def test_a_boot_set_that_somebody_changed_is_not_taken_for_it():
    assert read_options(options_text([PXE]).replace("pxelinux.0", "evil.0")) == {}


def test_the_same_pair_has_the_same_tag_and_another_pair_another():
    pairs = [BootSet("a", None), BootSet(None, "10.0.0.1"), BootSet("a", "10.0.0.1"), BootSet("a,", None)]

    assert len({each.tag for each in [*pairs, *(BootSet(each.filename, each.next_server) for each in pairs)]}) == 4


class TestSections:
    """Both files as a whole."""

    def sections(self) -> Sections:
        """Two subnets, one of them with a boot set."""
        return Sections({}, {}).with_subnets(
            {1: [HostLine((MAC,), AT, "web01", PXE)], 2: [HostLine((OTHER,), AT + 256, "db", None)]}
        )

    def test_they_are_read_back(self):
        written = self.sections()
        again = Sections.read(written.hosts_text(), written.options_text())

        assert (again.text_of, again.sets) == (written.text_of, written.sets)
        assert again.line_of(1, MAC) == HostLine((MAC,), AT, "web01", PXE)
        assert again.line_of(2, MAC) is None

    def test_one_subnet_changes_and_the_others_stay(self):
        changed = self.sections().with_subnets({1: [HostLine((MAC,), AT, "new", None)]})

        assert changed.line_of(1, MAC).hostname == "new"
        assert changed.line_of(2, OTHER).hostname == "db"
        assert "bootfile-name" not in changed.options_text()

    def test_a_subnet_that_is_gone_leaves_nothing(self):
        assert self.sections().with_subnets({1: None}).hosts_text().count("# subnet") == 1

    def test_a_tag_without_its_boot_set_is_noticed(self):
        assert not self.sections().damaged
        assert Sections.read(self.sections().hosts_text(), "").damaged
