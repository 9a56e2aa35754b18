"""Who may call what, as it was recorded from Foreman's own smart proxy; where we differ, the table says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proxy.peer import Certificate, Peer
from tests.proxy.access.people import FOREMAN, LOOPBACK, Person

RECORDED = Path(__file__).parents[2] / "recorded" / "foreman" / "auth.json"

SETTINGS = {
    "trusted_hosts not set": {},
    "trusted_hosts: [foreman.example.com]": {"trusted_hosts": [FOREMAN]},
    "trusted_hosts: []": {"trusted_hosts": []},
    "trusted_hosts: [localhost] (reverse name of 127.0.0.1)": {"trusted_hosts": ["localhost"]},
    "trusted_hosts: [LOCALHOST] (entry not lower case)": {"trusted_hosts": ["LOCALHOST"]},
}
CLIENTS = {
    "http": Peer(LOOPBACK, "http", None),
    "https without client certificate": Peer(LOOPBACK, "https", None),
    "https, certificate CN=foreman.example.com of the CA": Peer(LOOPBACK, "https", Certificate(FOREMAN, ())),
}
HANDSHAKE = "https, certificate of another CA"
"""Fails before there is a request; see tests/service."""

OTHER_CASE = "trusted_hosts: [LOCALHOST] (entry not lower case)"
"""Section 10: compared without case."""


def recorded():
    return [
        pytest.param(each["setting"], each["client"], each["results"], id=f"{each['setting']}, {each['client']}")
        for each in json.loads(RECORDED.read_text())
        if each["client"] != HANDSHAKE
    ]


@pytest.mark.parametrize(("setting", "client", "results"), recorded())
def test_answers_as_recorded(setting, client, results, house):
    visited = house(Person(CLIENTS[client], SETTINGS[setting]))
    refusal = next((each["body"] for each in results if each["path"] == "/dhcp" and each["status"] == 403), None)
    for each in results:
        path = each["path"].replace("192.168.10.0", "10.0.1.0")
        answer = visited.ask(each["method"], path)
        found = (answer.status_code, answer.content_type, answer.text if answer.status_code != 200 else None)
        if each["path"].startswith("/ipam") and refusal is not None:
            # Section 10: /ipam follows the rules of /dhcp, in its own form of errors.
            text = refusal.replace("access .", "access /groups.")
            expected = (403, "application/json", f'{{"error":"{text}"}}')
        else:
            body = each.get("body", "").replace("192.168.10.0", "10.0.1.0")
            expected = (each["status"], each["content_type"], body or None)
        if setting == OTHER_CASE and expected[0] == 403:
            expected = (200, "application/json", None)
        assert found == expected, each["path"]
