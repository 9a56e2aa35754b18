"""The page docs/settings.md: a short introduction, and tables that come from the schema."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from proxy.settings.ruby_proxy import PASSED_OVER
from proxy.settings.sample import inline
from proxy.settings.sections import Key, Section, all_sections

_INTRODUCTION = """\
# Settings

<!-- Made by `make docs` from proxy/settings/. Change it there. -->

Leasehold starts without any settings file. What you want to change goes into YAML files in the form of the Foreman
smart proxy: `settings.yml`, and beside it a directory `settings.d` with one file for each module and provider. Keys
may be written with the colon that the Ruby proxy has (`:http_port: 8000`) or without it (`http_port: 8000`).

## Where the files are

`settings.yml` is the file given with `--config`, else the one that the variable `LEASEHOLD_CONFIG` names, else
`config/settings.yml` below the working directory. A file that was named has to be there; without the last one every
setting has its default. `leasehold config sample --directory DIR` writes a set of files with every key explained.

## Which value counts

From the strongest to the weakest:

1. an option on the command line, such as `leasehold serve --http-port 8080`
2. an environment variable; each key has one, named in the tables below, and an empty one counts as not set
3. the file
4. the default

A list in a variable has commas between its elements: `LEASEHOLD_DHCP_SUBNETS=10.0.1.0/24,10.0.2.0/24`.

`leasehold config show` prints the values in force and where each came from. `leasehold config check` says what is
wrong, and so does every start: a wrong value stops it with a line that names the file, the key, the value and what is
allowed. A key that Leasehold does not know is named in a warning and passed over.

## Secrets

For keys marked *secret* a second variable with `_FILE` at its end names a file that holds the value, for example
`LEASEHOLD_DATABASE_FILE=/run/secrets/database`. Secrets are never printed, neither in messages nor by `config show`.

## Files of the Ruby smart proxy

An existing `settings.yml`, `settings.d/dhcp.yml`, `settings.d/externalipam.yml` and
`settings.d/externalipam_phpipam.yml` can be taken as they are. Note that some defaults differ: Leasehold listens on
127.0.0.1, on http port 8000 when no certificate is set, logs to the standard output, both modules are enabled, and
addresses are not probed.
"""


def reference() -> str:
    """The text of docs/settings.md."""
    sections = "\n".join(_section(section) for section in all_sections())
    return f"{_INTRODUCTION}\n{sections}\n{_foreign()}"


def _section(section: Section) -> str:
    rows = [_row(key) for key in section.keys.values()]
    head = ("key", "default", "allowed", "environment variable", "what it does")
    return f"## {section.file_name}\n\n{_table(head, rows)}"


def _row(key: Key) -> Sequence[str]:
    help_text = _plain(key.help) + (" *Secret.*" if key.secret else "")
    default = key.default_in_words or f"`{inline(key.default)}`"
    return f"`{key.name}`", default, _plain(key.allowed), f"`{key.variable}`", help_text


def _foreign() -> str:
    return f"""\
## What stops the start

`ping_free_ip: true` promises a protection that this version cannot give, so that passing over it would be dangerous.

## Keys of the Ruby smart proxy that are passed over

With one warning: {", ".join(f"`{key}`" for key in sorted(PASSED_OVER))}.

Files of other modules in `settings.d` mean nothing to Leasehold; one that is enabled is named in a warning.
"""


def _plain(text: str) -> str:
    """Text whose asterisks mean themselves in Markdown."""
    return text.replace("*", "\\*")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
