"""Kea's configuration files: what is no JSON in them, and what only looks like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from providers.dhcp.kea.grammar import read
from providers.errors import InvalidValue

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('{"a": [1, 2,], "b": 3,}', {"a": [1, 2], "b": 3}),
        ('{"a": 1, // [] is enough\n "b": 2}', {"a": 1, "b": 2}),
        ('{"a": 1, # }\n "b": 2}', {"a": 1, "b": 2}),
        ('{"a": 1, /* one */ "b": 2 /* two */ }', {"a": 1, "b": 2}),
        ('{"a": [1, // last ]\n /* ] */ ]}', {"a": [1]}),
        ('{"a": "1, ] // no comment", "b": ", }"}', {"a": "1, ] // no comment", "b": ", }"}),
    ],
)
def test_commas_and_comments(tmp_path: Path, text: str, meant: object) -> None:
    (tmp_path / "kea.conf").write_text(f'{{"Dhcp4": {text}}}')
    assert read(tmp_path / "kea.conf") == meant


def test_the_sample_of_ours(tmp_path: Path) -> None:
    sample = (ROOT / "config" / "kea-dhcp4.conf").read_text()
    (tmp_path / "10.0.1.0-24.json").write_text("[]")
    (tmp_path / "kea.conf").write_text(sample.replace("/etc/kea/leasehold", str(tmp_path)))

    (subnet,) = read(tmp_path / "kea.conf")["subnet4"]

    assert (subnet["subnet"], subnet["reservations"]) == ("10.0.1.0/24", [])


def test_what_is_no_json_is_told_as_that(tmp_path: Path) -> None:
    (tmp_path / "dhcpd.conf").write_text("subnet 10.0.7.0 netmask 255.255.255.0 { }")
    with pytest.raises(InvalidValue, match=r"dhcpd\.conf: this is not JSON as Kea reads it: .*kea-dhcp4 -t"):
        read(tmp_path / "dhcpd.conf")
