"""The service behind a real nginx and a real HAProxy with our sample files; and what forged headers are worth."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme
from crowd import Client
from front import Front, HAProxy, Nginx
from running import Service
from secure import FOREMAN, Site, TLSClient
from slow import BODY, HEAD, HELLO, slow_clients

SLOW = 200
PROMPT = 12.0
"""In seconds; whoever had to wait for the slow clients would wait for 15, as the samples give them."""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A CA and the certificate of the reverse proxy."""
    return Site(tmp_path)


@pytest.fixture
def behind(stopped_service: Service) -> Service:
    """A service that believes 127.0.0.1 and trusts Foreman only."""
    stopped_service.environ |= {"LEASEHOLD_TLS_PROXIES": "127.0.0.1", "LEASEHOLD_TRUSTED_HOSTS": FOREMAN}
    stopped_service.start()
    return stopped_service


@pytest.fixture(params=[Nginx, HAProxy], ids=["nginx", "haproxy"])
def front(request: pytest.FixtureRequest, site: Site, behind: Service) -> Iterator[Front]:
    """A reverse proxy in front of ``behind``."""
    made = request.param(site, behind.port)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def test_a_trusted_client(front: Front, site: Site) -> None:
    client = TLSClient(front.port, site.context(site.client(FOREMAN, common_name=FOREMAN)))

    assert client.get("/dhcp").json[0]["network"] == "10.0.0.0"


def test_a_client_that_is_trusted_by_san(front: Front, site: Site) -> None:
    assert TLSClient(front.port, site.context(site.client(FOREMAN))).get("/dhcp").status == 200


def test_a_client_that_is_not_trusted(front: Front, site: Site) -> None:
    client = TLSClient(front.port, site.context(site.client(common_name="other.example.org")))

    answer = client.get("/dhcp")
    assert answer.status == 403
    assert "trusted_hosts" in answer.body


def test_a_client_without_a_certificate(front: Front, site: Site) -> None:
    client = TLSClient(front.port, site.context())

    assert client.get("/features").status == 200
    assert client.get("/dhcp").status == 403


def test_a_client_of_another_ca(front: Front, site: Site) -> None:
    client = TLSClient(front.port, site.context(site.client(FOREMAN, authority=trustme.CA())))

    assert _refused(client)


def test_a_client_that_has_expired(front: Front, site: Site) -> None:
    now = datetime.now(UTC)
    expired = site.client(FOREMAN, not_before=now - timedelta(days=9), not_after=now - timedelta(days=1))

    assert _refused(TLSClient(front.port, site.context(expired)))


def test_headers_of_the_client_do_not_get_through(front: Front, site: Site, behind: Service) -> None:
    forged = _forged(site)
    client = TLSClient(front.port, site.context())
    marked = {"X-Request-Id": "forged-1"}

    assert client.send("GET", "/dhcp", forged).status == 403
    assert client.send("GET", "/features", {"X-Forwarded-For": "192.0.2.7", **marked}).status == 200
    behind.wait_for_log("GET /features .*forged-1")
    assert "192.0.2.7" not in behind.log()


def test_headers_with_underscores_do_not_get_through(front: Front, site: Site) -> None:
    forged = {name.replace("-", "_"): value for name, value in _forged(site).items()}

    assert TLSClient(front.port, site.context()).send("GET", "/dhcp", forged).status == 403


def test_the_path_arrives_as_it_was_sent(front: Front, site: Site, behind: Service) -> None:
    assert behind.command("subnet", "add", "10.9.0.0/24", "--group", "A/B C").returncode == 0
    client = TLSClient(front.port, site.context(site.client(FOREMAN)))

    assert client.get("/ipam//groups/A%2FB+C").json["name"] == "A/B C"


def test_a_module_on_https_only(site: Site, stopped_service: Service) -> None:
    stopped_service.environ |= {"LEASEHOLD_TLS_PROXIES": "127.0.0.1", "LEASEHOLD_DHCP_ENABLED": "https"}
    stopped_service.start()
    nginx = Nginx(site, stopped_service.port)
    try:
        nginx.start()
        assert TLSClient(nginx.port, site.context(site.client(FOREMAN))).get("/dhcp").status == 200
        assert Client(stopped_service.port).get("/dhcp").status == 404
    finally:
        nginx.stop()


@pytest.mark.parametrize("listed", ["", "192.0.2.1"], ids=["nobody is listed", "another is listed"])
def test_forged_headers_from_an_unlisted_address(stopped_service: Service, site: Site, listed: str) -> None:
    stopped_service.environ |= {
        "LEASEHOLD_TLS_PROXIES": listed,
        "LEASEHOLD_TRUSTED_HOSTS": FOREMAN,
        "LEASEHOLD_DHCP_ENABLED": "https",
    }
    https = site.equip(stopped_service)
    stopped_service.start()

    forged = _forged(site)
    assert Client(stopped_service.port).send("GET", "/dhcp", None, forged).status == 404
    assert TLSClient(https, site.context()).send("GET", "/dhcp", forged).status == 403
    own = TLSClient(https, site.context(site.client("other.example.org")))
    assert own.send("GET", "/dhcp", forged).status == 403


def test_somebody_who_is_passed_on_by_an_unlisted_proxy_is_not_this_machine(service: Service) -> None:
    passed_on = {"X-Forwarded-For": "192.0.2.7"}

    assert Client(service.port).send("DELETE", "/dhcp/10.0.0.0/ip/10.0.0.9").status == 200
    assert Client(service.port).send("DELETE", "/dhcp/10.0.0.0/ip/10.0.0.9", None, passed_on).status == 403


@pytest.mark.parametrize("sent", [HEAD, BODY], ids=["head", "body"])
def test_slow_clients_delay_nobody(front: Front, site: Site, sent: bytes) -> None:
    client = TLSClient(front.port, site.context(site.client(FOREMAN)))

    with slow_clients(front.port, sent, SLOW, site.context()):
        begin = time.monotonic()
        assert [client.get("/dhcp").status for _ in range(20)] == [200] * 20
        assert time.monotonic() - begin < PROMPT


def test_slow_handshakes_delay_nobody(front: Front, site: Site) -> None:
    with slow_clients(front.port, HELLO, SLOW):
        begin = time.monotonic()
        assert TLSClient(front.port, site.context()).get("/features").status == 200
        assert time.monotonic() - begin < PROMPT


def _refused(client: TLSClient) -> bool:
    """nginx answers 400 where others fail the handshake."""
    try:
        return client.get("/features").status == 400
    except (ssl.SSLError, ConnectionResetError):
        return True


def _forged(site: Site) -> dict[str, str]:
    certificate = site.client(FOREMAN, common_name=FOREMAN).read_text()
    pem = certificate[certificate.index("-----BEGIN CERTIFICATE") :]
    return {
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Proto": "https",
        "X-SSL-Client-Verify": "SUCCESS",
        "X-SSL-Client-Cert": quote(pem, safe=""),
    }
