"""One section of the settings, from its file, the environment and the command line: the later beats the earlier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from marshmallow import ValidationError, fields

from providers.printable import printable
from proxy.settings.fields import as_list
from proxy.settings.messages import COMMAND_LINE, Origin, wrong
from proxy.settings.ruby_proxy import PASSED_OVER
from proxy.settings.sections import Key, Section
from proxy.settings.yaml_file import YAMLFile


@dataclass(slots=True)
class Reading:
    """What a section says: ``values`` by attribute (only the good ones when there are ``problems``)."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class _Given(NamedTuple):
    value: object
    origin: Origin


def read_section(
    section: Section,
    path: Path,
    file: YAMLFile | None,
    environ: Mapping[str, str],
    overrides: Mapping[str, object],
) -> Reading:
    """Gather and check the settings of ``section``; ``path`` is where its file is or would be.

    Nothing is raised: what is wrong is in the reading's ``problems``, a line each.
    """
    reading = Reading()
    given: dict[str, _Given] = {}
    if file is not None:
        given.update(_from_file(section, file, reading))
    given.update(_from_environment(section.keys.values(), environ, reading))
    given.update({name: _Given(value, COMMAND_LINE) for name, value in overrides.items() if value is not None})
    try:
        reading.values = section.schema.load({name: value for name, (value, _) in given.items()})
    except ValidationError as error:
        reading.values = error.valid_data if isinstance(error.valid_data, dict) else {}
        reading.problems += _problems(section, path, given, error)
    reading.origins = {section.keys[name].attribute: origin for name, (_, origin) in given.items()}
    return reading


def _from_file(section: Section, file: YAMLFile, reading: Reading) -> dict[str, _Given]:
    origin = Origin(str(file.path))
    given: dict[str, _Given] = {}
    foreign: list[str] = []
    reading.warnings += file.warnings
    for name, value in file.values.items():
        if name in section.keys:
            # A key without a value is one that was left out: Ruby's nil.
            if value is not None:
                given[name] = _Given(value, origin)
        elif not section.name and name in PASSED_OVER:
            foreign.append(name)
        else:
            near = get_close_matches(name, section.keys, 1)
            hint = f"; did you mean :{near[0]}:?" if near else ""
            reading.warnings.append(f"{file.path}: :{printable(name)}: is no key of Leasehold, passed over{hint}")
    if foreign:
        reading.warnings.append(f"{file.path}: keys of the Ruby smart proxy that are passed over: {', '.join(foreign)}")
    return given


def _from_environment(keys: Iterable[Key], environ: Mapping[str, str], reading: Reading) -> dict[str, _Given]:
    """An empty variable counts as one that is not set, as container tools write them."""
    given: dict[str, _Given] = {}
    for key in keys:
        direct = environ.get(key.variable)
        if direct:
            given[key.name] = _Given(_from_text(key, direct), Origin(key.variable, implies_key=True))
        file_variable = f"{key.variable}_FILE"
        file_name = environ.get(file_variable) if key.secret else None
        if not file_name:
            continue
        if direct:
            reading.problems.append(f"{file_variable}: {key.variable} is set too; set only one of them")
            continue
        try:
            text = _secret(file_name)
        except ValueError as error:
            reading.problems.append(f"{file_variable}: the file that it names {error}")
            continue
        given[key.name] = _Given(_from_text(key, text), Origin(file_variable, implies_key=True))
    return given


def _secret(file_name: str) -> str:
    """What a secret's file holds. Raises ValueError, without the name: it may be the secret, put in the wrong place."""
    try:
        text = Path(file_name).read_text(encoding="utf-8").strip("\r\n")
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ValueError("is not UTF-8 text") from error
    if not text:
        raise ValueError("is empty")
    return text


def _from_text(key: Key, text: str) -> object:
    """The text of a variable in the form that marshmallow's own fields want; ours take text as it is."""
    if isinstance(key.field, fields.List | fields.Tuple):
        return as_list(text)
    if isinstance(key.field, fields.Mapping | fields.Nested):
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError:
            return text
    return text


def _problems(section: Section, path: Path, given: Mapping[str, _Given], error: ValidationError) -> list[str]:
    lines: list[str] = []
    by_key: dict[str, object] = error.normalized_messages()  # type: ignore[no-untyped-call]
    for name, messages in by_key.items():
        key = section.keys.get(name)
        if key is None:
            told = messages if isinstance(messages, list) else [messages]
            lines += [f"{path}: {' '.join(str(message).split())}" for message in told]
        elif name not in given:
            lines.append(f"{path}: :{name}: is missing; allowed: {key.allowed}; or set {key.variable}")
        else:
            lines += wrong(key, given[name].origin, given[name].value, messages)
    return lines
