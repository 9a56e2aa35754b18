"""A real service with gateways, and a host on which vmadm is made up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from netaddr import IPAddress, IPNetwork

from providers.model import Options, SubnetSpec
from tests.hooks.host import Host
from tests.hooks.running_service import running_service
from tests.service.running import Service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, empty_book_file: Path) -> Iterator[Service]:
    """A service with two subnets that have a gateway and one that has none, one that is full, and IPv6."""
    networks = [
        SubnetSpec(IPNetwork("10.0.1.0/24"), "Lab", options=Options(gateway=IPAddress("10.0.1.1"))),
        SubnetSpec(IPNetwork("10.0.2.0/23"), "Lab", options=Options(gateway=IPAddress("10.0.2.1"))),
        "10.0.8.0/24",
        "10.0.9.1/32",
        "2001:db8:1::/64",
    ]
    with running_service(tmp_path_factory.mktemp("service"), empty_book_file, *networks) as running:
        yield running


@pytest.fixture
def host(service: Service, tmp_path: Path) -> Host:
    """A host of its own for each test."""
    url = f"http://127.0.0.1:{service.port}"
    return Host(tmp_path / "host", url, node=tmp_path.name, nic_tags={"admin": "10.0.2.0/23", "bare": "10.0.8.0/24"})
