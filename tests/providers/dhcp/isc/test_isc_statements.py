"""What a client is told, as statements and back."""

from __future__ import annotations

import pytest
from netaddr import IPAddress

from providers.dhcp.isc.grammar import parse
from providers.dhcp.isc.statements import host_told, options_told, refuse_unfit_name, statements, told_by, told_to
from providers.errors import InvalidValue
from providers.model import DHCPHost

MAC, ADDRESS, SERVER = "52:54:00:00:00:01", IPAddress("10.77.0.20"), IPAddress("10.9.0.1")


def host(**values):
    return DHCPHost(**{"mac": MAC, "name": "web1", "hostname": "web1.example.com", "address": ADDRESS, **values})


def test_no_value_stands_between_quotes():
    told = told_to(host(hostname='a"; }', filename="pxe"), SERVER)

    assert statements(told) == (
        "set leasehold = 31; supersede host-name = substring (00:61:22:3b:20:7d, 1, 5); "
        "supersede server.filename = 70:78:65; "
        "supersede server.next-server = 0a:09:00:01;"
    )


@pytest.mark.parametrize(
    "text", ["pxelinux.0", "boot\\x64\\wdsnbp.com", "a", "\\", "bür o", "a;b#{c}", "%s", "x" * 128]
)
def test_statements_are_read_as_they_were_meant(text):
    wanted = host(hostname=text, filename=text, next_server="10.9.0.1")

    told = told_by(parse(statements(told_to(wanted, SERVER)), "here"))

    assert host_told("web1", MAC, ADDRESS, told) == wanted


def test_expressions_of_others_are_no_constants():
    told = told_by(parse('supersede server.filename = concat ("a", "b"); default host-name "x"; dynamic;', "here"))

    assert told == {"server.filename": "concat ( a , b )", "default": "host-name x"}
    assert host_told("web1", MAC, ADDRESS, told).filename == "concat ( a , b )"


def test_a_host_without_host_name_is_called_by_its_name():
    assert host_told("web1", MAC, ADDRESS, {}) == DHCPHost(MAC, "web1", "web1", None, None, {}, ADDRESS)


def test_solaris_options():
    told = told_to(host(options={"root_path_name": "/x", "root_server_ip": "10.9.0.7", "vendor": "sun"}), None)

    assert told == {
        "host-name": b"web1.example.com",
        "SUNW.root-path-name": b"/x",
        "SUNW.root-server-ip-address": b"\n\t\0\7",
        "server.vendor-option-space": b"SUNW",
    }


def test_a_solaris_address_that_is_none_is_refused():
    with pytest.raises(InvalidValue, match="Invalid IP Address"):
        told_to(host(options={"install_server_ip": "server"}), None)


def test_junos_and_huawei_options():
    options = {"ztp_vendor": "huawei", "ztp_firmware": {"core": "core.cc", "web": "web.7z"}}

    told = told_to(host(filename="ztp.cfg/x", options=options), SERVER)

    assert told["option-150"] == b"\n\t\0\1"
    assert told["FM_ZTP.config-file-name"] == b"ztp.cfg/x"
    assert told["option-143"] == b"vrpfile=core.cc;webfile=web.7z;"


def test_junos_needs_a_next_server():
    with pytest.raises(InvalidValue, match="needs a next server"):
        told_to(host(filename="ZTP.cfg"), None)


def test_nexus_options():
    told = told_to(host(filename="poap.cfg", next_server="tftp.example.com"), SERVER)

    assert (told["tftp-server-name"], told["bootfile-name"]) == (b"tftp.example.com", b"poap.cfg")


@pytest.mark.parametrize("name", ["web1", "web1.example.com", "a_b", "-a", "1", "10.0.1.4", "a.", "x" * 255, "host"])
def test_names_that_dhcpd_reads_back(name):
    refuse_unfit_name(name)


@pytest.mark.parametrize(
    "name", ["", "_a", "a._b", "a..b", ".a", "a b", "a{", "a;", 'a"', "a#", "a,b", "a/b", "bür", "a\n", "x" * 256, "a'"]
)
def test_names_that_dhcpd_would_lose_at_its_next_start(name):
    with pytest.raises(InvalidValue, match="cannot be the name of a host of dhcpd"):
        refuse_unfit_name(name)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"root_path_name": "/x", "root_server_ip": "10.9.0.7", "vendor": "sun"},
        {"ztp_vendor": "huawei", "ztp_firmware": {"core": "core.cc", "web": "web.7z"}},
    ],
)
def test_options_are_found_again(options):
    wanted = host(filename="ztp.cfg", options=options)
    assert options_told(told_to(wanted, SERVER)) == options
