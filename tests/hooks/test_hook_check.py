"""``leasehold-hook check`` against a server that answers as ours, one that does not, and none."""

from __future__ import annotations

import pytest

from hooks.main import main
from hooks.service import Call
from hooks.spool import Spool
from tests.hooks.answering import nobody_listening

OURS = {"version": "1.2.3", "modules": {}, "items": []}


def test_names_the_version_of_the_service_and_who_we_are(server, capsys, monkeypatch):
    monkeypatch.setenv("LEASEHOLD_HOOK_CLUSTER", "east")
    server.always(200, OURS)
    assert main(["check", "--url", server.url]) == 0
    printed = capsys.readouterr().out
    assert f"Leasehold 1.2.3 answers at {server.url}\n" in printed
    assert "This node is node1 of cluster east" in printed


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}"])
def test_an_answer_of_something_else_is_a_failure(server, capsys, body):
    server.always(200, body)
    assert main(["check", "--url", server.url]) == 1
    assert "no Leasehold answers" in capsys.readouterr().err


def test_nobody_listening_is_a_failure(capsys):
    with nobody_listening() as url:
        assert main(["check", "--url", url]) == 1
    assert url in capsys.readouterr().err


def test_a_url_that_is_none_is_wrong_usage(capsys):
    assert main(["check", "--url", "ftp://example.com"]) == 2
    assert "ftp://example.com" in capsys.readouterr().err


def test_the_url_comes_from_the_environment(monkeypatch, capsys):
    monkeypatch.setenv("LEASEHOLD_URL", "ftp://example.com")
    assert main(["check"]) == 2
    assert "ftp://example.com" in capsys.readouterr().err


def test_a_token_that_is_not_let_in_is_a_failure(server, capsys):
    server.answer = lambda asked: (
        (200, OURS) if asked.path == "/version" else (401, {"error": {"code": "x", "message": "Unknown token"}})
    )
    assert main(["check", "--url", server.url]) == 1
    assert "Unknown token" in capsys.readouterr().err


def test_settings_with_a_secret_that_everybody_can_read_are_a_failure(server, capsys, tmp_path):
    server.always(200, OURS)
    (tmp_path / "hook.toml").write_text('token = "lh_x"\n')
    (tmp_path / "hook.toml").chmod(0o644)
    assert main(["check", "--url", server.url]) == 1
    error = capsys.readouterr().err
    assert "chmod o-rwx" in error
    assert "lh_x" not in error


@pytest.mark.parametrize("everybody_writes", ["hook.toml", "mount.sh"])
def test_what_root_does_is_not_for_everybody_to_say(server, capsys, tmp_path, everybody_writes):
    server.always(200, OURS)
    (tmp_path / "mount.sh").touch(0o700)
    (tmp_path / "hook.toml").write_text(f'mount_script = "{tmp_path}/mount.sh"\n')
    (tmp_path / everybody_writes).chmod(0o722)
    assert main(["check", "--url", server.url]) == 1
    assert f"chmod o-w {tmp_path / everybody_writes}" in capsys.readouterr().err


def test_tells_what_waits(server, capsys, tmp_path):
    server.always(200, OURS)
    Spool(str(tmp_path / "spool")).add("east/web1", Call("PATCH", "/guests/east/web1", None, {"state": "running"}))
    assert main(["check", "--url", server.url]) == 0
    assert "Waiting to be delivered: 1." in capsys.readouterr().out


def test_what_was_put_aside_is_named_until_somebody_has_it_delivered(server, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("LEASEHOLD_HOOK_URLS", server.url)
    spool = Spool(str(tmp_path / "spool"))
    spool.add("east/web1", Call("PATCH", "/guests/east/web1", None, {"state": "running"}))
    path = spool.put_aside(spool.entries()[0])
    server.always(200, OURS)
    for command in ("check", "flush"):
        assert main([command]) == 1
        told = "".join(capsys.readouterr())
        assert path in told
        assert "leasehold-hook flush --again" in told
    assert main(["flush", "--again"]) == 0
    assert capsys.readouterr().out == "1 delivered, 0 refused, 0 waiting\n"
    assert server.asked[-1].path == "/api/v1/guests/east/web1"
    assert main(["check"]) == 0


def test_tells_what_waits_although_nobody_listens(capsys, tmp_path):
    Spool(str(tmp_path / "spool")).add("east/web1", Call("PATCH", "/guests/east/web1", None, {"state": "running"}))
    with nobody_listening() as url:
        assert main(["check", "--url", url]) == 1
    assert "Waiting to be delivered: 1." in capsys.readouterr().out


def test_subnets_that_the_service_does_not_have_are_named(server, capsys, tmp_path):
    """Each of them, and not only when a guest is to get an address there."""
    (tmp_path / "hook.toml").write_text(
        'group = "Lab"\nsubnets = ["10.0.1.0/24", "10.0.2.0/24"]\nnic_tags = { admin = "2001:db8::/64" }\n'
    )
    missing = (404, {"error": {"code": "not_found", "message": "There is no such subnet in group Lab"}})
    server.answer = lambda asked: missing if "10.0.2.0" in asked.path or "2001" in asked.path else (200, OURS)
    assert main(["check", "--url", server.url]) == 1
    error = capsys.readouterr().err.splitlines()
    assert error == [
        "leasehold-hook: subnets: no address can be had from 10.0.2.0/24: There is no such subnet in group Lab",
        "leasehold-hook: nic_tags: admin: no address can be had from 2001:db8::/64: "
        "There is no such subnet in group Lab",
    ]
    assert "/api/v1/subnets/10.0.1.0/24?group=Lab" in [asked.path for asked in server.asked]


@pytest.mark.parametrize("text", ["10.0.1.0", "lab", "10.0.1/24"])
def test_what_is_no_network_is_named(server, capsys, monkeypatch, text):
    """A service would answer that there is nothing at this path, or take it for another network."""
    monkeypatch.setenv("LEASEHOLD_HOOK_SUBNETS", text)
    server.always(200, OURS)
    assert main(["check", "--url", server.url]) == 1
    assert f"subnets: {text} is no network" in capsys.readouterr().err


def test_subnets_that_are_there_are_nothing_to_say(server, capsys, monkeypatch):
    monkeypatch.setenv("LEASEHOLD_HOOK_SUBNETS", "10.0.1.0/24")
    server.always(200, OURS)
    assert main(["check", "--url", server.url]) == 0
    assert capsys.readouterr().err == ""


def test_a_variable_that_is_no_setting_is_named(server, capsys, monkeypatch):
    """The hooks themselves pass it over: no guest is to be kept from its start by a variable too many."""
    monkeypatch.setenv("LEASEHOLD_HOOK_TIMOUT", "2")
    server.always(200, OURS)
    assert main(["check", "--url", server.url]) == 1
    assert "the variable LEASEHOLD_HOOK_TIMOUT sets nothing" in capsys.readouterr().err
