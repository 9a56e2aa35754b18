"""leasehold subnet: add, list, show, set, remove, sample."""

from __future__ import annotations

import pytest

EVERYTHING = (
    ("--description", "Machines of the lab", "description", "Machines of the lab"),
    ("--pool", "10.0.1.10-10.0.1.99", "pool", "10.0.1.10-10.0.1.99"),
    ("--dynamic", "10.0.1.200-10.0.1.250", "dynamic", "10.0.1.200-10.0.1.250"),
    ("--exclude", "10.0.1.20-10.0.1.29", "exclusions", ["10.0.1.20-10.0.1.29"]),
    ("--exclude", "10.0.1.50", "exclusions", ["10.0.1.50"]),
    ("--gateway", "10.0.1.254", "gateway", "10.0.1.254"),
    ("--dns", "10.0.1.2,10.0.1.3", "dns", ["10.0.1.2", "10.0.1.3"]),
    ("--ntp", "10.0.1.4", "ntp", ["10.0.1.4"]),
    ("--domain", "lab.example.com", "domain", "lab.example.com"),
    ("--mtu", "9000", "mtu", 9000),
    ("--next-server", "10.0.1.5", "next_server", "10.0.1.5"),
    ("--filename", "grub2/grubx64.efi", "filename", "grub2/grubx64.efi"),
    ("--strategy", "random", "strategy", "random"),
)
NOTHING = {
    "--description": ("description", ""),
    "--pool": ("pool", None),
    "--dynamic": ("dynamic", None),
    "--exclude": ("exclusions", []),
    "--gateway": ("gateway", None),
    "--dns": ("dns", []),
    "--ntp": ("ntp", []),
    "--domain": ("domain", None),
    "--mtu": ("mtu", None),
    "--next-server": ("next_server", None),
    "--filename": ("filename", None),
}


@pytest.mark.parametrize(("option", "value", "key", "shown"), EVERYTHING)
def test_add_keeps_each_option(leasehold, option, value, key, shown):
    leasehold.done("subnet", "add", "10.0.1.0/24", option, value)

    assert leasehold.json("subnet", "show", "10.0.1.0/24")[key] == shown


@pytest.mark.parametrize(("option", "value", "key", "shown"), EVERYTHING)
def test_set_changes_each_option_and_nothing_else(lab, option, value, key, shown):
    before = lab.json("subnet", "show", "10.0.1.0/24")

    lab.done("subnet", "set", "10.0.1.0/24", option, value)

    after = lab.json("subnet", "show", "10.0.1.0/24")
    changed = {name for name in before if before[name] != after[name]} - {"free"}
    assert (changed, after[key]) == ({key}, shown)


@pytest.mark.parametrize(("option", "cleared"), NOTHING.items())
def test_set_with_an_empty_text_takes_a_value_away(leasehold, option, cleared):
    every = [part for name, value, *_ in EVERYTHING for part in (name, value)]
    leasehold.done("subnet", "add", "10.0.1.0/24", *every)
    key, nothing = cleared

    leasehold.done("subnet", "set", "10.0.1.0/24", option, "")

    assert leasehold.json("subnet", "show", "10.0.1.0/24")[key] == nothing


def test_add_takes_several_exclusions(leasehold):
    leasehold.done("subnet", "add", "10.0.1.0/24", "--exclude", "10.0.1.9", "--exclude", "10.0.1.20-10.0.1.29")

    assert leasehold.json("subnet", "show", "10.0.1.0/24")["exclusions"] == ["10.0.1.9", "10.0.1.20-10.0.1.29"]


@pytest.mark.parametrize(("option", "served"), [("--dhcp", True), ("--no-dhcp", False)])
def test_add_says_whether_dhcp_serves_it(leasehold, option, served):
    leasehold.done("subnet", "add", "10.0.1.0/24", option)

    assert leasehold.json("subnet", "show", "10.0.1.0/24")["dhcp"] is served


def test_set_takes_a_subnet_off_dhcp(lab):
    lab.done("subnet", "set", "10.0.1.0/24", "--no-dhcp")

    assert lab.json("subnet", "show", "10.0.1.0/24")["dhcp"] is False


def test_add_makes_a_new_group(leasehold):
    printed = leasehold.done("subnet", "add", "10.0.1.0/24", "--group", "Labor für Müßiggang")

    assert "10.0.1.0/24 (Labor für Müßiggang)" in printed
    assert [row["group"] for row in leasehold.json("subnet", "list")] == ["Labor für Müßiggang"]


def test_add_of_a_subnet_that_is_there_is_refused(lab):
    result = lab("subnet", "add", "10.0.1.0/24", "--group", "Lab")

    assert result.exit_code == 1
    assert "10.0.1.0/24" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["10.0.1.5/24"], "10.0.1.0"),
        (["10.0.1.0"], "10.0.1.0/24"),
        (["10.0.1.0/24", "--gateway", "10.0.1.x"], "--gateway"),
        (["10.0.1.0/24", "--pool", "10.9.9.1-10.9.9.9"], "10.9.9.1-10.9.9.9"),
        (["10.0.1.0/24", "--pool", "10.0.1.9-10.0.1.3"], "--pool"),
        (["10.0.1.0/24", "--dns", "10.0.1.2;10.0.1.3"], "--dns"),
        (["10.0.1.0/24", "--mtu", "large"], "--mtu"),
        (["10.0.1.0/24", "--mtu", "-1"], "--mtu"),
        (["10.0.1.0/24", "--mtu", "67"], "--mtu"),
        (["10.0.1.0/24", "--mtu", "65536"], "--mtu"),
        (["10.0.1.0/24", "--mtu", "9" * 5000], "--mtu"),
        (["10.0.1.0/24", "--strategy", "best"], "--strategy"),
        (["10.0.1.0/24", "--description", "two\nlines"], "--description"),
        (["10.0.1.0/24", "--domain", 'example.com"; evil'], "--domain"),
        (["10.0.1.0/24", "--next-server", "boot server"], "--next-server"),
        (["10.0.1.0/24", "--next-server", "a" * 65], "--next-server"),
        (["10.0.1.0/24", "--filename", 'pxelinux.0"'], "--filename"),
        (["10.0.1.0/24", "--filename", "a" * 129], "--filename"),
        (["10.0.1.0/24", "--group", " Lab"], "group name"),
    ],
)
def test_add_with_a_wrong_value_names_it_and_adds_nothing(leasehold, arguments, named):
    result = leasehold("subnet", "add", *arguments)

    assert result.exit_code == 2
    assert named in result.stderr
    assert leasehold.json("subnet", "list") == []


def test_list_of_an_empty_book_says_how_to_add(leasehold):
    result = leasehold("subnet", "list")

    assert (result.exit_code, result.stdout) == (0, "")
    assert "leasehold subnet add" in result.stderr


def test_list_is_a_table_with_occupancy(lab):
    lab.done("address", "reserve", "10.0.1.7")
    lab.done("address", "next", "10.0.1.0/24")

    head, _, line = lab.done("subnet", "list").splitlines()

    assert head.split() == ["Subnet", "Group", "Description", "/dhcp", "Reserved", "Held", "Free"]
    assert line.split() == ["10.0.1.0/24", "Lab", "yes", "1", "1", "251"]


def test_list_counts_as_json(lab):
    lab.done("address", "reserve", "10.0.1.7")

    (row,) = lab.json("subnet", "list")

    assert (row["reserved"], row["held"], row["resting"], row["free"]) == (1, 0, 0, 252)


def test_list_of_one_group(lab):
    lab.done("subnet", "add", "10.0.2.0/24", "--group", "Production")

    assert [row["network"] for row in lab.json("subnet", "list", "--group", "Lab")] == ["10.0.1.0/24"]


def test_list_of_an_unknown_group_is_refused(lab):
    result = lab("subnet", "list", "--group", "Nowhere")

    assert result.exit_code == 1
    assert "Nowhere" in result.stderr


def test_list_abbreviates_the_free_addresses_of_ipv6(leasehold):
    leasehold.done("subnet", "add", "2001:db8::/64")

    assert "1.8e+19" in leasehold.done("subnet", "list")
    assert leasehold.json("subnet", "list")[0]["free"] == 2**64 - 1


def test_show_counts_the_free_addresses_of_ipv6_exactly(leasehold):
    leasehold.done("subnet", "add", "2001:db8::/64")

    assert str(2**64 - 1) in leasehold.done("subnet", "show", "2001:db8::/64")


def test_show_prints_every_value_by_name(lab):
    lines = lab.done("subnet", "show", "10.0.1.0/24").splitlines()

    assert ["Gateway", "10.0.1.1"] in [line.split() for line in lines]


def test_show_of_the_same_network_in_two_groups_obeys_group(lab):
    lab.done("subnet", "add", "10.0.1.0/24", "--group", "Other", "--no-dhcp", "--domain", "other.example.com")

    shown = lab.json("subnet", "show", "10.0.1.0/24", "--group", "Other")

    assert shown["domain"] == "other.example.com"


def test_show_of_an_unknown_subnet_is_refused(lab):
    result = lab("subnet", "show", "10.9.9.0/24")

    assert result.exit_code == 1
    assert "10.9.9.0/24" in result.stderr


def test_set_without_options_is_a_usage_error(lab):
    result = lab("subnet", "set", "10.0.1.0/24")

    assert result.exit_code == 2
    assert "at least one option" in result.stderr


def test_a_removed_subnet_is_listed_no_more(lab):
    assert "10.0.1.0/24 (Lab)" in lab.done("subnet", "remove", "10.0.1.0/24")

    assert lab.json("subnet", "list") == []


def test_remove_of_a_subnet_with_something_in_it_counts_and_names_force(lab):
    lab.done("address", "reserve", "10.0.1.7")

    result = lab("subnet", "remove", "10.0.1.0/24")

    assert result.exit_code == 1
    assert "1 reserv" in result.stderr
    assert "--force" in result.stderr


@pytest.mark.parametrize("change", [["set", "10.0.1.0/24", "--mtu", "9000"], ["remove", "10.0.1.0/24", "--force"]])
def test_what_is_in_several_groups_is_not_changed_or_removed_by_guess(lab, change):
    lab.done("subnet", "add", "10.0.1.0/24", "--group", "Other", "--no-dhcp")
    before = lab.json("subnet", "list")

    result = lab("subnet", *change)

    assert result.exit_code == 2
    assert "Lab, Other" in result.stderr
    assert lab.json("subnet", "list") == before


def test_remove_in_the_named_group(lab):
    lab.done("subnet", "add", "10.0.1.0/24", "--group", "Other", "--no-dhcp")

    lab.done("subnet", "remove", "10.0.1.0/24", "--group", "Lab")

    assert [row["group"] for row in lab.json("subnet", "list")] == ["Other"]


def test_remove_by_force_says_what_is_lost(lab):
    lab.done("address", "reserve", "10.0.1.7")
    lab.done("address", "next", "10.0.1.0/24")

    printed = lab.done("subnet", "remove", "10.0.1.0/24", "--force")

    assert "1 reserved, 1 held" in printed
    assert lab.json("subnet", "list") == []


def test_sample_has_two_groups_and_both_families(leasehold):
    leasehold.done("subnet", "sample")

    rows = leasehold.json("subnet", "list")

    assert len({row["group"] for row in rows}) == 2
    assert {":" in row["network"] for row in rows} == {True, False}


def test_sample_says_what_it_did(leasehold):
    printed = leasehold.done("subnet", "sample", "--if-empty")

    assert "10.0.1.0/24 (Lab)" in printed


def test_sample_if_empty_is_silent_when_there_are_subnets(leasehold):
    leasehold.done("subnet", "add", "10.7.0.0/24")

    result = leasehold("subnet", "sample", "--if-empty")

    assert (result.exit_code, result.output) == (0, "")
    assert len(leasehold.json("subnet", "list")) == 1


def test_sample_leaves_out_what_is_there(lab):
    result = lab("subnet", "sample")

    assert result.exit_code == 0
    assert "Left out 10.0.1.0/24" in result.stderr
    assert len(lab.json("subnet", "list")) == 3


def test_a_subnet_that_finds_its_place_on_dhcp_taken_says_so(leasehold):
    leasehold.done("subnet", "add", "10.0.1.0/24")

    inner = leasehold("subnet", "add", "10.0.1.0/25")

    assert (inner.exit_code, "It is not on /dhcp" in inner.stderr) == (0, True)
    for asked in (["10.0.1.128/25"], ["10.0.1.0/26", "--no-dhcp"], ["2001:db8::/64"]):
        assert leasehold("subnet", "add", *asked).stderr == ""


def test_a_gateway_elsewhere_is_taken_with_a_question(leasehold):
    added = leasehold("subnet", "add", "10.0.1.0/24", "--gateway", "10.0.2.1")
    assert (added.exit_code, "10.0.2.1 is not in 10.0.1.0/24" in added.stderr) == (0, True)
    assert leasehold("subnet", "set", "10.0.1.0/24", "--mtu", "9000").stderr == ""

    changed = leasehold("subnet", "set", "10.0.1.0/24", "--gateway", "10.1.1.1")

    assert (changed.exit_code, "10.1.1.1 is not in 10.0.1.0/24" in changed.stderr) == (0, True)
    assert leasehold("subnet", "set", "10.0.1.0/24", "--gateway", "10.0.1.1").stderr == ""


def test_a_subnet_inside_another_one_is_told_what_that_alone_knows(leasehold):
    outer = ("--gateway", "10.0.1.1", "--dns", "10.0.1.2,10.0.1.130", "--dynamic", "10.0.1.200-10.0.1.250")
    assert leasehold("subnet", "add", "10.0.1.0/24", *outer).stderr == ""

    low = leasehold("subnet", "add", "10.0.1.0/25", "--no-dhcp").stderr
    high = leasehold("subnet", "add", "10.0.1.128/25").stderr
    within = leasehold("subnet", "add", "10.0.1.208/28").stderr
    leasehold.done("subnet", "remove", "10.0.1.208/28")
    leasehold.done("subnet", "remove", "10.0.1.0/25")
    leasehold.done("subnet", "remove", "10.0.1.128/25")

    assert "the name server 10.0.1.2, the gateway 10.0.1.1;" in low
    assert "the name server 10.0.1.130, the dynamic range 10.0.1.200-10.0.1.250;" in high
    assert within == "", "the subnet around it is the /25, which has no dynamic range"
    kept = ("--gateway", "10.0.1.1", "--exclude", "10.0.1.2-10.0.1.3", "--no-dhcp")
    assert leasehold("subnet", "add", "10.0.1.0/25", *kept).stderr == ""
    assert leasehold("subnet", "add", "10.0.1.128/26", "--dns", "10.0.1.130").stderr == ""
    assert leasehold("subnet", "add", "10.0.1.192/26", "--exclude", "10.0.1.200-10.0.1.250").stderr == ""
    leasehold.done("subnet", "remove", "10.0.1.192/26")
    assert "the dynamic range" in leasehold("subnet", "add", "10.0.1.208/28").stderr
    assert leasehold("subnet", "add", "10.0.1.0/25", "--group", "other").stderr.count("around it") == 0
