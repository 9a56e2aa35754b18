"""The pages and the sample tell everything that there is, and nothing else."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from hooks import main as program
from hooks.cbsd.hook import EVENTS
from hooks.settings import Settings, load

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "hooks.md").read_text()
SAMPLE = ROOT / "config" / "leasehold-hook.toml"
KEYS = [key for key in Settings._fields if key != "source"]


def table_keys() -> list[str]:
    """The keys in the table of settings."""
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", PAGE.partition("## Settings")[2].partition("## Commands")[0], re.M)
    return [key for row in rows for key in re.findall(r"`(\w+)`", row)]


def uncommented() -> str:
    """The sample with every key set to its default."""
    return re.sub(r"^# (\w+ = )", r"\1", SAMPLE.read_text(), flags=re.M)


def test_every_setting_is_on_the_page_and_no_other():
    assert sorted(table_keys()) == sorted(KEYS)


@pytest.mark.parametrize("command", program.COMMANDS)
def test_every_command_is_on_the_page(command):
    assert re.search(rf"`leasehold-hook {command}\b", PAGE)


def test_every_name_of_a_link_is_on_a_page():
    pages = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    assert [name for name in program.BY_NAME if name not in pages] == []


@pytest.mark.parametrize("event", EVENTS)
def test_every_hook_directory_is_on_the_page_of_cbsd(event):
    assert f"| `{event}` |" in (ROOT / "docs" / "cbsd.md").read_text()


def test_the_sample_has_every_key_with_its_default(tmp_path):
    values = tomllib.loads(uncommented())
    assert sorted(values) == sorted(KEYS)
    (tmp_path / "sample.toml").write_text(uncommented())
    settings = load({"LEASEHOLD_HOOK_CONFIG": str(tmp_path / "sample.toml")})
    assert settings._replace(source="the defaults") == Settings()


def test_the_sample_works_as_it_stands():
    assert load({"LEASEHOLD_HOOK_CONFIG": str(SAMPLE)}) == Settings(source=str(SAMPLE))


@pytest.mark.parametrize("page", ["hooks.md", "cbsd.md"])
def test_the_settings_of_an_example_can_be_used(page, tmp_path):
    examples = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / page).read_text(), re.S)
    assert examples
    for example in examples:
        (tmp_path / "example.toml").write_text(example)
        assert load({"LEASEHOLD_HOOK_CONFIG": str(tmp_path / "example.toml")}).cluster == "east"
