"""The sample settings files: every key with its help and default, commented out, in Ruby's form."""

from __future__ import annotations

from textwrap import wrap

import yaml

from proxy.settings.sections import Key, Section, all_sections

_WIDTH = 100
_MAIN_HEAD = (
    "Settings of Leasehold. Everything here is optional: a line that is commented out shows the default, or an "
    "example where the text says so. docs/settings.md describes all keys on one page, with those of the modules."
)


def sample_files() -> dict[str, str]:
    """The text of every sample file by its name below the directory of settings.yml."""
    return {section.file_name: _sample(section) for section in all_sections()}


def inline(value: object) -> str:
    """A value on one line, as YAML spells it."""
    return str(yaml.safe_dump([value], default_flow_style=True, width=10_000, allow_unicode=True)).strip()[1:-1]


def _sample(section: Section) -> str:
    head = (
        f"Settings of {section.name}; docs/settings.md describes all keys on one page." if section.name else _MAIN_HEAD
    )
    return (
        "\n".join(["---", *_comment(head), *(line for key in section.keys.values() for line in ["", *_key(key)])])
        + "\n"
    )


def _key(key: Key) -> list[str]:
    words = key.default_in_words
    default = f"Default: {words}; below is an example." if words else f"Default: {inline(key.default)}."
    return [
        *_comment(key.help),
        *_comment(f"Allowed: {key.allowed}. {default}"),
        *_comment(f"Environment: {key.variable}" + (f" or {key.variable}_FILE" if key.secret else "")),
        f"#:{key.name}:" + ("" if key.sample is None else f" {inline(key.sample)}"),
    ]


def _comment(text: str) -> list[str]:
    return wrap(
        text, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_long_words=False, break_on_hyphens=False
    )
