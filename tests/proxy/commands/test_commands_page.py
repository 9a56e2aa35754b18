"""docs/commands.md: no command and no option goes without description, and figures are those that come out."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from providers.clock import utc_now
from providers.guests import Claim, Guest, GuestState
from proxy.commands import main
from proxy.rows import claim_row, guest_row

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "commands.md"


def sections() -> dict[str, str]:
    """The page's text below each heading that is a command in code marks."""
    parts = re.split(r"^#+ (.+)$", PAGE.read_text(), flags=re.MULTILINE)
    return {heading.strip("`"): text for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


def commands(command: click.Command = main, name: str = "leasehold") -> Iterator[tuple[str, click.Command]]:
    """Every command that is not hidden, by the words that call it."""
    if command.hidden:
        return
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name)
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from commands(found, f"{name} {child}")


LEAVES = [(name, command) for name, command in commands() if not isinstance(command, click.Group)]


@pytest.mark.parametrize(("name", "command"), [("leasehold", main), *LEAVES], ids=str)
def test_each_command_has_a_section_with_every_option_and_an_example(name, command):
    text = sections()[name]

    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            for spelling in (*parameter.opts, *parameter.secondary_opts):
                assert f"`{spelling}" in text, f"{name} {spelling}"
    assert f"$ leasehold {name.removeprefix('leasehold').strip()}".strip() in text


def test_the_page_has_no_command_that_is_gone():
    known = {name for name, _ in commands()}

    assert {heading for heading in sections() if heading.startswith("leasehold")} <= known


@pytest.mark.parametrize("command", ["subnet list", "subnet show 10.0.1.0/24"])
def test_the_figures_of_the_sample_are_those_that_come_out(leasehold, command):
    leasehold.done("subnet", "sample")
    leasehold.done("address", "reserve", "10.0.1.4", "--name", "web1")

    assert leasehold.done(*command.split()).split() == printed(command).split()


def test_the_settings_files_that_are_checked_are_all_there_are(leasehold, empty_place):
    shutil.copytree(ROOT / "config", empty_place / "config")

    assert leasehold.done("config", "check") == printed("config check")


def printed(command: str) -> str:
    """What the page shows below a command."""
    _, _, rest = PAGE.read_text().partition(f"```\n$ leasehold {command}\n")
    return rest.partition("```\n")[0]


@pytest.mark.parametrize("listed", ["subnet", "address", "hold", "events", "token", "guest", "claim"])
def test_each_key_of_the_json_shapes_is_described(listed, rows):
    text = sections()["JSON"]

    for key in rows[listed]:
        assert f"`{key}`" in text


@pytest.mark.parametrize("code", range(6))
def test_each_exit_code_is_described(code):
    assert f"\n| {code} | " in sections()["Exit codes"]


@pytest.fixture
def rows(lab) -> dict[str, dict]:
    """One row of every listing."""
    lab.done("address", "reserve", "10.0.1.7", "--name", "web1", "--mac", "52:54:00:aa:00:01")
    lab.done("address", "next", "10.0.1.0/24")
    lab.done("token", "create", "hooks", "--scope", "read")
    listings = {name: [name, "list"] for name in ("subnet", "address", "hold", "token")}
    found = {name: lab.json(*arguments)[0] for name, arguments in listings.items()}
    found["address"] |= found["address"]["hosts"][0]
    now = utc_now()
    claim = Claim("lab", "jail1", "node1", now, now, None)
    guest = Guest("lab", "jail1", "node1", None, None, GuestState.RUNNING, None, (), (), now, now, now, claim)
    return found | {"events": lab.json("events")[0], "guest": guest_row(guest), "claim": claim_row(claim)}
