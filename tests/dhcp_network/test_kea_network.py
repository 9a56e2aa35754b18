"""Kea with the sample configuration, clients on a network, and reservations through POST /dhcp."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.dhcp_network import Network
from tests.dhcp_network.kea_on_the_wire import KeaOnTheWire
from tests.providers.dhcp.kea.named_kea import NamedKea, kea_database, named_root
from tests.providers.dhcp.kea.running_kea import Kea, kea_directory

SAMPLE = Path(__file__).parents[2] / "config" / "kea-dhcp4.conf"
_SAMPLE_HOOK = "/usr/lib/x86_64-linux-gnu/kea/hooks/libdhcp_lease_cmds.so"


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    """A link on which Kea is 10.0.1.1."""
    with Network("10.0.1.1/24") as made:
        yield made


@contextmanager
def with_the_sample(server: Kea, network: Network) -> Iterator[Kea]:
    """Runs it with the sample, but for places."""
    text = SAMPLE.read_text()
    for stock, own in {
        '"eth0"': '"server0"',
        "/run/kea/kea4-ctrl-socket": str(server.socket),
        "/var/lib/kea/kea-leases4.csv": str(server.lease_file),
        _SAMPLE_HOOK: server.hook("libdhcp_lease_cmds.so"),
        "/etc/kea/leasehold": str(server.includes),
        '"syslog"': '"stdout"',
    }.items():
        assert stock in text
        text = text.replace(stock, own)
    server.text = text
    (server.includes / "10.0.1.0-24.json").write_text("[]\n")
    with running(server, network):
        yield server


@contextmanager
def running(server: Kea, network: Network) -> Iterator[None]:
    """Runs it on its side of the network."""
    server.start(network.server.command())
    try:
        yield
    finally:
        server.stop()


class TestKea(KeaOnTheWire):
    """With the sample configuration."""

    @pytest.fixture
    def kea(self, network: Network) -> Iterator[Kea]:
        """Debian's."""
        with kea_directory() as directory, with_the_sample(Kea(directory), network) as server:
            yield server

    def test_leases_in_the_lease_file_are_seen_too(self, network, kea, open_proxy, settings):
        settings["leases"] = str(kea.lease_file)
        self.test_what_kea_leased_is_listed_and_not_suggested(network, kea, open_proxy)


class TestNamedKeaWithTheSample(KeaOnTheWire):
    """A newer one by files, with the sample configuration."""

    # Not skipped where the environment names none, but not there.
    __test__ = named_root() is not None

    @pytest.fixture
    def kea(self, network: Network) -> Iterator[Kea]:
        """That of the environment, without host_cmds."""
        with kea_directory() as directory, with_the_sample(NamedKea(directory, host_commands=False), network) as server:
            yield server


class TestNamedKeaInMemory(KeaOnTheWire):
    """A newer one by host_cmds."""

    __test__ = named_root() is not None

    @pytest.fixture
    def database(self) -> str | None:
        """Where its reservations are; None: in its memory and its configuration file."""
        return None

    @pytest.fixture
    def kea(self, network: Network, database: str | None) -> Iterator[Kea]:
        """That of the environment, with options and pool as in the sample."""
        with kea_directory() as directory:
            server = NamedKea(directory, interfaces=["server0"], database=database)
            options = {"routers": "10.0.1.1", "domain-name-servers": "10.0.1.2"}
            server.add_subnet(
                7, "10.0.1.0/24", pools=[{"pool": "10.0.1.200 - 10.0.1.250"}],
                **{"option-data": [{"name": name, "data": data} for name, data in options.items()]},
            )  # fmt: skip
            with running(server, network):
                yield server


class TestNamedKeaInDatabase(TestNamedKeaInMemory):
    """The same with a hosts database."""

    @pytest.fixture
    def database(self) -> Iterator[str]:
        with kea_database() as url:
            yield url
