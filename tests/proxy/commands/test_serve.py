"""leasehold serve: what it hands to the server."""

from __future__ import annotations

import pytest


@pytest.fixture
def served(monkeypatch):
    calls = []
    monkeypatch.setattr("proxy.server.serve", lambda read_settings: calls.append(read_settings))
    return calls


def test_options_beat_the_environment(leasehold, served, monkeypatch):
    monkeypatch.setenv("LEASEHOLD_HTTP_PORT", "8001")

    leasehold.done("serve", "--http-port", "8002", "--workers", "3")

    (read_settings,) = served
    assert (read_settings().http_port, read_settings().workers) == (8002, 3)


def test_without_options_the_settings_stand(leasehold, served):
    leasehold.done("serve")

    (read_settings,) = served
    assert (read_settings().http_port, read_settings().workers) == (8000, None)


def test_bind_names_the_only_address(leasehold, served):
    leasehold.done("serve", "--bind", "::1")

    (read_settings,) = served
    assert list(read_settings().bind_host) == ["::1"]


def test_a_reload_reads_the_file_again_but_options_stay(leasehold, served, empty_place):
    file = empty_place / "mine.yml"
    file.write_text(":http_port: 8003\n:threads: 4\n")
    leasehold.done("--config", str(file), "serve", "--http-port", "8004")
    (read_settings,) = served

    file.write_text(":http_port: 8005\n:threads: 5\n")

    assert (read_settings().http_port, read_settings().threads) == (8004, 5)


@pytest.mark.parametrize("arguments", [["--http-port", "0"], ["--http-port", "65536"], ["--workers", "0"]])
def test_wrong_options_are_usage_errors(leasehold, served, arguments):
    result = leasehold("serve", *arguments)

    assert (result.exit_code, served) == (2, [])
