"""``leasehold config``: check, show and write the settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from providers.errors import Conflict, Unavailable
from proxy.commands.output import json_option
from proxy.settings import Settings, load
from proxy.settings.effective import EffectiveSection, effective
from proxy.settings.loader import DEFAULT_FILE
from proxy.settings.reference import reference as reference_page
from proxy.settings.sample import inline, sample_files
from proxy.tls import server_context


@click.group()
def config() -> None:
    """Check, show and write the settings."""


@config.command()
@click.pass_context
def check(ctx: click.Context) -> None:
    """Read the settings and say whether they are fine, and how the DHCP server is, if there is one to be told.

    What is wrong is told in one line each: the file, the key, the value and what is allowed. Certificate, key and CA
    are read too, by the account that calls this.
    """
    settings = _settings(ctx)
    if settings.file is None:
        click.echo(f"{DEFAULT_FILE}: not there; what the environment does not set has its default")
    server_context(settings)
    for file in settings.files:
        click.echo(f"{file}: fine")
    _tell_dhcp_server(settings)


def _tell_dhcp_server(settings: Settings) -> None:
    from providers.book.database import Book
    from proxy.assembly import open_dhcp

    provider = open_dhcp(settings, Book(settings.database))
    if provider.capabilities.publishes:
        health = provider.health()
        click.echo(f"{provider.name}: {health.detail}", err=not health.ok)
    provider.close()


@config.command()
@json_option
@click.pass_context
def show(ctx: click.Context, as_json: bool) -> None:
    """Print the settings in force and where each value came from, without secrets."""
    settings = _settings(ctx)
    sections = list(effective(settings))
    if as_json:
        click.echo(json.dumps(_as_json(settings, sections), indent=2, ensure_ascii=False))
        return
    for section in sections:
        click.echo(f"# {_file_of(section)}")
        lines = [f":{key}:{'' if value is None else f' {inline(value)}'}" for key, value in section.values.items()]
        width = max(map(len, lines))
        for line, origin in zip(lines, section.origins.values(), strict=True):
            click.echo(f"{line:<{width}}  # {origin}")


@config.command()
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the files there instead of printing them.",
)
@click.option("--force", is_flag=True, help="Replace files that differ from the sample.")
def sample(directory: Path | None, force: bool) -> None:
    """Print sample settings files with every key explained, or write them.

    They work as they stand: every key is commented out. Files that are there already and say something else are left
    alone, and nothing is written, unless --force is given.
    """
    files = sample_files()
    if directory is None:
        for name, text in files.items():
            click.echo(f"# {name}\n{text}")
        return
    try:
        _write({directory / name: text for name, text in files.items()}, force=force)
    except OSError as error:
        raise Unavailable(f"{error.filename}: cannot be written: {error.strerror}") from error


@config.command(hidden=True)
def reference() -> None:
    """Print the page docs/settings.md."""
    click.echo(reference_page(), nl=False)


@config.command(hidden=True)
def access() -> None:
    """Print the page docs/access.md."""
    from proxy.access.page import page
    from proxy.app import routes_only

    click.echo(page(routes_only()), nl=False)


def _write(files: Mapping[Path, str], *, force: bool) -> None:
    different = [path for path, text in files.items() if path.exists() and path.read_bytes() != text.encode()]
    if different and not force:
        names = ", ".join(map(str, different))
        raise Conflict(f"{names}: there already, with other contents. Nothing was written; add --force to replace them")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        click.echo(f"{path}: written")


def _settings(ctx: click.Context) -> Settings:
    settings = load(getattr(ctx.obj, "config_path", None))
    for warning in settings.warnings:
        click.echo(f"Warning: {warning}", err=True)
    return settings


def _file_of(section: EffectiveSection) -> str:
    return f"settings.d/{section.name}.yml" if section.name else "settings.yml"


def _as_json(settings: Settings, sections: list[EffectiveSection]) -> dict[str, Any]:
    """Stable shape: the file, then every section by its name, that of settings.yml being ``settings``."""
    return {
        "file": settings.file and str(settings.file),
        **{
            section.name or "settings": {
                key: {"value": value, "origin": section.origins[key]} for key, value in section.values.items()
            }
            for section in sections
        },
    }
