"""A node on which nothing is installed yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hooks.cbsd.node import Guest, Node


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """It has two guests, and nobody it could talk to: installing needs no service."""
    found = Node(tmp_path, "sun", "http://127.0.0.1:1", cluster="east")
    for guest in (Guest("web1"), Guest("vm1", "bhyve")):
        found.keep(guest)
    return found
