"""Two nodes start the same guest at the same moment: exactly one may, always."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from hooks import claim, mount
from tests.hooks.running_service import running_service

ROUNDS = 200
NODES = ("sun", "moon")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, empty_book_file: Path) -> Iterator[str]:
    """The URL of a real service."""
    with running_service(tmp_path_factory.mktemp("claims") / "service", empty_book_file) as service:
        yield f"http://127.0.0.1:{service.port}"


def settle(monkeypatch: pytest.MonkeyPatch, url: str, node: str) -> None:
    """Be a node."""
    for key, value in {"URLS": url, "NODE": node, "CLUSTER": "east", "TIMEOUT": "9"}.items():
        monkeypatch.setenv(f"LEASEHOLD_HOOK_{key}", value)


def starting(node: str, url: str, together: Barrier, orders: Connection) -> None:
    """Start every guest that is ordered, at the same moment as the other node."""
    os.environ.update(
        LEASEHOLD_HOOK_URLS=url, LEASEHOLD_HOOK_NODE=node, LEASEHOLD_HOOK_CLUSTER="east", LEASEHOLD_HOOK_SYSLOG="no",
        LEASEHOLD_HOOK_TIMEOUT="9",
    )  # fmt: skip
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    while (guest := orders.recv()) is not None:
        together.wait(120)
        orders.send(mount.run(["-j", guest], "mnt_start"))


@pytest.mark.race
def test_exactly_one_of_two_nodes_may_start_a_guest(url: str, monkeypatch: pytest.MonkeyPatch):
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(2)
    ours, processes = [], []
    for node in NODES:
        mine, theirs = context.Pipe()
        ours.append(mine)
        processes.append(context.Process(target=starting, args=(node, url, together, theirs), daemon=True))
        processes[-1].start()
    settle(monkeypatch, url, "judge")
    outcomes = []
    for number in range(ROUNDS):
        for each in ours:
            each.send(f"guest{number}")
        outcomes.append(sorted(each.recv() for each in ours))
    for each in ours:
        each.send(None)
    for process in processes:
        process.join(60)

    assert [outcome for outcome in outcomes if outcome != [0, 1]] == []


def test_a_node_that_died_is_forced_and_only_then(url: str, monkeypatch: pytest.MonkeyPatch, capfd):
    settle(monkeypatch, url, "sun")
    assert mount.run(["-j", "web1"], "mnt_start") == 0

    settle(monkeypatch, url, "moon")
    assert mount.run(["-j", "web1"], "mnt_start") == 1
    assert "sun" in capfd.readouterr().err
    assert claim.run(["force", "web1"]) == 0
    assert mount.run(["-j", "web1"], "mnt_start") == 0

    settle(monkeypatch, url, "sun")
    assert mount.run(["-j", "web1"], "mnt_start") == 1
