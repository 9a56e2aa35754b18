"""The network itself: what it offers to the tests of DHCP servers, and that nothing of it is left behind."""

from __future__ import annotations

import os
import select
import socket
import subprocess

import pytest

from tests.dhcp_network import Message, Network, need_program
from tests.dhcp_network.message import ACK, BOOT_FILE, HOSTNAME, OVERLOAD

MAC, OTHER = "52:54:00:00:00:01", "52:54:00:00:00:02"


@pytest.fixture
def network():
    with Network() as made:
        yield made


@pytest.fixture
def server(network, tmp_path):
    """A dnsmasq that knows MAC, and serves addresses from .100 to everybody else."""
    configuration = tmp_path / "dnsmasq.conf"
    configuration.write_text(
        "port=0\nno-ping\nuser=root\ninterface=server0\nbind-interfaces\nlog-facility=-\n"
        "dhcp-range=10.77.0.100,10.77.0.120,1h\ndhcp-option=option:dns-server,10.77.0.53\n"
        f"dhcp-host={MAC},10.77.0.10,web01\ndhcp-boot=pxelinux.0,,10.77.0.9\n"
        f"dhcp-leasefile={tmp_path / 'leases'}\n"
    )
    running = network.server.start(
        [need_program("dnsmasq", "dnsmasq-base"), "--keep-in-foreground", "--conf-file=" + str(configuration)],
        log=tmp_path / "dnsmasq.log",
    )
    running.wait_for_log("started")
    return running


def test_a_discover_is_answered_in_every_field(network, server):
    offer = network.discover(MAC)

    assert offer is not None
    assert (str(offer.yiaddr), str(offer.siaddr), offer.boot_file) == ("10.77.0.10", "10.77.0.9", "pxelinux.0")
    assert (offer.hostname, offer.routers, offer.dns) == ("web01", ["10.77.0.1"], ["10.77.0.53"])


def test_a_lease_is_granted_and_given_back(network, server):
    client = network.raw_client()

    ack = client.lease(OTHER)
    assert ack is not None
    assert ack.kind == ACK
    client.release(OTHER, ack)

    server.wait_for_log(f"DHCPRELEASE.*{ack.yiaddr}")


@pytest.mark.parametrize("client", ["udhcpc", "dhclient"])
def test_a_real_client_tells_what_it_was_told(network, server, tmp_path, client):
    told = getattr(network, client)(MAC, tmp_path)

    assert (told.address, told.next_server, told.boot_file) == ("10.77.0.10", "10.77.0.9", "pxelinux.0")
    assert (told.hostname, told.routers, told.dns) == ("web01", ["10.77.0.1"], ["10.77.0.53"])


def test_the_raw_client_goes_on_after_another_client_took_the_link_down(network, server, tmp_path):
    assert network.discover(MAC) is not None
    network.udhcpc(OTHER, tmp_path)

    assert network.discover(MAC) is not None


def test_nobody_answers_where_no_server_is(network, tmp_path):
    assert network.discover(MAC, seconds=0.2) is None
    assert network.udhcpc(MAC, tmp_path, seconds=1) is None


def test_a_socket_that_is_opened_inside_speaks_to_a_server_inside(network):
    with network.server.entered():
        listening = socket.create_server(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        inside = socket.create_connection(("127.0.0.1", port), 5)
    with listening, inside, socket.socket() as outside:
        listening.accept()[0].close()
        # Somebody else may have that port outside, but it is not this server.
        outside.connect_ex(("127.0.0.1", port))
        assert not select.select([listening], [], [], 0)[0]


def test_nothing_is_left_when_a_test_fails(tmp_path):
    started = []

    def fail() -> None:
        with Network() as network:
            started.append((network, network.server.start(["sleep", "60"], log=tmp_path / "log")))
            raise AssertionError("as a failing test does")

    with pytest.raises(AssertionError):
        fail()

    network, running = started[0]
    names = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    assert network.server.name not in names
    assert network.client.name not in names
    with pytest.raises(ProcessLookupError):
        os.kill(running.pid, 0)


def test_options_that_were_moved_into_the_header_are_found_again():
    plain = Message(1, MAC, {OVERLOAD: b"\x03"}, file=b"\x43\x01a\xff", sname=b"\x43\x01b\x0c\x01c\xff")

    read = Message.decode(plain.encode())

    assert (read.options[BOOT_FILE], read.options[HOSTNAME], read.file, read.sname) == (b"ab", b"c", b"", b"")
