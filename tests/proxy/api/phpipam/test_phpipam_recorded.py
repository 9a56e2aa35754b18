"""Whatever phpIPAM was recorded to answer, Leasehold answers in the same shape, but for what is listed here."""

from __future__ import annotations

import pytest

from tests.proxy.api.phpipam.replay import Replay, differences, exchanges, parsed, seed

FILES = (
    "address_create", "address_delete", "address_read", "address_update", "first_free", "ip_and_subnet_lookup",
    "lifecycle", "sections", "subnet_addresses", "subnets",
)  # fmt: skip
"""What is about sections, subnets and addresses; log-in has tests of its own, by the messages of ``auth``."""

NO_FOLDERS = "there are no folders"
NO_CUSTOM_FIELDS = "there are no custom fields"
NO_DEVICES = "there are no devices"
GATEWAY = "a gateway is a setting of its subnet, not an address that somebody has"
NO_FULL_MARK = "a subnet is full when nothing is free in it"
BESIDE_CHILDREN = "what is left of a subnet around others is handed out"
THEIR_BUG = "phpIPAM's mistake"
STRICT = "a value that cannot be what it is to be is refused"
PASSED_OVER = "what phpIPAM's own scanner writes is passed over"
FILTERS = "filters compare what is shown, and patterns are not offered"
NO_NAME_SERVERS = "a subnet without name servers has no entry for them"
NO_LINKS = "links are not offered"
NO_TAGS_OF_SUBNETS = "how many have which tag is not counted"
USAGE = "how full the subnets of a section are is always told"
ALL_SUBNETS = "the gateway belongs to the subnet that has it"
ELSEWHERE = "not offered: another refusal"
BY_NAME = "a section is found by name whatever its name is, and so are its subnets"

DIFFERENT: dict[str, dict[str, str]] = {
    "first_free": {
        "marked full though empty": NO_FULL_MARK,
        "take one in the one marked full": NO_FULL_MARK,
        "with children": BESIDE_CHILDREN,
        "with children, through addresses": BESIDE_CHILDREN,
        "take one in the one with children": BESIDE_CHILDREN,
        "folder": NO_FOLDERS,
        "take one in a folder": NO_FOLDERS,
    },
    "address_create": {
        "v6 network address": THEIR_BUG,
        "ip given as the whole number": STRICT,
        "unknown device": NO_DEVICES,
        "lastSeen rubbish": PASSED_OVER,
        "a list in a field": STRICT,
        "a new gateway takes the flag from the old one": GATEWAY,
        "in a folder, not an ip": NO_FOLDERS,
        "app that nests custom fields, unknown one": NO_CUSTOM_FIELDS,
        "app that does not nest, nested": NO_CUSTOM_FIELDS,
    },
    "address_delete": {
        "by v6 ip and subnet": GATEWAY,
        "gateway can be deleted too": GATEWAY,
        "no id": ELSEWHERE,
    },
    "address_read": {
        "by ip and subnet": THEIR_BUG,
        "by v6 ip and subnet": GATEWAY,
        "search by v6 ip": GATEWAY,
        "search by v6 ip, written in full": GATEWAY,
        "search by start of hostname, wild-card characters pass through": THEIR_BUG,
        "custom fields": NO_CUSTOM_FIELDS,
        "addresses of a tag": ELSEWHERE,
        "changelog": ELSEWHERE,
        "general search": ELSEWHERE,
    },
    "address_update": {
        "by ip and subnet: not there for PATCH": ELSEWHERE,
        "no id": ELSEWHERE,
        "gateway flag set": GATEWAY,
    },
    "ip_and_subnet_lookup": {
        "lowest id in subnet 1": GATEWAY,
        "second id in subnet 1: there, but reported as absent": THEIR_BUG,
    },
    "sections": {
        "name of digits only is taken for an id": BY_NAME,
        "subnets of a section by name: the name wins, 'subnets' is ignored": BY_NAME,
        "subnets of a section": USAGE,
        "subnets of a section, with addresses": ELSEWHERE,
        "custom fields": NO_CUSTOM_FIELDS,
    },
    "subnet_addresses": {
        "all": GATEWAY,
        "one v6 ip, used": GATEWAY,
        "filtered by hostname, partial": GATEWAY,
        "filtered by ip": FILTERS,
        "filtered by ip, as the number": FILTERS,
        "filtered by hostname, regex": FILTERS,
        "filtered by a custom field": NO_CUSTOM_FIELDS,
        "filter compares loosely: 3.6e3 equals 3600": NO_CUSTOM_FIELDS,
        "links asked for": NO_LINKS,
        "app that shows links": NO_LINKS,
    },
    "subnets": {
        "by id: name server without an address": NO_NAME_SERVERS,
        "by id: a folder": NO_FOLDERS,
        "by CIDR: narrowed to one section with filter_by": FILTERS,
        "by CIDR: slash encoded as %2F": ELSEWHERE,
        "by CIDR: no mask": ELSEWHERE,
        "all subnets, filtered": ALL_SUBNETS,
        "slaves": ELSEWHERE,
        "slaves, none": ELSEWHERE,
        "usage": NO_TAGS_OF_SUBNETS,
        "custom fields": NO_CUSTOM_FIELDS,
        "folder by the folders controller": NO_FOLDERS,
    },
}
"""By file and exchange: why it is not the same here. docs/phpipam-api.md tells it to people."""


@pytest.mark.parametrize("file", FILES)
def test_answers_are_as_recorded(file, client, address_book):
    seed(address_book)
    replay = Replay(client, address_book)
    told = DIFFERENT.get(file, {})
    problems = []
    for exchange in exchanges(file):
        answer = replay.send(exchange)
        if exchange.answer is None:
            continue
        found = list(differences(exchange.answer, parsed(answer)))
        if found and exchange.what not in told:
            problems.append(f"{exchange.what}: {'; '.join(found)}")
        if not found and exchange.what in told:
            problems.append(f"{exchange.what}: is as recorded, and said to be different")
    assert not problems, "\n".join(problems)


def test_no_difference_is_listed_that_is_not_recorded():
    for file, told in DIFFERENT.items():
        assert set(told) <= {exchange.what for exchange in exchanges(file)}, file
