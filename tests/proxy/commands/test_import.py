"""leasehold import: isc and csv; plan, apply, what is told, exit codes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from proxy.commands import import_
from tests.made_isc_site import NOW_ACTIVE, SECRET, write

CONF = """\
max-lease-time 600;
key k { algorithm hmac-md5; secret TOPSECRET; }
subnet 10.0.2.0 netmask 255.255.255.0 {
  option routers 10.0.2.1; range 10.0.2.100 10.0.2.199;
  max-lease-time 60;
}
host web { hardware ethernet 52:54:00:aa:00:01; fixed-address 10.0.2.5; filename "pxelinux.0"; }
"""
CLASH = "host two { hardware ethernet 52:54:00:aa:00:02; fixed-address 10.0.2.5; }\n"
CSV = """\
address,name,mac,hostname,filename,next_server,description,note,uses,subnet,group
10.0.1.5,web,52:54:00:aa:00:01,www,pxelinux.0,10.0.1.9,www,until May,dhcp ipam,10.0.1.0/24,Lab
10.0.1.6,printer,,,,,,,manual,10.0.1.0/24,Lab
10.0.1.7,db-01,52:54:00:aa:00:02,db,,,,,dhcp,10.0.1.0/24,Lab
10.0.1.7,db-02,52:54:00:aa:00:03,db,,,,,dhcp,10.0.1.0/24,Lab
"""


@pytest.fixture
def conf(empty_place: Path) -> str:
    """A small dhcpd.conf."""
    (empty_place / "dhcpd.conf").write_text(CONF)
    return "dhcpd.conf"


@pytest.fixture
def table(empty_place: Path) -> str:
    """A small CSV file."""
    (empty_place / "hosts.csv").write_text(CSV)
    return "hosts.csv"


def test_isc_shows_a_plan_and_changes_nothing(leasehold, conf):
    printed = leasehold.done("import", "isc", conf)

    for word in ("10.0.2.0/24", "10.0.2.100-10.0.2.199", "10.0.2.5", "52:54:00:aa:00:01", "dhcpd.conf:7"):
        assert word in printed
    assert "To add: 1 subnet, 1 host" in printed
    assert leasehold.json("subnet", "list") == []


def test_isc_with_apply_brings_it_in(leasehold, conf):
    printed = leasehold.done("import", "isc", conf, "--apply", "--group", "Floor")
    (subnet,), (address,) = leasehold.json("subnet", "list"), leasehold.json("address", "list")

    assert "Added: 1 subnet, 1 host" in printed
    assert (subnet["group"], subnet["gateway"], subnet["dynamic"]) == ("Floor", "10.0.2.1", "10.0.2.100-10.0.2.199")
    assert (address["address"], list(address["uses"]), address["hosts"][0]["filename"]) == (
        "10.0.2.5",
        ["dhcp"],
        "pxelinux.0",
    )


def test_isc_the_second_time_there_is_nothing_to_do(leasehold, conf):
    leasehold.done("import", "isc", conf, "--apply")
    events = leasehold.json("events")

    printed = leasehold("import", "isc", conf)

    assert "there already: 1 subnet, 1 host" in printed.stdout
    assert "There is nothing to do." in printed.stderr
    assert "Added: 0 subnets, 0 hosts" in leasehold.done("import", "isc", conf, "--apply")
    assert leasehold.json("events") == events


def test_isc_lists_what_it_does_not_use_with_file_and_lines(leasehold, conf):
    printed = leasehold.done("import", "isc", conf)

    assert "  max-lease-time: dhcpd.conf:1, dhcpd.conf:5\n" in printed
    assert "  key k: dhcpd.conf:2\n" in printed


@pytest.mark.parametrize("flag", ["--dry-run", "--apply"])
def test_isc_tells_both_sides_of_a_clash_and_exits_with_1(leasehold, conf, flag):
    Path(conf).write_text(CONF + CLASH)

    printed = leasehold("import", "isc", conf, flag)

    assert printed.exit_code == 1
    assert "dhcpd.conf:8: 10.0.2.5 of two (52:54:00:aa:00:02) clashes" in printed.stdout
    assert "web (52:54:00:aa:00:01) has it (dhcpd.conf:7)" in printed.stdout
    assert len(leasehold.json("address", "list")) == (1 if flag == "--apply" else 0)


def test_isc_refuses_what_is_no_configuration_with_file_and_line(leasehold, conf):
    Path(conf).write_text("max-lease-time 600;\nsubnet {\n")

    printed = leasehold("import", "isc", conf)

    assert (printed.exit_code, printed.stderr.startswith("Error: dhcpd.conf:2: ")) == (2, True)


def test_isc_takes_the_leases_of_the_made_site(leasehold, empty_place):
    site = write(empty_place)

    printed = leasehold("import", "isc", str(site.configuration), str(site.leases), "--apply")

    assert "Added: 60 subnets, 2001 hosts" in printed.stdout
    assert f"stay with dhcpd ({len(NOW_ACTIVE)}): {', '.join(NOW_ACTIVE)}" in printed.stdout
    for name in (*site.clashing, *site.left_out):
        number = [line for line in Path("hosts/more.conf").read_text().splitlines() if f"host {name} " in line]
        assert number or name in printed.stdout
    assert printed.stdout.count("hosts/more.conf:") == len(site.clashing) + len(site.left_out) + 2 + 1
    assert SECRET not in printed.output


def test_no_secret_is_printed(leasehold, conf):
    for text in (CONF, CONF.replace("TOPSECRET; }", "TOPSECRET }"), "secret TOPSECRET;", 'ldap-password "TOPSECRET";'):
        Path(conf).write_text(text)
        assert "TOPSECRET" not in leasehold("import", "isc", conf).output


def test_a_bar_shows_what_takes_longer_than_a_second(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    moments = iter([0.0, 0.5, 1.5])
    monkeypatch.setattr(import_.time, "monotonic", lambda: next(moments, 9.0))
    monkeypatch.setattr(import_.sys, "stderr", terminal)
    with import_._Bar("Importing") as bar:
        bar.advance(1, 3)
        assert terminal.getvalue() == ""
        bar.advance(2, 3)
        bar.advance(3, 3)

    assert "100%" in terminal.getvalue()


def test_csv_shows_a_plan_and_changes_nothing(lab, table):
    assert "To add: 0 subnets, 4 addresses" in lab.done("import", "csv", table)
    assert lab.json("address", "list") == []


def test_csv_with_apply_brings_every_column_in(lab, table):
    lab.done("import", "csv", table, "--apply")
    web, printer, db = lab.json("address", "list")
    (host,) = web["hosts"]

    assert (web["address"], web["note"], sorted(web["uses"])) == ("10.0.1.5", "until May", ["dhcp", "ipam"])
    assert (host["name"], host["mac"], host["hostname"]) == ("web", "52:54:00:aa:00:01", "www")
    assert (host["filename"], host["next_server"]) == ("pxelinux.0", "10.0.1.9")
    assert (printer["name"], list(printer["uses"]), printer["hosts"]) == ("printer", ["manual"], [])
    assert [each["name"] for each in db["hosts"]] == ["db-01", "db-02"]


def test_csv_the_second_time_there_is_nothing_to_do(lab, table):
    lab.done("import", "csv", table, "--apply")

    assert "Added: 0 subnets, 0 addresses; there already: 0 subnets, 4" in lab.done("import", "csv", table, "--apply")


def test_csv_needs_the_address_only_and_columns_in_any_order(lab, table):
    Path(table).write_text("\ufeffMAC, name ,Address\n,,10.0.1.5\n\n52:54:00:AA:00:01,web,10.0.1.6\n")

    lab.done("import", "csv", table, "--apply")

    found = [(each["address"], list(each["uses"]), each["mac"]) for each in lab.json("address", "list")]
    assert found == [("10.0.1.5", ["manual"], None), ("10.0.1.6", ["dhcp"], "52:54:00:aa:00:01")]


def test_csv_reads_what_export_writes(lab, table):
    lab.done("import", "csv", table, "--apply")
    written = lab.done("export", "csv")
    before = lab.json("address", "list")
    for each in before:
        lab.done("address", "release", each["address"])
    Path(table).write_text(written)

    lab.done("import", "csv", table, "--apply")

    assert lab.done("export", "csv") == written


@pytest.mark.parametrize(
    ("text", "told", "code"),
    [
        ("adress\n10.0.1.5\n", "hosts.csv:1: unknown columns: adress. There are: address, name", 2),
        ("name\nx\n", "hosts.csv:1: the first line names the columns, and address", 2),
        ("address,address\n", "hosts.csv:1: a column is there twice", 2),
        ("", "hosts.csv:1: ", 2),
        ("address\n10.0.1.5\n10.0.1.x\n", "hosts.csv:3: Invalid IP Address 10.0.1.x", 2),
        ("address,mac\n10.0.1.5,zz\n", "hosts.csv:2: Invalid MAC zz", 2),
        ("address,uses\n10.0.1.5,fun\n", "hosts.csv:2: unknown use 'fun'", 2),
        ("address,uses\n10.0.1.5,dhcp\n", "hosts.csv:2: the use dhcp needs a mac and a name", 2),
        ("address,filename\n10.0.1.5,x\n", "hosts.csv:2: filename: only the use dhcp has that", 2),
        ("address,name\n,x\n", "hosts.csv:2: no address", 2),
        ("address\n10.0.1.5,x\n", "hosts.csv:2: 2 cells, but 1 columns", 2),
        ('address,name\n10.0.1.5,"x\n', "hosts.csv:2: no CSV", 2),
        ('address,name\n10.0.1.5,"a"b\n', "hosts.csv:2: no CSV", 2),
        ("address\n10.0.1.5\n10.0.1.1\n", "hosts.csv:3: 10.0.1.1 is the gateway", 1),
        ("address\n10.0.1.5\n10.9.0.1\n", "hosts.csv:3: 10.9.0.1 is not in any subnet", 1),
        ("address\n10.0.1.5\n10.0.1.5\n", "hosts.csv:3: 10.0.1.5 is in line 2 already", 2),
        ("address,subnet\n10.0.1.5,10.0.1.0/25\n", "hosts.csv:2: 10.0.1.5 is not in 10.0.1.0/25", 1),
        ("address,name\n10.0.1.5,a\n10.0.1.6,b;c\n", "hosts.csv:3: Invalid name b;c", 1),
    ],
)
@pytest.mark.parametrize("flag", ["--dry-run", "--apply"])
def test_csv_with_anything_wrong_imports_nothing_and_tells_the_line(lab, table, text, told, code, flag):
    Path(table).write_text(text)

    printed = lab("import", "csv", table, flag)

    assert told in printed.output
    assert (printed.exit_code, lab.json("address", "list")) == (code, [])


def test_csv_that_is_not_utf_8_is_refused(lab, table):
    Path(table).write_bytes(b"address,name\n10.0.1.5,B\xfcro\n")

    assert "hosts.csv is not in UTF-8" in lab("import", "csv", table).stderr
