"""Who sent a request, directly or through a reverse proxy that is listed or not."""

from __future__ import annotations

import base64
import ssl
from urllib.parse import quote

import pytest
import trustme
from flask import request
from netaddr import IPNetwork

from providers.errors import InvalidValue
from proxy.app import create_app
from proxy.peer import Certificate, Peer, peer_of, read_certificate
from proxy.settings import load

PROXY, INNER, CLIENT = "127.0.0.1", "10.0.0.5", "192.0.2.7"
FOREMAN = "foreman.example.org"


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def pem(authority):
    return authority.issue_cert(FOREMAN, "foreman", common_name=FOREMAN).cert_chain_pems[0].bytes().decode()


@pytest.fixture(scope="module")
def settings():
    return load(environ={}, tls_proxies=[PROXY, "10.0.0.0/29", "::1"])


def environ(address=PROXY, scheme="http", **headers):
    names = {name: f"HTTP_{name.upper()}" for name in headers}
    return {"REMOTE_ADDR": address, "wsgi.url_scheme": scheme} | {
        names[name]: value for name, value in headers.items() if value is not None
    }


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_direct_client(settings, scheme):
    assert peer_of(environ(CLIENT, scheme), settings) == Peer(CLIENT, scheme, None)


def test_a_client_on_the_machine_of_a_listed_proxy(settings):
    assert peer_of(environ(PROXY), settings) == Peer(PROXY, "http", None)


@pytest.mark.parametrize(
    ("written", "meant"), [("::ffff:192.0.2.7", CLIENT), ("2001:DB8:0::7", "2001:db8::7"), ("fe80::1%eth0", "fe80::1")]
)
def test_an_address_has_one_spelling(settings, written, meant):
    assert peer_of(environ(written), settings).address == meant


def test_ipv4_over_an_ipv6_socket_is_listed_as_ipv4(settings):
    assert peer_of(environ("::ffff:127.0.0.1", x_forwarded_for=CLIENT), settings).address == CLIENT


@pytest.mark.parametrize(
    ("told", "address"),
    [
        (CLIENT, CLIENT),
        ("2001:db8::7", "2001:db8::7"),
        (f" {CLIENT} ", CLIENT),
        (f"198.51.100.1, {CLIENT}", CLIENT),
        (f"198.51.100.1,{CLIENT},{INNER}", CLIENT),
        (f"nonsense, {CLIENT}, {INNER}", CLIENT),
        (f"{INNER},{PROXY}", INNER),
        (PROXY, PROXY),
    ],
)
def test_the_last_address_that_no_listed_proxy_has(settings, told, address):
    assert peer_of(environ(x_forwarded_for=told), settings) == Peer(address, "http", None)


@pytest.mark.parametrize("told", ["nonsense", f"{CLIENT}:80", "unknown", f"{CLIENT}, _hidden", "\x00"])
def test_an_address_that_cannot_be_read(settings, told):
    with pytest.raises(InvalidValue, match="X-Forwarded-For"):
        peer_of(environ(x_forwarded_for=told), settings)


@pytest.mark.parametrize(("told", "scheme"), [("https", "https"), ("HTTP", "http"), ("http, https", "https")])
def test_the_scheme_that_a_listed_proxy_tells(settings, told, scheme):
    assert peer_of(environ(x_forwarded_for=CLIENT, x_forwarded_proto=told), settings).scheme == scheme


@pytest.mark.parametrize("told", ["", "ftp", "https,"])
def test_a_scheme_that_cannot_be_read(settings, told):
    with pytest.raises(InvalidValue, match="X-Forwarded-Proto"):
        peer_of(environ(x_forwarded_proto=told), settings)


def test_nothing_is_believed_of_others(settings, pem):
    told = {
        "x_forwarded_for": PROXY,
        "x_forwarded_proto": "https",
        "x_ssl_client_verify": "SUCCESS",
        "x_ssl_client_cert": quote(pem),
    }
    assert peer_of(environ(CLIENT, **told), settings) == Peer(CLIENT, "http", None, hidden=True)


@pytest.mark.parametrize(
    "header", ["x_forwarded_for", "x_forwarded_proto", "x_forwarded_host", "x_real_ip", "forwarded", "via"]
)
def test_whoever_is_passed_on_by_an_unlisted_proxy_is_hidden(header):
    assert peer_of(environ(PROXY, **{header: CLIENT}), load(environ={})) == Peer(PROXY, "http", None, hidden=True)


@pytest.mark.parametrize("told", [None, "", " , "])
def test_whoever_a_listed_proxy_does_not_name_is_hidden(settings, told):
    assert peer_of(environ(x_forwarded_for=told, x_forwarded_proto="http"), settings).hidden


@pytest.mark.parametrize("loopback", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize(("sender", "behind"), [(INNER, ""), (PROXY, f", {INNER}"), (INNER, f", {PROXY}")])
def test_loopback_on_another_machine_is_hidden(settings, loopback, sender, behind):
    assert peer_of(environ(sender, x_forwarded_for=f"{loopback}{behind}"), settings).hidden


def test_loopback_that_only_this_machine_passed_on_is_not_hidden(settings):
    assert not peer_of(environ(PROXY, x_forwarded_for=f"::1, {PROXY}"), settings).hidden


def test_an_address_that_is_none(settings):
    assert peer_of(environ("/run/socket"), settings) == Peer("/run/socket", "http", None, hidden=True)


class TestCertificate:
    def told(self, settings, certificate, verify="SUCCESS", proto="https"):
        headers = {"x_ssl_client_verify": verify, "x_ssl_client_cert": certificate, "x_forwarded_proto": proto}
        return peer_of(environ(x_forwarded_for=CLIENT, **headers), settings).certificate

    def test_as_nginx_sends_it(self, settings, pem):
        assert self.told(settings, quote(pem, safe="")) == Certificate(FOREMAN, (FOREMAN, "foreman"))

    def test_as_haproxy_sends_it(self, settings, pem):
        der = base64.b64encode(ssl.PEM_cert_to_DER_cert(pem)).decode()
        assert self.told(settings, der) == Certificate(FOREMAN, (FOREMAN, "foreman"))

    @pytest.mark.parametrize("verify", [None, "", "NONE", "FAILED:expired", "0", "success", "SUCCESS,SUCCESS"])
    def test_one_that_was_not_verified(self, settings, pem, verify):
        assert self.told(settings, quote(pem), verify) is None

    def test_one_over_http(self, settings, pem):
        assert self.told(settings, quote(pem), proto="http") is None

    def test_an_empty_header_is_no_certificate(self, settings):
        assert self.told(settings, "") is None
        assert self.told(settings, None) is None

    @pytest.mark.parametrize(
        "text", ["nonsense", "AAAA", "MIIB", "-----BEGIN%20CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\n!\n"]
    )
    def test_one_that_cannot_be_read(self, settings, text):
        with pytest.raises(InvalidValue):
            self.told(settings, text)

    def test_one_with_something_behind_it(self, settings, pem):
        der = ssl.PEM_cert_to_DER_cert(pem)
        with pytest.raises(InvalidValue):
            self.told(settings, base64.b64encode(der + b"more").decode())

    def test_names_of_a_certificate_are_its_cn_and_dns_names_if_they_are_printable(self, authority):
        def names(*identities, common_name=None):
            made = authority.issue_cert(*identities, common_name=common_name).cert_chain_pems[0].bytes().decode()
            return read_certificate(ssl.PEM_cert_to_DER_cert(made))

        assert names("a.example.org", "192.0.2.1", "x@example.org") == Certificate(None, ("a.example.org",))
        assert names(common_name="Some Body/CN=b") == Certificate("Some Body/CN=b", ())
        assert names(common_name="a\nb") == Certificate(None, ())


class TestApplication:
    @pytest.fixture
    def client(self, address_book, settings):
        return create_app(address_book, settings).test_client()

    def test_headers_that_cannot_be_read_are_400(self, client):
        answer = client.get("/features", headers={"X-Forwarded-For": "nonsense"})
        assert answer.status_code == 400
        assert "X-Forwarded-For" in answer.text

    def test_the_application_sees_the_client(self, address_book, settings):
        app = create_app(address_book, settings)
        seen = []
        app.before_request(lambda: seen.append((request.remote_addr, request.scheme)))
        app.test_client().get("/features", headers={"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "https"})
        assert seen == [(CLIENT, "https")]


def test_it_is_asked_once(settings):
    given = environ(x_forwarded_for=CLIENT)
    first = peer_of(given, settings)
    given["REMOTE_ADDR"] = first.address
    assert peer_of(given, settings) is first


def test_the_settings_take_addresses_and_networks(settings):
    assert settings.tls_proxies == (IPNetwork("127.0.0.1/32"), IPNetwork("10.0.0.0/29"), IPNetwork("::1/128"))
