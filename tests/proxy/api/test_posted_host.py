import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from providers.address_book.texts import refuse_unfit_host
from providers.errors import InvalidValue
from proxy.api.form import all_parameters
from proxy.api.posted_host import posted_host, related_macs

MAC = "52:54:00:00:00:01"


def parameters(**fields):
    return raw_parameters({"mac": MAC, "name": "h1.example.com", **fields})


def raw_parameters(fields):
    return all_parameters(Request(EnvironBuilder(method="POST", data=fields).get_environ()))


def host(**fields):
    return posted_host(parameters(**fields))


def checked(form):
    found = posted_host(form)
    refuse_unfit_host(found)
    return found


def test_everything_that_foreman_posts():
    found = host(hostname="h1", filename="grub2/grubx64.efi", nextServer="192.168.10.5", type="reservation")
    assert (found.mac, found.name, found.hostname) == (MAC, "h1.example.com", "h1")
    assert (found.filename, found.next_server) == ("grub2/grubx64.efi", "192.168.10.5")
    assert (found.options, found.address) == ({}, None)


def test_name_and_hostname_stand_in_for_each_other():
    assert host().hostname == "h1.example.com"
    assert host(name="", hostname="h2").name == "h2"


def test_empty_boot_options_are_none():
    found = host(filename="", nextServer="")
    assert (found.filename, found.next_server) == (None, None)


@pytest.mark.parametrize("mac", ["52:54:0:0:0:1", "52:54:00:00:00:01"])
def test_mac_in_its_one_spelling(mac):
    assert host(mac=mac).mac == MAC


def test_a_mac_of_20_octets():
    mac = "80:00:02:08:FE:80:00:00:00:00:00:00:00:02:C9:03:00:0B:12:4B"
    assert host(mac=mac).mac == mac.lower()


def test_the_mac_is_checked_before_the_name():
    with pytest.raises(InvalidValue, match="Invalid MAC"):
        posted_host(raw_parameters({}))


def test_a_name_is_needed():
    with pytest.raises(InvalidValue, match="Must provide hostname"):
        posted_host(raw_parameters({"mac": MAC, "name": ""}))


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "a\nb"},
        {"name": "a\x00b"},
        {"name": 'a"b'},
        {"name": "a'b"},
        {"name": "a;b"},
        {"name": "a{b"},
        {"name": "a}b"},
        {"name": "a\\b"},
        {"name": "a\u2028b"},
        {"name": "x" * 256},
        {"name": "ü" * 128},
        {"hostname": "a\nb"},
        {"hostname": "x" * 256},
        {"filename": "a\nb"},
        {"filename": "a\x7fb"},
        {"filename": 'a"b'},
        {"filename": "x" * 129},
        {"nextServer": "a b"},
        {"nextServer": "2001:db8::1"},
        {"nextServer": "-a"},
        {"nextServer": "a\n"},
        {"nextServer": "bücher"},
        {"nextServer": "x" * 65},
        {"<Sun>root_path_name": 'a"b'},
        {"<Sun>root_path_name": "x" * 256},
        {"ztp_vendor": "a\nb"},
        {"ztp_firmware": "a"},
        {"ztp_firmware[core]": 'a"b'},
        {"mac[]": MAC, "mac": None},
        {"name[x]": "a", "name": None},
    ],
)
def test_refuses_what_could_break_a_dhcp_server(fields):
    merged = {"mac": MAC, "name": "h1", **fields}
    with pytest.raises(InvalidValue):
        checked(raw_parameters({name: value for name, value in merged.items() if value is not None}))


@pytest.mark.parametrize(
    ("field", "value", "attribute"),
    [
        ("filename", "boot\\x64\\wdsnbp.com", "filename"),
        ("filename", "http://boot.example.com/a?b={c};d", "filename"),
        ("filename", "x" * 128, "filename"),
        ("nextServer", "boot.example.com", "next_server"),
        ("nextServer", "x" * 64, "next_server"),
        ("name", "x" * 255, "name"),
        ("name", "v4_host.example.com-01", "name"),
        ("name", "büro", "name"),
    ],
)
def test_takes_what_is_harmless(field, value, attribute):
    assert getattr(checked(parameters(**{field: value})), attribute) == value


@pytest.mark.parametrize("vendor", ["SPARC-Enterprise-T5120", "Sun-Fire-V210", "solaris", "MySunBox"])
def test_known_options_of_sun_are_kept(vendor):
    found = host(**{f"<{vendor}>root_path_name": "/a", f"<{vendor}>install_server_ip": "192.168.10.5"})
    assert found.options == {"root_path_name": "/a", "install_server_ip": "192.168.10.5", "vendor": "sun"}


@pytest.mark.parametrize("field", ["<HP-9000>root_path_name", "<Sun>unknown", "<>root_path_name", "<Sunroot_path_name"])
def test_other_vendor_options_are_dropped(field):
    assert host(**{field: "/a"}).options == {}


def test_ztp_is_kept_for_the_dhcp_server():
    fields = {"ztp_vendor": "huawei", "ztp_firmware[core]": "c.cc", "ztp_firmware[web]": "w.7z", "ztp_firmware[x]": "y"}
    assert host(**fields).options == {"ztp_vendor": "huawei", "ztp_firmware": {"core": "c.cc", "web": "w.7z"}}


def test_related_macs_in_their_one_spelling():
    fields = {"related_macs[]": ["52:54:00:00:00:0A", "", "52:54:0:0:0:b"]}
    assert related_macs(raw_parameters(fields)) == {"52:54:00:00:00:0a", "52:54:00:00:00:0b"}


def test_a_wrong_related_mac_is_refused():
    with pytest.raises(InvalidValue):
        related_macs(raw_parameters({"related_macs[]": "zz"}))
