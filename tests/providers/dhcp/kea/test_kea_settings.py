"""Wrong settings of dhcp_kea.yml are told when they are read."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError

from providers.dhcp.kea.settings import KeaSchema


@pytest.mark.parametrize(
    ("control", "told"),
    [
        ("kea.sock", "neither the absolute path"),
        ("http://127.0.0.1:port/", "is no URL"),
        ("http://127.0.0.1:99999/", "is no URL"),
        ("http://[::1/", "is no URL"),
        ("http:///", "without a host"),
        ("https://leasehold:secret@127.0.0.1:8000/", "belong into :user: and :password:"),
    ],
)
def test_a_control_that_cannot_be_used(control, told):
    with pytest.raises(ValidationError, match=told):
        KeaSchema().load({"control": control})


@pytest.mark.parametrize("control", ["/run/kea/ctrl", "http://127.0.0.1:8000/", "https://kea.example.com/"])
def test_controls_that_can(control):
    assert KeaSchema().load({"control": control})["control"] == control
