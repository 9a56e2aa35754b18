"""The pages for whoever runs the service: commands, files, settings and paths in them are really there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from proxy.commands import main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / name for name in ("service.md", "moving.md", "upgrading.md")]
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
# Of files that Leasehold leaves alone; docs/moving.md says so.
OF_DHCP_ISC = {"config", "leases", "key_name", "key_secret", "omapi_port"}
# What follows these in a command is Leasehold's own.
_PROGRAM = re.compile(r"^(?:runuser -u leasehold -- |su -m leasehold -c ')?(?:\S+/bin/)?leasehold ([^'|]+)")


def blocks(page: Path) -> list[str]:
    """The lines of the page's shell blocks."""
    found = re.findall(r"^( *)```sh\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL)
    return [line.strip() for _, block in found for line in block.splitlines() if line.strip()]


def leasehold_commands() -> list[tuple[str, str]]:
    """Every call of ``leasehold`` in the blocks, as page and arguments."""
    calls = [(page.name, match[1]) for page in PAGES for line in blocks(page) if (match := _PROGRAM.match(line))]
    assert len(calls) > 15
    return calls


@pytest.mark.parametrize(("page", "arguments"), sorted(set(leasehold_commands())))
def test_each_command_can_be_called_so(page: str, arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Files of the systems in the examples are not on this one, and nothing is to be carried out.
    monkeypatch.setattr(click.Path, "convert", lambda self, value, param, ctx: Path(value))
    monkeypatch.setattr(click.Command, "invoke", lambda self, ctx: None)

    done = CliRunner().invoke(main, shlex.split(arguments))

    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_file_of_the_source_tree_is_there(page: Path) -> None:
    named = set(re.findall(r"\bconfig/[\w./-]+\w", page.read_text()))
    assert {name for name in named if not (ROOT / name).exists()} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_setting_is_one(page: Path) -> None:
    named = set(re.findall(r"(?:^|`):(\w+):", page.read_text(), re.MULTILINE))
    assert {name for name in named - OF_DHCP_ISC if f"`{name}`" not in SETTINGS} == set()


def test_every_service_file_is_installed_by_the_page() -> None:
    text = PAGES[0].read_text()
    files = sorted(ROOT.glob("config/leasehold.*"))
    assert [path.name for path in files if f"install -m 0644 config/{path.name} /" not in text] == []
    assert "install -m 0755 config/rc.d/leasehold /usr/local/etc/rc.d/leasehold" in text


def test_the_page_and_the_files_name_the_same_places() -> None:
    table = dict(re.findall(r"^\| ([^|]+?) \| (.+) \|$", PAGES[0].read_text(), re.MULTILINE))
    unit, script = (ROOT / "config/leasehold.service").read_text(), (ROOT / "config/rc.d/leasehold").read_text()
    for label in ("program (a virtual environment)", "settings"):
        linux, freebsd = re.findall(r"`([^`]+)`", table[label])
        assert f"{linux}/" in unit
        assert f"={freebsd}" in script
    _, state = re.findall(r"`([^`]+)`", table["state: the book and its lock"])
    assert f"leasehold_state_dir:={state}" in script
