"""Commands of another machine, by HTTPS: which service they trust, and what they show it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner, Result
from running import Service
from secure import FOREMAN, Site

from proxy.commands import main


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A CA and the certificate of the service."""
    return Site(tmp_path)


@pytest.fixture
def ask(stopped_service: Service, site: Site, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command through HTTPS, with these options before it."""
    port = site.equip(stopped_service)
    stopped_service.start()
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)

    def ask(*options: str, command: tuple[str, ...] = ("subnet", "list", "--json")) -> Result:
        arguments = ["--url", f"https://127.0.0.1:{port}", *options, *command]
        return CliRunner().invoke(main, arguments, catch_exceptions=False)

    return ask


def test_whom_a_command_trusts_and_what_it_shows(
    ask: Callable[..., Result], site: Site, stopped_service: Service, tmp_path: Path
) -> None:
    trusting = ("--ca-file", str(site.ca))
    certificate = ("--certificate", str(site.client(FOREMAN, common_name=FOREMAN)))

    done = ask(*trusting, *certificate)
    assert done.exit_code == 0, done.output
    assert [row["network"] for row in json.loads(done.stdout)] == ["10.0.0.0/20", "10.1.0.0/26"]

    taken = ask(*trusting, *certificate, command=("address", "reserve", "10.0.0.9", "--name", "web9"))
    assert taken.exit_code == 0, taken.output
    (event, *_) = stopped_service.listed("events")
    assert (event["action"], event["actor"]) == ("address.reserve", f"api:certificate {FOREMAN}")

    nobody = ask(*trusting)
    assert (nobody.exit_code, nobody.stdout) == (1, "")
    assert "No client SSL certificate supplied. Neither a token nor a certificate was shown" in nobody.stderr

    other = tmp_path / "other-ca.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    for options in ((), ("--ca-file", str(other))):
        foreign = ask(*options, *certificate)
        assert (foreign.exit_code, foreign.stdout) == (4, "")
        assert "certificate verify failed" in foreign.stderr
        assert "--ca-file" in foreign.stderr
        assert "Try again" not in foreign.stderr

    token = tmp_path / "token"
    token.write_text(stopped_service.command("token", "create", "laptop", "--scope", "read").stdout)
    assert ask(*trusting, "--token-file", str(token)).exit_code == 0
    assert ask(*trusting, "--token-file", str(token), command=("hold", "release", "10.0.0.1")).exit_code == 1

    broken = tmp_path / "broken.pem"
    broken.write_text("not a certificate\n")
    for option in ("--ca-file", "--certificate"):
        refused = ask(*([] if option == "--ca-file" else trusting), option, str(broken))
        assert (refused.exit_code, refused.stdout) == (2, ""), option
        assert str(broken) in refused.stderr
