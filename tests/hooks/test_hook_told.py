"""What a service tells is no more than an address to the shells that read what the hooks print."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hooks.errors import HookError, Unreachable
from hooks.exchange import exchange
from hooks.main import main
from hooks.settings import Settings
from hooks.told import told_address, told_prefix
from tests.hooks.answering import Answering, answering

HOSTILE: list[Any] = [
    "10.0.1.4;reboot", "$(reboot)", "10.0.1.4 10.0.1.5", "10.0.1.4\n10.0.1.5", "10.0.1.4/24", "fe80::1%lo0", "10.0.1",
    "010.0.1.4", "", None, 167772420, ["10.0.1.4"], {"address": "10.0.1.4"}, "10.0.1.\u0664", "2001:db8::\x00",
]  # fmt: skip


@pytest.fixture
def service() -> Iterator[Answering]:
    with answering() as state:
        yield state


@pytest.fixture
def hook(
    service: Answering, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Runs a command of the hook against the service; returns its status and what it printed."""
    settings = tmp_path / "hook.toml"
    settings.write_text(
        f'urls = ["{service.url}"]\nnode = "sun"\nsubnets = ["10.0.1.0/24"]\nsyslog = false\n'
        f'spool_dir = "{tmp_path}/spool"\nlog_file = "{tmp_path}/log"\n'
    )
    monkeypatch.setenv("LEASEHOLD_HOOK_CONFIG", str(settings))

    def run(*arguments: str) -> tuple[int, str]:
        status = main(arguments)
        return status, capsys.readouterr().out

    return run


@pytest.mark.parametrize("told", HOSTILE, ids=repr)
def test_the_helper_prints_an_address_or_nothing(service, hook, told):
    service.always(200, {"address": told})
    assert hook("cbsd-dhcpd") == (2, "")


def test_the_helper_prints_no_address_of_the_other_family(service, hook):
    service.always(200, {"address": "2001:db8::4"})
    assert hook("cbsd-dhcpd") == (2, "")


@pytest.mark.parametrize(
    ("address", "subnet"),
    [("$(reboot)", "10.0.1.0/24"), ("10.0.1.4", "10.0.1.0/$(reboot)"), ("10.0.1.4", "10.0.1.0/33")],
)
def test_iocage_is_told_an_address_with_a_prefix_or_nothing(service, hook, address, subnet):
    service.always(200, {"address": address, "subnet": subnet})
    assert hook("iocage", "alloc", "web1") == (1, "")


def test_vmadm_is_given_no_payload_with_what_is_no_address(service, hook, monkeypatch, tmp_path):
    service.always(200, {"address": "10.0.1.4;reboot", "network": "10.0.1.0/24", "gateway": "10.0.1.1"})
    payload = tmp_path / "payload"
    payload.write_text(json.dumps({"nics": [{"interface": "net0", "nic_tag": "external"}]}))
    with payload.open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert hook("vmadm", "create") == (1, "")


def test_an_address_is_told_in_its_usual_form():
    assert told_address({"address": "2001:DB8:0::4"}, version=6) == "2001:db8::4"


@pytest.mark.parametrize(
    "told", ["10.0.1.0", "10.0.1.0/", "10.0.1.0/-1", "10.0.1.0/33", "10.0.1.0/\u0662", "x/24", None, 24], ids=repr
)
def test_a_prefix_is_a_number_behind_a_network(told):
    with pytest.raises(Unreachable):
        told_prefix({"subnet": told}, "subnet")


@pytest.mark.parametrize("status", ["9" * 5000, "99999", "2", "-20", "20x", ""])
def test_a_status_that_is_none_is_no_answer(status):
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(f"HTTP/1.0 {status} OK\r\n\r\n{{}}".encode())

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(HookError):
            exchange(f"http://127.0.0.1:{listening.getsockname()[1]}", "GET", "/", {}, b"", Settings(), 30)
        thread.join()


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (409, {"error": {"code": "conflict", "message": "\x1b[2Jno\x9b1m"}}),
        (200, {"items": [{"name": "\x1b[2J", "node": "\x9b1m", "since": "\u202e", "expires_at": None}]}),
    ],
)
@pytest.mark.usefixtures("hook")
def test_a_terminal_obeys_nothing_that_a_service_says(service, capsys, status, answer):
    service.always(status, answer)
    main(["claim", "list"])
    told = "".join(capsys.readouterr())
    assert "claim" in told
    assert all(char.isprintable() or char == "\n" for char in told)
