"""``leasehold config``: check, show, sample, reference."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from click.testing import CliRunner, Result

import proxy.assembly
from providers.errors import Conflict, Misconfigured, Unavailable
from proxy.commands import main
from proxy.commands.config import config
from proxy.settings.reference import reference
from proxy.settings.sample import sample_files
from tests.providers.dhcp.recording_double import RecordingDHCP, Server

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no settings in the environment."""
    for name in [name for name in os.environ if name.startswith("LEASEHOLD_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run() -> Run:
    """Calls the group as the main program does."""

    def call(*arguments: str, config_path: Path | None = None) -> Result:
        return CliRunner().invoke(config, arguments, obj=SimpleNamespace(config_path=config_path))

    return call


@pytest.fixture
def file(site: Path) -> Path:
    path = site / "mine.yml"
    path.write_text(":http_port: 8001\n:database: postgresql://me:hunter2@db/book\n:colour: blue\n")
    return path


class TestCheck:
    def test_names_the_files_that_are_fine(self, run, file):
        result = run("check", config_path=file)
        assert result.exit_code == 0
        assert result.stdout == f"{file}: fine\n"

    def test_warnings_go_to_standard_error(self, run, file):
        assert (
            run("check", config_path=file).stderr == f"Warning: {file}: :colour: is no key of Leasehold, passed over\n"
        )

    def test_says_so_when_there_is_no_file(self, run):
        result = run("check")
        assert result.exit_code == 0
        assert result.stdout.startswith("config/settings.yml: not there")

    def test_raises_what_is_wrong(self, run, file):
        file.write_text(":http_port: soon")
        result = run("check", config_path=file)
        assert result.exit_code != 0
        assert isinstance(result.exception, Misconfigured)

    def test_the_program_tells_what_is_wrong_in_one_line(self, file):
        file.write_text(":http_port: soon")
        result = CliRunner().invoke(main, ["--config", str(file), "config", "check"])
        assert result.exit_code == 5
        assert result.stdout == ""
        assert result.stderr == (
            f"Error: {file}: :http_port: 'soon' is not allowed; allowed: a whole number from 1 to 65535, false\n"
        )

    def test_reads_the_certificate_too(self, site):
        (site / "junk.pem").write_text("junk")
        keys = ("ssl_certificate", "ssl_private_key", "ssl_ca_file")
        (site / "mine.yml").write_text("".join(f":{key}: {site}/junk.pem\n" for key in keys))
        result = CliRunner().invoke(main, ["--config", "mine.yml", "config", "check"])
        assert (result.exit_code, result.stdout) == (5, "")
        assert result.stderr == f"Error: :ssl_certificate: {site}/junk.pem holds no certificate in PEM form\n"


class TestShow:
    def test_is_yaml_with_the_values_in_force(self, run, file):
        text = run("show", config_path=file).stdout
        assert yaml.safe_load(text.split("# settings.d/")[0])[":http_port"] == 8001

    def test_says_where_each_value_came_from(self, run, file, monkeypatch):
        monkeypatch.setenv("LEASEHOLD_THREADS", "3")
        lines = run("show", config_path=file).stdout.splitlines()
        assert any(line.startswith(":http_port: 8001") and line.endswith(f"# {file}") for line in lines)
        assert any(line.startswith(":threads: 3") and line.endswith("# LEASEHOLD_THREADS") for line in lines)
        assert any(line.startswith(":log_level: INFO") and line.endswith("# default") for line in lines)

    @pytest.mark.parametrize("option", [(), ("--json",)])
    def test_has_no_secrets(self, run, file, option):
        result = run("show", *option, config_path=file)
        assert result.exit_code == 0
        assert "hunter2" not in result.output

    def test_json_has_each_value_with_its_origin_and_no_secret(self, run, file):
        shown = json.loads(run("show", "--json", config_path=file).stdout)
        assert shown["file"] == str(file)
        assert shown["settings"]["http_port"] == {"value": 8001, "origin": str(file)}
        assert shown["settings"]["database"]["value"] == "postgresql+psycopg://me:***@db/book"
        assert shown["dhcp"]["use_provider"] == {"value": "dhcp_none", "origin": "default"}
        assert shown["externalipam"]["ip_exists_form"] == {"value": "bare", "origin": "default"}


class TestSample:
    def test_prints_every_file(self, run):
        text = run("sample").stdout
        for name, content in sample_files().items():
            assert f"# {name}\n{content}" in text

    def test_writes_every_file(self, run, site):
        result = run("sample", "--directory", "new/config")
        assert result.exit_code == 0
        for name, content in sample_files().items():
            assert (site / "new/config" / name).read_text() == content
            assert f"new/config/{name}: written" in result.stdout

    def test_may_be_repeated(self, run):
        run("sample", "--directory", "config")
        assert run("sample", "--directory", "config").exit_code == 0

    def test_leaves_other_contents_alone(self, run, site):
        (site / "settings.yml").write_text(":http_port: 8001")
        result = run("sample", "--directory", ".")
        assert isinstance(result.exception, Conflict)
        assert "settings.yml" in str(result.exception)
        assert "--force" in str(result.exception)
        assert (site / "settings.yml").read_text() == ":http_port: 8001"
        assert not (site / "settings.d").exists()

    def test_replaces_them_when_forced(self, run, site):
        (site / "settings.yml").write_text(":http_port: 8001")
        assert run("sample", "--directory", ".", "--force").exit_code == 0
        assert (site / "settings.yml").read_text() == sample_files()["settings.yml"]

    def test_a_directory_that_cannot_be_made(self, run, site):
        (site / "taken").write_text("")
        result = run("sample", "--directory", "taken/config")
        assert isinstance(result.exception, Unavailable)
        assert "cannot be written" in str(result.exception)


class TestReference:
    def test_prints_the_page(self, run):
        assert run("reference").stdout == reference()

    def test_is_not_in_the_help(self, run):
        assert "reference" not in run("--help").stdout


@pytest.mark.parametrize(("broken", "stream"), [(set(), "stdout"), ({"publish"}, "stderr")], ids=["well", "away"])
def test_a_check_tells_how_the_dhcp_server_is(bookless, empty_place, monkeypatch, broken, stream):
    def on_a_double(self, book, _):
        self.book, self.server = book, Server(broken=broken)

    monkeypatch.setattr(RecordingDHCP, "__init__", on_a_double)
    monkeypatch.setitem(proxy.assembly.DHCP_PROVIDERS, "dhcp_none", f"{RecordingDHCP.__module__}:RecordingDHCP")

    result = bookless("config", "check")

    assert result.exit_code == 0
    assert "dhcp_double: a double\n" in getattr(result, stream)
