"""The sample files and the reference page: made from the schema, complete, and the ones in the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from proxy.settings import load
from proxy.settings.reference import reference
from proxy.settings.ruby_proxy import PASSED_OVER
from proxy.settings.sample import sample_files
from proxy.settings.sections import all_sections

ROOT = Path(__file__).parents[3]
KEYS = [(section, key) for section in all_sections() for key in section.keys.values()]
IDS = [f"{section.name or 'settings'}.{key.name}" for section, key in KEYS]


def put(site: Path, change: str = "", to: str = "") -> None:
    for name, text in sample_files().items():
        path = site / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(re.sub(change, to, text, flags=re.MULTILINE) if change else text)


@pytest.mark.parametrize("name", sorted(sample_files()))
def test_the_files_in_config_are_the_sample(name):
    assert (ROOT / "config" / name).read_text() == sample_files()[name], "make docs writes them anew"


def test_no_other_settings_file_is_in_config():
    there = {str(path.relative_to(ROOT / "config")) for path in (ROOT / "config").rglob("*.yml")}
    assert there == set(sample_files())


def test_the_page_in_docs_is_the_reference():
    assert (ROOT / "docs/settings.md").read_text() == reference(), "make docs writes it anew"


def test_the_sample_changes_nothing(site):
    defaults = load(environ={})
    put(site)
    settings = load(environ={})
    assert settings.warnings == ()
    assert len(settings.files) == 6
    for attribute in ("database", "http_port", "bind_host", "hold_ttl", "dhcp", "externalipam", "state_dir"):
        assert getattr(settings, attribute) == getattr(defaults, attribute)


def test_every_line_of_the_sample_can_be_used(site):
    put(site, r"^#(:\w+:)", r"\1")
    settings = load(environ={})
    assert settings.warnings == ()
    assert set(settings.origins.values()) == {
        "config/settings.yml",
        "config/settings.d/dhcp.yml",
        "config/settings.d/externalipam.yml",
        "config/settings.d/logs.yml",
        "config/settings.d/api.yml",
        "config/settings.d/phpipam.yml",
    }
    assert settings.http_port == 8000


@pytest.mark.parametrize(("section", "key"), KEYS, ids=IDS)
def test_every_key_is_in_the_sample_with_its_help(section, key):
    text = sample_files()[section.file_name]
    assert re.search(rf"^#:{key.name}:", text, re.MULTILINE)
    assert key.variable in text
    assert key.help.split(".")[0].split()[0] in text


@pytest.mark.parametrize(("section", "key"), KEYS, ids=IDS)
def test_every_key_is_in_the_reference(section, key):
    table = reference().split(f"\n## {section.file_name}\n")[1].split("\n## ")[0]
    (row,) = [line for line in table.splitlines() if line.startswith(f"| `{key.name}` |")]
    assert f"`{key.variable}`" in row
    assert ("*Secret.*" in row) is key.secret


@pytest.mark.parametrize(("section", "key"), KEYS, ids=IDS)
def test_every_key_says_what_it_does_and_what_is_allowed(section, key):
    assert key.help.endswith(".")
    assert key.allowed != "see its description"


@pytest.mark.parametrize("key", sorted(PASSED_OVER))
def test_keys_of_the_ruby_proxy_are_in_the_reference(key):
    assert f"`{key}`" in reference()


def test_tables_have_five_columns_throughout():
    tables = reference().split("## settings.yml")[1].split("## What stops")[0]
    rows = [line for line in tables.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}


def test_no_line_of_the_sample_is_endless():
    assert all(len(line) <= 110 for text in sample_files().values() for line in text.splitlines())
