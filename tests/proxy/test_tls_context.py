"""Files that cannot be used stop the start with one line that names them."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from providers.errors import Misconfigured
from proxy.settings import load
from proxy.tls import server_context


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    for name in ("one", "two"):
        certificate = authority.issue_cert("127.0.0.1")
        certificate.private_key_pem.write_to_path(str(place / f"{name}.key"))
        certificate.cert_chain_pems[0].write_to_path(str(place / f"{name}.pem"))
    authority.cert_pem.write_to_path(str(place / "ca.pem"))
    (place / "text").write_text("hush")
    (place / "broken").write_text("-----BEGIN CERTIFICATE-----\nhush\n-----END CERTIFICATE-----\n")
    (place / "broken.key").write_text("-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n")
    return place


def context(made: Path, certificate="one.pem", key="one.key", ca="ca.pem", **more):
    return server_context(
        load(environ={}, ssl_certificate=made / certificate, ssl_private_key=made / key, ssl_ca_file=made / ca, **more)
    )


def test_without_a_certificate_there_is_none():
    assert server_context(load(environ={})) is None


def test_it_asks_for_a_client_certificate_and_speaks_new_versions_only(made):
    found = context(made)
    assert found.verify_mode is ssl.CERT_OPTIONAL
    assert found.minimum_version is ssl.TLSVersion.TLSv1_2
    assert found.num_tickets == 0


@pytest.mark.parametrize(
    ("files", "key", "file", "reason"),
    [
        ({"certificate": "none"}, "ssl_certificate", "none", "No such file"),
        ({"certificate": "text"}, "ssl_certificate", "text", "holds no certificate"),
        ({"certificate": "broken"}, "ssl_certificate", "broken", "cannot be used"),
        ({"key": "none"}, "ssl_private_key", "none", "No such file"),
        ({"key": "one.pem"}, "ssl_private_key", "one.pem", "holds no private key"),
        ({"key": "broken.key"}, "ssl_private_key", "broken.key", "cannot be used"),
        ({"key": "two.key"}, "ssl_private_key", "two.key", "is not the key of"),
        ({"ca": "none"}, "ssl_ca_file", "none", "No such file"),
        ({"ca": "text"}, "ssl_ca_file", "text", "holds no certificate"),
        ({"ca": "broken"}, "ssl_ca_file", "broken", "cannot be used"),
        ({"ca": "."}, "ssl_ca_file", "", "Is a directory"),
    ],
)
def test_a_file_that_cannot_be_used(made, files, key, file, reason):
    with pytest.raises(Misconfigured, match=reason) as caught:
        context(made, **files)
    told = str(caught.value)
    assert "\n" not in told
    assert "hush" not in told
    assert f":{key}:" in told
    assert str(made / file) in told


def test_disabled_ciphers_are_not_offered(made):
    def names(found):
        return {cipher["name"] for cipher in found.get_ciphers()}

    all_names = names(context(made))
    one = sorted(name for name in all_names if not name.startswith("TLS_"))[0]
    assert names(context(made, ssl_disabled_ciphers=[one.lower()])) == all_names - {one}


def test_a_cipher_that_does_not_exist_is_passed_over(made):
    assert context(made, ssl_disabled_ciphers=["A-CIPHER"]).get_ciphers() == context(made).get_ciphers()


def test_without_a_cipher_for_tls_1_2_there_is_no_tls_1_2(made):
    old = [cipher["name"] for cipher in context(made).get_ciphers() if not cipher["name"].startswith("TLS_")]
    assert context(made, ssl_disabled_ciphers=old).minimum_version is ssl.TLSVersion.TLSv1_3
    with pytest.raises(Misconfigured, match="leaves no cipher"):
        context(made, ssl_disabled_ciphers=old, tls_disabled_versions=["1.3"])
