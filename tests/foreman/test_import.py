"""Foreman imports the subnets of the proxy, and looks a subnet up in External IPAM before it saves it."""

from __future__ import annotations

from typing import Any

import pytest
from netaddr import IPAddress, IPNetwork

from providers.addresses import Range
from providers.model import SubnetSpec
from tests.foreman.orchestration import ForemanSubnet
from tests.foreman.site import DHCP_ONLY, GROUP, IPAM_ONLY, OPERATOR, WEB, modes
from tests.foreman.wire import ProxyError

pytestmark = pytest.mark.parametrize("truth", ["noting"], indirect=True)


def imported(told: dict[str, Any]) -> dict[str, Any]:
    """The form of a subnet that Foreman fills from what the proxy tells; what is not told stays blank."""
    options = told.get("options") or {}
    servers = options.get("domain_name_servers") or []
    first, last = options.get("range") or ("", "")
    return {
        "network": told["network"],
        "mask": told["netmask"],
        "gateway": next(iter(options.get("routers") or []), ""),
        "dns": [*servers[:2]],
        "from": first,
        "to": last,
    }


@modes(DHCP_ONLY)
class TestFromDHCP:
    def test_subnets_as_the_form_shows_them(self, foreman):
        assert [imported(told) for told in foreman.dhcp.subnets()] == [
            {
                "network": "10.0.1.0",
                "mask": "255.255.255.224",
                "gateway": "10.0.1.1",
                "dns": ["10.0.1.2", "192.0.2.53"],
                "from": "10.0.1.20",
                "to": "10.0.1.25",
            },
            {
                "network": "10.0.2.0",
                "mask": "255.255.255.240",
                "gateway": "",
                "dns": [],
                "from": "",
                "to": "",
            },
        ]

    def test_importing_changes_nothing(self, site, foreman):
        before = site.rows()
        foreman.dhcp.subnets()
        foreman.dhcp.subnet("10.0.1.0")
        assert site.rows() == before

    def test_host_in_every_imported_subnet(self, site, foreman):
        hosts = []
        for number, told in enumerate(foreman.dhcp.subnets()):
            form = imported(told)
            network = IPNetwork(f"{form['network']}/{form['mask']}")
            subnet = ForemanSubnet(network, first=form["from"], last=form["to"])
            host, outcome = foreman.build(site.interface(f"h{number}", WEB, subnet=subnet))
            assert outcome.fine
            hosts.append(host)
        assert [host.ip for host in hosts] == ["10.0.1.20", "10.0.2.1"]
        site.check(site.of(*hosts))

    def test_hosts_are_told_with_their_subnet(self, site, foreman):
        web, _ = foreman.build(site.interface("web", WEB))
        told = foreman.dhcp.subnet("10.0.1.0")
        assert [(each["name"], each["ip"], each["subnet"]) for each in told["reservations"]] == [
            ("web", web.ip, "10.0.1.0/255.255.255.224")
        ]
        assert told["leases"] == []


@modes(IPAM_ONLY)
class TestFromExternalIPAM:
    @pytest.fixture(params=["Lab two & co", "R&D / Büro #1 100%", "2024", "a+b", "dots.and-dashes_"])
    def group(self, request, site):
        """A group whose name is not easily said in a URL; a subnet is in it and also in another."""
        spec = SubnetSpec(IPNetwork("10.9.0.0/24"), request.param, "theirs", exclusions=(Range.parse("10.9.0.1"),))
        site.book.add_subnet(spec, OPERATOR)
        return request.param

    def test_subnet_is_looked_up_in_its_group(self, foreman, group):
        """The three questions that Foreman asks before it saves a subnet."""
        assert foreman.ipam.subnet("10.9.0.0/24", group)["subnet"] == "10.9.0.0"
        assert foreman.ipam.group(group)["name"] == group
        assert ("10.9.0.0", "24") in [(each["subnet"], each["mask"]) for each in foreman.ipam.group_subnets(group)]

    def test_host_in_a_subnet_of_that_group(self, site, foreman, group):
        subnet = ForemanSubnet(IPNetwork("10.9.0.0/24"), dhcp=False, ipam=True, group=group)
        web, outcome = foreman.build(site.interface("web", WEB, subnet=subnet))
        assert outcome.fine
        assert web.ip == "10.9.0.2"
        site.check(site.of(web))
        assert foreman.destroy(web).fine
        site.check(resting={web.ip: WEB})

    def test_group_is_offered_in_the_form(self, foreman, group):
        assert {GROUP, group} <= {each["name"] for each in foreman.ipam.groups()}

    @pytest.mark.parametrize(
        "ask",
        [
            lambda ipam: ipam.group("nobody's"),
            lambda ipam: ipam.group_subnets("nobody's"),
            lambda ipam: ipam.subnet("10.0.1.0/27", "nobody's"),
            lambda ipam: ipam.subnet("10.7.0.0/24", GROUP),
            lambda ipam: ipam.subnet("10.7.0.0/24"),
            lambda ipam: ipam.next_ip("10.7.0.0/24", WEB),
        ],
    )
    def test_what_is_not_there_is_an_error_to_foreman(self, foreman, ask):
        with pytest.raises(ProxyError):
            ask(foreman.ipam)

    def test_same_network_in_two_groups_is_two_subnets(self, site, foreman):
        site.book.add_subnet(SubnetSpec(IPNetwork(site.lab), "Other", dhcp=False), OPERATOR)
        here = site.interface("web", WEB)
        there = site.interface("web", WEB, subnet=ForemanSubnet(IPNetwork(site.lab), False, True, "Other"))
        web, first = foreman.build(here)
        twin, second = foreman.build(there)
        assert first.fine
        assert second.fine
        assert (web.ip, twin.ip) == ("10.0.1.3", "10.0.1.1")
        groups = {str(each.address): each.subnet.group.name for each in site.book.reservations()}
        assert groups == {web.ip: GROUP, twin.ip: "Other"}

    def test_full_subnet_leaves_the_form_blank(self, site, foreman):
        site.book.add_subnet(SubnetSpec(IPNetwork("10.8.0.0/30"), GROUP), OPERATOR)
        site.seed_ipam("10.8.0.1", "10.8.0.2")
        subnet = ForemanSubnet(IPNetwork("10.8.0.0/30"), dhcp=False, ipam=True, group=GROUP)
        assert foreman.suggest(site.interface("web", WEB, subnet=subnet)).ip is None
        assert site.book.reservation(site.book.subnet_of(IPAddress("10.8.0.1")), IPAddress("10.8.0.3")) is None
