"""Kea behind its Control Agent: the same over HTTP, with basic authentication."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from providers.address_book import AddressBook
from providers.dhcp.kea.control import Control
from providers.dhcp.kea.provider import KeaDHCP
from providers.dhcp.kea.settings import KeaSchema
from providers.errors import Unavailable
from tests.ports import free_port
from tests.providers.desk import Desk, mac
from tests.providers.dhcp.kea.running_kea import Kea, kea_directory

SETTINGS = {"user": "leasehold", "password": "secret", "timeout": 30}


@pytest.fixture
def kea() -> Iterator[Kea]:
    """A running Kea."""
    with kea_directory() as directory:
        server = Kea(directory)
        server.add_subnet(1, "10.0.1.0/28")
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def agent(kea: Kea) -> Iterator[str]:
    """The URL of a Control Agent before that Kea."""
    with running_agent(kea, {}, {}) as url:
        yield url


@contextmanager
def running_agent(kea: Kea, own: Mapping[str, object], settings: Mapping[str, object]) -> Iterator[str]:
    """The URL of a Control Agent with ``own`` in its configuration, asked with ``settings``."""
    program = shutil.which("kea-ctrl-agent", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("kea-ctrl-agent not found: apt-get install kea-ctrl-agent")
    port = free_port()
    clients = [{"user": SETTINGS["user"], "password": SETTINGS["password"]}]
    configuration = kea.directory / "agent.conf"
    configuration.write_text(json.dumps({"Control-agent": {
        "http-host": "127.0.0.1", "http-port": port,
        "authentication": {"type": "basic", "realm": "kea", "clients": clients},
        "control-sockets": {"dhcp4": {"socket-type": "unix", "socket-name": str(kea.socket)}}, **own,
    }}))  # fmt: skip
    environ = {**os.environ, "KEA_PIDFILE_DIR": str(kea.directory), "KEA_LOCKFILE_DIR": str(kea.directory)}
    log = kea.directory / "agent.log"
    with log.open("wb") as output:
        process = subprocess.Popen([program, "-c", str(configuration)], env=environ, stdout=output, stderr=output)
    try:
        url = f"http{'s' if own else ''}://127.0.0.1:{port}/"
        control = Control(KeaSchema().load({"control": url, **SETTINGS, **settings}))
        deadline = time.monotonic() + 60
        while True:
            try:
                control.command("version-get")
            except Unavailable:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.02)
            else:
                break
        yield url
    finally:
        process.terminate()
        process.wait(60)


def test_a_reservation_comes_and_goes(address_book: AddressBook, desk: Desk, kea: Kea, agent: str):
    address_book.dhcp = KeaDHCP(
        address_book.book, KeaSchema().load({"control": agent, "include_directory": str(kea.includes), **SETTINGS})
    )
    subnet = desk.add("10.0.1.0/28")
    desk.serve(subnet, "10.0.1.3", 1)
    assert kea.served("10.0.1.0/28") == {mac(1): "10.0.1.3"}
    assert address_book.dhcp.health().detail.startswith("Kea 2.")
    assert list(address_book.leases(subnet)) == []

    kea.stop()
    with pytest.raises(Unavailable):
        desk.serve(subnet, "10.0.1.4", 2)
    kea.start()
    desk.release(subnet, "10.0.1.3")
    assert kea.served("10.0.1.0/28") == {}


def test_a_wrong_password_is_told(agent: str):
    control = Control(KeaSchema().load({"control": agent, **SETTINGS, "password": "wrong"}))
    with pytest.raises(Unavailable, match="does not accept :user: and :password:"):
        control.command("version-get")


def test_both_sides_show_a_certificate(kea: Kea, tmp_path: Path):
    ca, stranger = trustme.CA(), trustme.CA()
    for name, authority in (("ca", ca), ("stranger", stranger)):
        authority.cert_pem.write_to_path(tmp_path / f"{name}.pem")
    for name in ("127.0.0.1", "leasehold"):
        made = ca.issue_cert(name)
        made.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.pem")
        made.private_key_pem.write_to_path(tmp_path / f"{name}.key")
    own = {
        "trust-anchor": str(tmp_path / "ca.pem"), "cert-file": str(tmp_path / "127.0.0.1.pem"),
        "key-file": str(tmp_path / "127.0.0.1.key"), "cert-required": True,
    }  # fmt: skip
    settings = {
        "ca_file": str(tmp_path / "ca.pem"), "certificate": str(tmp_path / "leasehold.pem"),
        "private_key": str(tmp_path / "leasehold.key"),
    }  # fmt: skip
    with running_agent(kea, own, settings) as url:
        strange = {**settings, "ca_file": str(tmp_path / "stranger.pem")}
        with pytest.raises(Unavailable, match="over TLS"):
            Control(KeaSchema().load({"control": url, **SETTINGS, **strange})).command("version-get")
        nobody = {"ca_file": settings["ca_file"]}
        with pytest.raises(Unavailable):
            Control(KeaSchema().load({"control": url, **SETTINGS, **nobody})).command("version-get")
