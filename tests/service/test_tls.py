"""TLS in the service itself: who gets in, what is refused, and certificates that are renewed while it runs."""

from __future__ import annotations

import re
import signal
import socket
import ssl
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from crowd import Client, Crowd, Milestones
from running import Service
from secure import FOREMAN, Site, TLSClient, served_serial

from tests.ports import free_port

CLIENTS = 8
TURNS = 60


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A CA and the certificate of the service."""
    return Site(tmp_path)


@pytest.fixture
def https(stopped_service: Service, site: Site) -> int:
    """The port for HTTPS of ``stopped_service``, which still has to be started."""
    return site.equip(stopped_service)


def test_a_client_with_a_certificate(stopped_service: Service, site: Site, https: int) -> None:
    stopped_service.start()
    client = TLSClient(https, site.context(site.client(FOREMAN, common_name=FOREMAN)))

    assert client.get("/dhcp").json[0]["network"] == "10.0.0.0"
    assert client.get("/v2/features").json["dhcp"]["https_enabled"] is True


def test_a_client_without_one_sees_the_open_paths_only(stopped_service: Service, site: Site, https: int) -> None:
    stopped_service.start()
    client = TLSClient(https, site.context())

    assert client.get("/features").status == 200
    answer = client.get("/dhcp")
    assert (answer.status, answer.body) == (403, "No client SSL certificate supplied")


def test_a_certificate_of_another_ca_fails_the_handshake(stopped_service: Service, site: Site, https: int) -> None:
    stopped_service.start()
    client = TLSClient(https, site.context(site.client(FOREMAN, common_name=FOREMAN, authority=trustme.CA())))

    with pytest.raises(ssl.SSLError, match="UNKNOWN_CA"):
        client.get("/features")
    stopped_service.wait_for_log("TLS with 127.0.0.1 failed: unable to get local issuer certificate")


def test_an_expired_certificate_fails_the_handshake(stopped_service: Service, site: Site, https: int) -> None:
    stopped_service.start()
    now = datetime.now(UTC)
    expired = site.client(FOREMAN, not_before=now - timedelta(days=9), not_after=now - timedelta(days=1))

    with pytest.raises(ssl.SSLError, match="EXPIRED"):
        TLSClient(https, site.context(expired)).get("/features")
    stopped_service.wait_for_log("TLS with 127.0.0.1 failed: certificate has expired")


@pytest.mark.parametrize(
    ("names", "common_name", "status"),
    [((), FOREMAN, 200), ((FOREMAN,), None, 200), (("other.example.org",), "other.example.org", 403)],
    ids=["CN", "SAN only", "untrusted"],
)
def test_trusted_hosts(
    stopped_service: Service, site: Site, https: int, names: tuple[str, ...], common_name: str | None, status: int
) -> None:
    stopped_service.environ["LEASEHOLD_TRUSTED_HOSTS"] = FOREMAN
    stopped_service.start()
    client = TLSClient(https, site.context(site.client(*names, common_name=common_name)))

    assert client.get("/dhcp").status == status


@pytest.mark.parametrize("disabled", ["1.2", "1.3"])
def test_a_disabled_version(stopped_service: Service, site: Site, https: int, disabled: str) -> None:
    stopped_service.environ["LEASEHOLD_TLS_DISABLED_VERSIONS"] = disabled
    stopped_service.start()
    spoken = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
    answered = []
    for number, version in spoken.items():
        context = site.context()
        context.minimum_version = context.maximum_version = version
        try:
            answered.append((number, TLSClient(https, context).get("/features").status))
        except ssl.SSLError:
            answered.append((number, 0))

    assert dict(answered) == {number: 0 if number == disabled else 200 for number in spoken}


def test_a_disabled_cipher(stopped_service: Service, site: Site, https: int) -> None:
    stopped_service.environ["LEASEHOLD_SSL_DISABLED_CIPHERS"] = "ECDHE-ECDSA-AES128-GCM-SHA256"
    stopped_service.start()
    answered = {}
    for cipher in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"):
        context = site.context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(cipher)
        try:
            answered[cipher] = TLSClient(https, context).get("/features").status
        except ssl.SSLError:
            answered[cipher] = 0

    assert answered == {"ECDHE-ECDSA-AES128-GCM-SHA256": 0, "ECDHE-ECDSA-AES256-GCM-SHA384": 200}


def test_plain_http_on_the_port_for_https(stopped_service: Service, site: Site, https: int) -> None:
    stopped_service.start()
    with socket.create_connection(("127.0.0.1", https), timeout=60) as connection:
        connection.sendall(b"GET /features HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"HTTP/1" not in connection.recv(1024)

    stopped_service.wait_for_log("TLS with 127.0.0.1 failed: http request")
    assert TLSClient(https, site.context()).get("/features").status == 200


def test_a_module_on_https_only(stopped_service: Service, site: Site, https: int) -> None:
    stopped_service.environ["LEASEHOLD_DHCP_ENABLED"] = "https"
    stopped_service.start()

    assert TLSClient(https, site.context(site.client(FOREMAN))).get("/dhcp").status == 200
    assert Client(stopped_service.port).get("/dhcp").status == 404


def test_a_certificate_alone_switches_http_off(stopped_service: Service, site: Site, https: int) -> None:
    del stopped_service.environ["LEASEHOLD_HTTP_PORT"]
    stopped_service.port = https
    stopped_service.start()

    assert TLSClient(https, site.context()).get("/features").status == 200
    (line,) = stopped_service.lines("Leasehold ", "https://")
    assert "http://" not in line


def test_an_ipv6_listener(stopped_service: Service, site: Site, https: int) -> None:
    stopped_service.environ |= {"LEASEHOLD_BIND_HOST": "127.0.0.1,::1", "LEASEHOLD_TRUSTED_HOSTS": FOREMAN}
    stopped_service.start()
    with (
        socket.create_connection(("::1", https), timeout=60) as plain,
        site.context(site.client(FOREMAN)).wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        connection.sendall(b"GET /dhcp HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert connection.recv(1024).startswith(b"HTTP/1.1 200 OK\r\n")

    stopped_service.wait_for_log('::1 "GET /dhcp HTTP/1.1" 200')


@pytest.mark.race
def test_renewal_under_load(stopped_service: Service, site: Site, https: int) -> None:
    stopped_service.start()
    client = TLSClient(https, site.context(site.client(FOREMAN, common_name=FOREMAN)))
    progress = Milestones()

    def ask(_: int) -> list[int]:
        statuses = []
        for _turn in range(TURNS):
            statuses.append(client.get("/dhcp").status)
            progress.passed()
        return statuses

    crowd = Crowd(CLIENTS, ask)
    serial = 0
    for reloads in range(1, 4):
        progress.wait_for(CLIENTS * TURNS // 5)
        serial = site.renew()
        stopped_service.signal(signal.SIGHUP)
        stopped_service.wait_for_log("Booting worker", times=2 + 2 * reloads)
    statuses = Counter(status for each in crowd.results() for status in each)

    assert statuses == {200: CLIENTS * TURNS}
    stopped_service.wait_for_log("Worker exiting", times=6)
    assert served_serial(https, site.ca) == serial


def test_a_renewed_ca_is_trusted_instead_of_the_old_one(stopped_service: Service, site: Site, https: int) -> None:
    stopped_service.start()
    context = site.context(site.client(FOREMAN))
    other = trustme.CA()
    new_context = site.context(site.client(FOREMAN, authority=other))

    other.cert_pem.write_to_path(str(site.ca))
    stopped_service.signal(signal.SIGHUP)
    stopped_service.wait_for_log("Worker exiting", times=2)

    assert TLSClient(https, new_context).get("/dhcp").status == 200
    with pytest.raises(ssl.SSLError):
        TLSClient(https, context).get("/dhcp")


def test_a_broken_new_certificate_leaves_the_old_one(stopped_service: Service, site: Site, https: int) -> None:
    stopped_service.start()
    serial = served_serial(https, site.ca)

    site.certificate.write_text("-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n")
    stopped_service.signal(signal.SIGHUP)
    stopped_service.wait_for_log("Worker exiting", times=2)
    assert served_serial(https, site.ca) == serial
    # A worker that has to be replaced later gets the old one too.
    stopped_service.kill_a_worker()
    stopped_service.wait_for_log("Booting worker", times=5)
    assert served_serial(https, site.ca) == serial

    (complaint,) = stopped_service.lines("Settings not read again, the old ones stay")
    assert str(site.certificate) in complaint


def test_other_ports_wait_for_the_next_start(stopped_service: Service, site: Site) -> None:
    settings = stopped_service.state_dir / "settings.yml"
    settings.write_text(":threads: 4\n")
    stopped_service.environ["LEASEHOLD_CONFIG"] = str(settings)
    stopped_service.start()

    settings.write_text(
        f":ssl_certificate: {site.certificate}\n:ssl_private_key: {site.key}\n:ssl_ca_file: {site.ca}\n"
    )
    stopped_service.signal(signal.SIGHUP)
    stopped_service.wait_for_log("Worker exiting", times=2)

    assert Client(stopped_service.port).get("/features").status == 200
    assert len(stopped_service.lines("The listeners stay as they are until the next start")) == 1


def test_the_ca_of_the_guide(stopped_service: Service, tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "tls.md").read_text()
    (commands,) = re.findall(r"^```sh\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    subprocess.run(["/bin/sh", "-e", "-c", commands], cwd=tmp_path, check=True, capture_output=True)
    https = free_port()
    stopped_service.environ |= {
        "LEASEHOLD_HTTPS_PORT": str(https),
        "LEASEHOLD_SSL_CERTIFICATE": "proxy.pem",
        "LEASEHOLD_SSL_PRIVATE_KEY": "proxy.key",
        "LEASEHOLD_SSL_CA_FILE": "ca.pem",
        "LEASEHOLD_TRUSTED_HOSTS": FOREMAN,
    }
    stopped_service.start()
    context = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    context.load_cert_chain(tmp_path / "foreman.pem", tmp_path / "foreman.key")
    with (
        socket.create_connection(("127.0.0.1", https), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname="proxy.example.org") as connection,
    ):
        connection.sendall(b"GET /dhcp HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert connection.recv(1024).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.usefixtures("https")
def test_a_key_with_a_passphrase_does_not_wait_for_somebody_to_type_it(stopped_service: Service, site: Site) -> None:
    locked = site.directory / "locked.pem"
    subprocess.run(
        ["openssl", "pkey", "-in", site.key, "-aes256", "-passout", "pass:hush", "-out", locked],
        check=True,
        capture_output=True,
    )
    stopped_service.environ["LEASEHOLD_SSL_PRIVATE_KEY"] = str(locked)
    stopped_service.begin()

    assert stopped_service.wait() == 5
    (complaint,) = stopped_service.log().splitlines()
    assert "passphrase" in complaint


def test_a_port_for_https_in_use(stopped_service: Service, site: Site, https: int) -> None:
    with socket.socket() as other:
        # As the one that keeps the port for this test has it; a listener shares with nobody.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", https))
        other.listen()
        stopped_service.begin()

        assert stopped_service.wait() == 5
    assert f"port {https}" in stopped_service.log()
    assert ":https_port:" in stopped_service.log()
