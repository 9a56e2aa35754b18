"""What a refusal looks like, to whoever hears it and in the log; and who is slowed."""

from __future__ import annotations

import json
import logging

import pytest

from providers.errors import Unavailable
from providers.tokens import Scope
from proxy.access.rights import WHAT_HELPS
from proxy.peer import Certificate, Peer
from tests.proxy.access.people import ELSEWHERE, FOREMAN, LOOPBACK, PEOPLE, STRANGER, Person, bearer

SECRET = "lh_" + "S3cret-" * 6 + "x"


def lines(caplog):
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize("path", ["/v2/features", "/dhcp", "/logs"])
def test_plain_text(house, path):
    answer = house(PEOPLE["https-none"]).ask("GET", path)
    assert (answer.status_code, answer.text) == (403, "No client SSL certificate supplied")
    assert answer.content_type == "application/json"
    assert "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize("path", ["/ipam/groups", "/ipam/subnet/10.0.1.0/24/10.0.1.5"])
def test_an_object_on_ipam(house, path):
    answer = house(PEOPLE["https-none"]).ask("GET", path)
    assert (answer.status_code, json.loads(answer.text)) == (403, {"error": "No client SSL certificate supplied"})


@pytest.mark.parametrize("path", ["/dhcp", "/ipam/groups", "/v2/features", "/logs"])
@pytest.mark.parametrize(
    "authorization",
    [
        "",
        " ",
        "Bearer",
        "Bearer ",
        f"Basic {SECRET}",
        SECRET,
        f"Bearer {SECRET} x",
        f"Bearer {SECRET},Bearer {SECRET}",
        f"Token {SECRET}",
        f"Bearer\t{SECRET}",
        f"Bearer {SECRET}\u00e4",
        "Bearer " + "x" * 8000,
        f"Bearer {SECRET}",
    ],
)
def test_anything_but_a_good_token_is_401(house, path, authorization):
    visited = house()
    visited.headers["Authorization"] = authorization
    answer = visited.ask("GET", path)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "S3cret" not in answer.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_the_scheme_is_read_without_case(house, scheme):
    visited = house(PEOPLE["token-read"])
    token = visited.headers["Authorization"].split()[1]
    visited.headers["Authorization"] = f"{scheme} {token}"
    assert visited.ask("GET", "/dhcp").status_code == 200


def test_unknown_revoked_and_expired_sound_the_same(house):
    texts = {house(PEOPLE[who]).ask("GET", "/dhcp").text for who in ("token-unknown", "token-revoked", "token-expired")}
    assert len(texts) == 1


def test_a_token_that_is_revoked_is_refused_at_once(house, tokens, caller):
    visited = house(PEOPLE["token-read"])
    assert visited.ask("GET", "/dhcp").status_code == 200
    tokens.revoke("a-token", caller)
    assert visited.ask("GET", "/dhcp").status_code == 401


def test_what_takes_no_credential_does_not_look_at_one(house):
    assert house(PEOPLE["token-unknown"]).ask("GET", "/features").status_code == 200


def test_a_write_over_plain_http_hears_what_would_help(house):
    answer = house(PEOPLE["http-elsewhere"]).ask("GET", "/dhcp/10.0.1.0/unused_ip")
    assert (answer.status_code, answer.text) == (403, WHAT_HELPS)
    for help_ in ("token", ":trusted_hosts:", ":insecure_http: true"):
        assert help_ in answer.text


def test_a_scope_that_is_not_enough_says_which_would_be(house):
    assert house(PEOPLE["token-read"]).ask("DELETE", "/dhcp/10.0.1.0/ip/10.0.1.10").text == (
        "The token a-token may not do this: it takes scope reserve or admin"
    )


def test_a_book_that_does_not_answer_lets_nobody_in(house, tokens, monkeypatch):
    def away(secret):
        raise Unavailable("The book does not answer")

    visited = house(PEOPLE["token-admin"])
    monkeypatch.setattr(tokens, "check", away)
    assert visited.ask("GET", "/dhcp").status_code == 503


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_route_without_a_policy_is_refused_to_everybody(house, method, caplog):
    for key in ("http-loopback", "token-admin", "https-certificate"):
        visited = house(PEOPLE[key])
        visited.app.add_url_rule("/forgotten", view_func=lambda: "let in", methods=["GET", "POST"])
        assert visited.ask(method, "/forgotten").status_code == 403
    assert "The route /forgotten declares no access policy, so nobody may use it" in lines(caplog)


class TestSlowing:
    """After ten refusals in a minute."""

    def test_the_next_one_is_to_wait(self, house, clock):
        visited = house(PEOPLE["token-unknown"])
        assert [visited.ask("GET", "/dhcp").status_code for _ in range(12)] == [401] * 10 + [429] * 2
        clock.pass_(seconds=20)
        answer = visited.ask("GET", "/dhcp")
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "40")
        clock.pass_(seconds=40)
        assert visited.ask("GET", "/dhcp").status_code == 401

    def test_the_reason_is_still_told(self, house):
        visited = house(PEOPLE["https-none"], most=0)
        assert visited.ask("GET", "/dhcp").text == (
            "Refused too often, wait 60 seconds. No client SSL certificate supplied"
        )
        assert json.loads(visited.ask("GET", "/ipam/groups").text)["error"].startswith("Refused too often")

    def test_others_at_the_same_address_are_not(self, house, tokens, clock):
        visited = house(PEOPLE["token-unknown"])
        for _ in range(20):
            visited.ask("GET", "/dhcp")
        visited.headers = {"Authorization": bearer("good", Scope.READ)(tokens, clock)}
        assert visited.ask("GET", "/dhcp").status_code == 200
        visited.headers = {}
        assert visited.ask("GET", "/dhcp/10.0.1.0/unused_ip").status_code == 200

    def test_other_addresses_are_not(self, house):
        visited = house(PEOPLE["https-none"], most=1)
        assert [visited.ask("GET", "/dhcp").status_code for _ in range(2)] == [403, 429]
        visited.peer = Peer("192.0.2.77", "https", None)
        assert visited.ask("GET", "/dhcp").status_code == 403


class TestLog:
    """One line for a source and minute, with nothing that was sent."""

    @pytest.mark.parametrize(
        ("who", "told"),
        [
            ("token-unknown", "Refused 127.0.0.1: token not valid"),
            ("token-malformed", "Refused 127.0.0.1: no token in Authorization"),
            ("https-none", f"Refused {STRANGER}: no client certificate"),
            ("http-elsewhere", f"Refused {ELSEWHERE}: write without proof"),
            ("cert-untrusted", f"Refused {STRANGER}: x.example.com, by its certificate, is not in :trusted_hosts:"),
            ("name-untrusted", f"Refused {STRANGER}: stranger.example.com, by reverse DNS, is not in :trusted_hosts:"),
            ("name-none", "Refused 192.0.2.200: reverse DNS has no name for it"),
            ("token-guest", "Refused token a-token: not in its scopes or limits"),
        ],
    )
    def test_it_says_who_and_why(self, house, who, told, caplog, clock):
        visited = house(PEOPLE[who])
        with caplog.at_level(logging.INFO):
            for _ in range(15):
                visited.ask("DELETE", "/dhcp/10.0.1.0/ip/10.0.1.10?secret=S3cret")
        assert lines(caplog) == [told]
        clock.pass_(minutes=1)
        visited.ask("DELETE", "/dhcp/10.0.1.0/ip/10.0.1.10")
        assert lines(caplog)[:2] == [told, told]

    def test_nothing_that_was_sent_is_repeated(self, house, caplog):
        sent = {"Authorization": f"Bearer {SECRET}", "User-Agent": "S3cret", "X-Request-Id": "S3cret"}
        for key in ("http-loopback", "cert-untrusted"):
            visited = house(PEOPLE[key])
            for headers in (sent, {**sent, "Authorization": f"Basic {SECRET}"}):
                visited.headers = headers
                with caplog.at_level(logging.DEBUG):
                    visited.ask("POST", "/dhcp/S3cret?S3cret=S3cret", data={"S3cret": "S3cret"})
        assert caplog.text
        assert "S3cret" not in caplog.text

    def test_a_certificate_cannot_forge_a_line(self, house, caplog):
        named = Certificate("a\nRefused 192.0.2.1: forged", ())
        answer = house(Person(Peer(STRANGER, "https", named), {"trusted_hosts": [FOREMAN]})).ask("GET", "/dhcp")
        assert all("\n" not in line for line in lines(caplog))
        assert "\n" not in answer.text

    def test_what_is_let_in_is_not_a_line(self, house, caplog):
        with caplog.at_level(logging.WARNING):
            house(PEOPLE["token-admin"]).ask("GET", "/dhcp")
            house(PEOPLE["cert-cn"]).ask("GET", "/dhcp")
        assert lines(caplog) == []


@pytest.mark.parametrize(
    ("who", "actor"),
    [
        ("http-loopback", f"dhcp:{LOOPBACK}"),
        ("http-insecure", f"dhcp:{STRANGER}"),
        ("https-certificate", f"dhcp:certificate {FOREMAN}"),
        ("cert-san", f"dhcp:certificate {FOREMAN}"),
        ("name-trusted", f"dhcp:{FOREMAN}"),
        ("token-reserve", "dhcp:token a-token"),
    ],
)
def test_events_name_who_it_was(house, seeded, who, actor):
    assert house(PEOPLE[who]).ask("GET", "/dhcp/10.0.1.0/unused_ip").status_code == 200
    assert seeded.events(limit=1)[0].actor == actor


def test_an_event_has_room_for_the_longest_name(house, seeded):
    person = Person(Peer(STRANGER, "https", Certificate("x" * 5000, ())))
    assert house(person).ask("GET", "/dhcp/10.0.1.0/unused_ip").status_code == 200
    assert len(seeded.events(limit=1)[0].actor) <= 255
