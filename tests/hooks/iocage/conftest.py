"""A real service for all tests of a module, and a host with jails of iocage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hooks.host import Host
from tests.hooks.running_service import running_service
from tests.service.running import Service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, empty_book_file: Path) -> Iterator[Service]:
    """A service with room, with one address, and with IPv6."""
    networks = ("10.0.1.0/24", "10.0.2.0/24", "10.0.3.1/32", "2001:db8:1::/64")
    with running_service(tmp_path_factory.mktemp("service"), empty_book_file, *networks) as running:
        yield running


@pytest.fixture
def host(service: Service, tmp_path: Path) -> Host:
    """A host that has no jails yet; its name is that of the test, so that nobody else has the same guests."""
    return Host(tmp_path / "host", f"http://127.0.0.1:{service.port}", node=tmp_path.name)
