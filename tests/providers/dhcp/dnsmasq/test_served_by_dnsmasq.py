"""A reservation made through POST /dhcp is what a client of dnsmasq gets, and what fails changes nothing."""

from __future__ import annotations

import signal

import pytest
from netaddr import IPAddress

from providers.errors import Unavailable, Unreached
from tests.dhcp_network.message import BOOT_FILE, LEASE_SECONDS
from tests.dhcp_network.raw_client import BOOT_ASKED
from tests.providers.desk import CALLER, description
from tests.providers.dhcp.dnsmasq.site import FIRST_FREE

MAC, OTHER, THIRD = (f"52:54:00:00:00:0{number}" for number in (1, 2, 3))
BOOT = {"filename": "pxelinux.0", "nextServer": "10.0.1.9"}


def test_a_discover_gets_everything_that_was_posted(site, proxy):
    assert proxy.post(MAC, "10.0.1.3", name="web01.example.com", hostname="web01.example.com", **BOOT) == 200

    offer = site.network.discover(MAC)

    assert (str(offer.yiaddr), str(offer.siaddr), offer.boot_file) == ("10.0.1.3", "10.0.1.9", "pxelinux.0")
    assert (offer.hostname, offer.routers, offer.dns) == ("web01", ["10.0.1.14"], ["10.9.0.53"])


@pytest.mark.parametrize("client", ["udhcpc", "dhclient"])
def test_a_real_client_gets_everything_that_was_posted(site, proxy, tmp_path, client):
    assert proxy.post(MAC, "10.0.1.3", name="web01", hostname="web01", **BOOT) == 200

    told = getattr(site.network, client)(MAC, tmp_path)

    assert (told.address, told.next_server, told.boot_file) == ("10.0.1.3", "10.0.1.9", "pxelinux.0")
    assert (told.hostname, told.routers, told.dns) == ("web01", ["10.0.1.14"], ["10.9.0.53"])


def test_a_host_without_boot_file_gets_none(site, proxy):
    proxy.post(MAC, "10.0.1.3", **BOOT)
    proxy.post(OTHER, "10.0.1.4")

    offer = site.network.discover(OTHER)

    assert (str(offer.yiaddr), offer.boot_file, str(offer.siaddr)) == ("10.0.1.4", "", "10.0.1.14")


def test_each_pair_of_boot_file_and_server_reaches_its_own_hosts(site, proxy):
    proxy.post(MAC, "10.0.1.3", **BOOT)
    proxy.post(OTHER, "10.0.1.4", filename="grub/shim.efi", nextServer="10.0.1.8")
    proxy.post(THIRD, "10.0.1.5", **BOOT)

    told = [(offer.boot_file, str(offer.siaddr)) for offer in map(site.network.discover, (MAC, OTHER, THIRD))]

    assert told == [("pxelinux.0", "10.0.1.9"), ("grub/shim.efi", "10.0.1.8"), ("pxelinux.0", "10.0.1.9")]
    assert site.options_file.read_text().count("bootfile-name") == 2


@pytest.mark.parametrize("filename", ["a,b 'c'", "back\\slash\\n", "10.0.0.1", "12", "x" * 127, "é#;{}"])
def test_a_boot_file_arrives_as_it_was_posted(site, proxy, filename):
    assert proxy.post(MAC, "10.0.1.3", filename=filename, nextServer="10.0.1.9") == 200, proxy.answer

    assert site.network.discover(MAC).file == filename.encode()


def test_names_that_look_like_something_else_are_told_as_names(site, proxy):
    names = ["3com", "web_01", "10.example.com", "w", "xn--p1ai", "a" * 63, "infinite-loop", "ignored"]
    macs = [f"52:54:00:00:01:{number:02x}" for number in range(len(names))]
    for number, (mac, name) in enumerate(zip(macs, names, strict=True), 10):
        assert proxy.post(mac, f"10.0.2.{number}", network="10.0.2.0", name=name, hostname=name) == 200

    offers = [site.network.discover(mac) for mac in macs]

    assert [offer.hostname for offer in offers] == [name.partition(".")[0] for name in names]
    assert {offer.number(LEASE_SECONDS) for offer in offers} == {3600}


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"hostname": "ignore"}, "Invalid hostname ignore"),
        ({"hostname": "12h"}, "Invalid hostname 12h"),
        ({"filename": "x" * 128}, "at most 127 bytes"),
        ({"filename": "a\ndhcp-host=52:54:00:00:66:66,10.0.1.6"}, "line breaks"),
        ({"nextServer": "boot.example.com"}, "not its name"),
        ({"nextServer": "x" * 65}, "at most 64"),
        ({"ztp_vendor": "huawei"}, "ztp_vendor"),
    ],
)
def test_what_can_never_be_served_is_refused_before_anything_is_written(site, proxy, form, reason):
    before = site.hosts_file.read_text()

    assert proxy.post(MAC, "10.0.1.3", **form) == 400

    assert reason in proxy.answer
    assert (site.hosts_file.read_text(), proxy.reserved()) == (before, {})


def test_foreman_is_told_that_it_takes_addresses_of_boot_servers(proxy):
    features = proxy.client.get("/v2/features").get_json()

    assert features["dhcp"]["capabilities"] == ["dhcp_filename_ipv4"]


def test_a_client_that_asks_for_option_67_gets_the_name_there(site, proxy):
    proxy.post(MAC, "10.0.1.3", **BOOT)

    offer = site.network.raw_client().discover(MAC, parameters=BOOT_ASKED)

    assert (offer.text(BOOT_FILE), offer.file, str(offer.siaddr)) == ("pxelinux.0", b"", "10.0.1.9")


def test_after_delete_it_gets_what_everybody_gets(site, proxy):
    proxy.post(MAC, "10.0.1.3", **BOOT)
    assert str(site.network.raw_client().lease(MAC).yiaddr) == "10.0.1.3"

    assert proxy.delete(MAC) == 200

    offer = site.network.discover(MAC)
    assert str(offer.yiaddr).startswith(FIRST_FREE)
    assert offer.boot_file == ""


def test_the_second_mac_of_a_bond_gets_the_same_address(site, proxy, tmp_path):
    bond = {"hostname": "db", "related_macs[]": [MAC, OTHER]}
    assert proxy.post(MAC, "10.0.1.3", name="db-01", **bond) == 200
    assert proxy.post(OTHER, "10.0.1.3", name="db-02", **bond) == 200

    assert site.network.udhcpc(MAC, tmp_path).address == "10.0.1.3"
    assert site.network.udhcpc(OTHER, tmp_path).address == "10.0.1.3"

    assert proxy.delete(MAC) == 200
    assert str(site.network.discover(MAC).yiaddr).startswith(FIRST_FREE)
    assert site.offered(OTHER) == "10.0.1.3"


def test_everything_is_so_after_a_restart_of_dnsmasq_and_of_ours(site, proxy, proxies):
    proxy.post(MAC, "10.0.1.3", **BOOT)
    site.start()
    assert site.offered(MAC) == "10.0.1.3"

    again = proxies()
    assert again.reserved() == {MAC: "10.0.1.3"}
    assert again.post(OTHER, "10.0.1.4") == 200

    assert (site.offered(MAC), site.offered(OTHER)) == ("10.0.1.3", "10.0.1.4")


def test_a_lease_of_the_dynamic_range_is_listed_and_not_suggested_to_others(site, proxy):
    proxy.book.add_subnet(description("10.9.0.0/24", dynamic="10.9.0.100-10.9.0.200"), CALLER)
    ack = site.network.raw_client().lease(OTHER)

    proxy.book.dhcp._leases.refresh(at_once=True)
    (lease,) = proxy.client.get("/dhcp/10.9.0.0").get_json()["leases"]

    assert (lease["ip"], lease["mac"], lease["state"]) == (str(ack.yiaddr), OTHER, "active")
    asked = {"from": lease["ip"], "to": str(ack.yiaddr + 1), "mac": MAC}
    assert proxy.client.get("/dhcp/10.9.0.0/unused_ip", query_string=asked).get_json()["ip"] == str(ack.yiaddr + 1)
    assert proxy.client.get("/dhcp/10.9.0.0/unused_ip?mac=" + OTHER).get_json()["ip"] != str(ack.yiaddr + 1)


def test_a_command_may_do_the_reloading(site, proxy, proxies):
    command = f"sh -c 'kill -HUP $(cat {site.pid_file})'"
    for number, pid_file in enumerate((str(site.pid_file), "none"), 1):
        commanded = proxies(reload_command=command, pid_file=pid_file)
        mac = f"52:54:00:00:02:0{number}"

        assert commanded.post(mac, f"10.0.1.{number}") == 200

        assert site.offered(mac) == f"10.0.1.{number}"


def test_what_is_left_of_a_removed_subnet_is_in_nobodys_way(site, proxy):
    proxy.post(OTHER, "10.0.1.4")
    left = "# subnet 98\n52:54:00:00:00:98,10.0.1.3,left\n# subnet 99\n52:54:00:00:00:99,10.0.1.9,other\n"
    site.hosts_file.write_text(site.hosts_file.read_text() + left)

    assert proxy.post(MAC, "10.0.1.3") == 200

    assert (site.offered(MAC), site.offered("52:54:00:00:00:99")) == ("10.0.1.3", "10.0.1.9")
    assert "10.0.1.3,left" not in site.hosts_file.read_text()


class TestServerInTrouble:
    """The caller hears it, and book and server agree."""

    @pytest.fixture(autouse=True)
    def there(self, site, proxy):
        """One host that is served all the time."""
        assert proxy.post(MAC, "10.0.1.3", **BOOT) == 200
        self.before = (site.hosts_file.read_text(), site.options_file.read_text())

    def unchanged(self, site, proxy) -> bool:
        """Whether the book and the files are as they were."""
        now = (site.hosts_file.read_text(), site.options_file.read_text())
        return proxy.reserved() == {MAC: "10.0.1.3"} and now == self.before

    def test_stopped_after_somebody_elses_reload_brought_the_host_in(self, site, proxy):
        """It serves that when it is started again: so it was told something."""
        (host,) = proxy.book.hosts(proxy.book.dhcp_subnet(IPAddress("10.0.1.0")))
        site.stop()

        with pytest.raises(Unavailable, match="dnsmasq does not run") as caught:
            proxy.book.dhcp.publish(proxy.book.dhcp_subnet(IPAddress("10.0.1.0")), host)

        assert not isinstance(caught.value, Unreached)

    def test_stopped(self, site, proxy, caplog):
        site.stop()

        assert proxy.post(OTHER, "10.0.1.4") == 503
        assert "Nothing was reserved: dnsmasq does not run" in proxy.answer
        assert "may differ" not in caplog.text
        assert self.unchanged(site, proxy)
        assert site.pid is None

        site.start()
        assert proxy.post(OTHER, "10.0.1.4") == 200
        assert (site.offered(MAC), site.offered(OTHER)) == ("10.0.1.3", "10.0.1.4")

    def test_stopped_while_a_host_is_deleted(self, site, proxy):
        site.stop()

        assert proxy.delete(MAC) == 503
        assert self.unchanged(site, proxy)

        site.start()
        assert proxy.delete(MAC) == 200
        assert str(site.offered(MAC)).startswith(FIRST_FREE)

    def test_hung(self, site, proxies, proxy):
        """It is told by a signal, which it finds when it goes on: the old files are back by then."""
        proxy.delete(MAC)
        signalled = proxies(version="2.91")
        assert signalled.post(MAC, "10.0.1.3") == 200
        before = site.hosts_file.read_text()
        site.signal(signal.SIGSTOP)

        hasty = proxies(version="2.91", timeout=1)
        assert hasty.post(OTHER, "10.0.1.4") == 503
        assert "did not read" in hasty.answer
        assert site.hosts_file.read_text() == before
        assert signalled.reserved() == {MAC: "10.0.1.3"}

        site.signal(signal.SIGCONT)
        assert site.offered(MAC) == "10.0.1.3"
        assert str(site.offered(OTHER)).startswith(FIRST_FREE)
        assert signalled.post(OTHER, "10.0.1.4") == 200
        assert site.offered(OTHER) == "10.0.1.4"

    def test_a_restart_that_fails(self, site, proxy):
        whole = site.restart_script.read_text()
        site.restart_script.write_text("#!/bin/sh\necho the configuration is wrong >&2\nexit 3\n")

        assert proxy.post(OTHER, "10.0.1.4") == 503
        assert "exit code 3: the configuration is wrong" in proxy.answer
        assert self.unchanged(site, proxy)
        assert site.offered(MAC) == "10.0.1.3"

        site.restart_script.write_text(whole)
        assert proxy.post(OTHER, "10.0.1.4") == 200

    def test_it_reads_other_files(self, site, proxy, proxies):
        site.configuration.write_text(site.configuration.read_text().replace(str(site.options_file), "/dev/null"))
        site.start()

        hasty = proxies(timeout=4)
        assert hasty.post(OTHER, "10.0.1.4") == 503
        assert f"did not read {site.options_file} within 4 s" in hasty.answer
        assert self.unchanged(site, proxy)

    def test_a_host_of_the_operator_has_the_address(self, site, proxy):
        site.configure("dhcp-host=52:54:0:0:A:1,10.0.1.4,printer")

        assert proxy.post(OTHER, "10.0.1.4") == 409
        assert "dnsmasq.conf:15" in proxy.answer
        assert proxy.post("52:54:00:00:0a:01", "10.0.1.5") == 409
        assert self.unchanged(site, proxy)

    def test_a_subnet_without_a_range(self, site, proxy):
        """What is in the book already waits in the files until dnsmasq has the range."""
        subnet = proxy.book.add_subnet(description("10.0.7.0/24"), CALLER)
        site.configure("dhcp-range=10.0.7.0,static,255.255.255.0,1h")
        assert proxy.post(OTHER, "10.0.7.4", network="10.0.7.0") == 200, proxy.answer
        site.configure("")

        assert proxy.post(THIRD, "10.0.7.5", network="10.0.7.0") == 400
        assert "Nothing was reserved: 10.0.7.5 is not served:" in proxy.answer
        assert "has no dhcp-range" in proxy.answer
        assert [str(each.address) for each in next(proxy.book.differences()).missing] == ["10.0.7.4"]
        (failure,) = proxy.book.sync_subnet(subnet, CALLER).failures
        assert failure.startswith("10.0.7.4 is not served")

        site.configure("dhcp-range=10.0.7.0,static,255.255.255.0,1h")
        assert list(proxy.book.differences()) == []
        assert proxy.reserved("10.0.7.0") == {OTHER: "10.0.7.4"}

    def test_files_of_somebody_else_are_not_overwritten(self, site, proxy, proxies):
        site.hosts_file.write_text("52:54:00:00:0b:01,10.0.1.7,theirs\n")

        assert proxy.post(OTHER, "10.0.1.4") == 503
        assert "not Leasehold's ('52:54:00:00:0b:01,10.0.1.7,theirs')" in proxy.answer
        assert site.hosts_file.read_text() == "52:54:00:00:0b:01,10.0.1.7,theirs\n"

    def test_a_configuration_that_cannot_be_read_is_told(self, site, proxy):
        site.configuration.write_text('dhcp-boot="x\n')

        assert proxy.post(OTHER, "10.0.1.4") == 503
        assert "take :config: away" in proxy.answer
        assert not proxy.book.dhcp.health().ok

    def test_a_process_that_was_killed_halfway_is_noticed(self, site, proxy, proxies):
        """It had written the file, and nobody knows whether dnsmasq read it."""
        site.hosts_file.write_text(site.hosts_file.read_text() + f"{OTHER},10.0.1.4,other\n")
        again = proxies()
        subnet = again.book.dhcp_subnet(again.book.subnets()[0].network[0])

        assert {host.mac for host in again.book.dhcp.served(subnet)} == {MAC, OTHER}
        assert site.offered(OTHER) == "10.0.1.4"


class TestTagsBefore291:
    """dnsmasq 2.90 ends itself on SIGHUP once a packet matched a reloadable host with a tag."""

    def test_it_is_restarted_and_not_signalled(self, site, proxy):
        proxy.post(MAC, "10.0.1.3", **BOOT)
        site.network.discover(MAC)
        before, ended = site.restarts, site.log().count("exiting on receipt of SIGTERM")

        assert proxy.post(OTHER, "10.0.1.4") == 200

        assert site.restarts == before + 1
        assert site.log().count("exiting on receipt of SIGTERM") == ended + 1
        assert (site.offered(MAC), site.offered(OTHER)) == ("10.0.1.3", "10.0.1.4")

    def test_without_boot_files_it_is_signalled(self, site, proxy):
        proxy.post(MAC, "10.0.1.3")
        pid, before = site.pid, site.restarts

        assert proxy.post(OTHER, "10.0.1.4") == 200

        assert (site.pid, site.restarts) == (pid, before)
        assert site.offered(OTHER) == "10.0.1.4"

    def test_without_a_command_such_hosts_are_refused(self, site, proxy, proxies):
        cannot = proxies(restart_command=None)

        assert cannot.post(MAC, "10.0.1.3", **BOOT) == 400
        assert "set :restart_command:" in cannot.answer
        assert cannot.post(MAC, "10.0.1.3") == 200

    def test_without_a_command_those_that_are_there_keep_it_from_being_signalled(self, site, proxy, proxies):
        proxy.post(MAC, "10.0.1.3", **BOOT)
        site.network.discover(MAC)
        pid = site.pid

        assert proxies(restart_command=None).post(OTHER, "10.0.1.4") == 503
        assert (site.pid, site.offered(MAC)) == (pid, "10.0.1.3")

    def test_when_it_ended_all_the_same_it_is_started(self, site, proxy, proxies):
        """The settings say 2.91, and what runs may be 2.90."""
        mistaken = proxies(version="2.91")
        mistaken.post(MAC, "10.0.1.3", **BOOT)
        site.network.discover(MAC)

        assert mistaken.post(OTHER, "10.0.1.4") == 200

        assert (site.offered(MAC), site.offered(OTHER)) == ("10.0.1.3", "10.0.1.4")
