"""Reading one YAML file of settings, with keys in Ruby's form or plain."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from providers.errors import Misconfigured

_PIECE = re.compile(r"(?P<harmless>'.'|'<[a-z ]{1,20}>')|'[^'<>]{2,}'|<[^<>]{20,}>")
"""What YAML's messages quote: single characters and the names of its own tokens, else pieces of the file."""


@dataclass(frozen=True, slots=True)
class YAMLFile:
    """The keys of a file without their colons, and what the operator should hear about it."""

    path: Path
    values: Mapping[str, Any]
    warnings: tuple[str, ...]


def read(path: Path) -> YAMLFile | None:
    """Read ``path``; an empty file has no keys, and None means that there is no such file.

    Raises Misconfigured, in one line with file and line, when it cannot be read or is not a mapping of keys.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Misconfigured(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Misconfigured(f"{path}: is not UTF-8 text: byte {error.start + 1} is wrong") from error
    try:
        loader = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Misconfigured(f"{path}: line {line}: there is a character that YAML does not allow") from error
    try:
        return _mapping(path, loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Misconfigured(f"{path}: line {mark.line + 1 if mark else 1}: {_problem(error)}") from error
    finally:
        loader.dispose()


def _mapping(path: Path, loader: yaml.SafeLoader) -> YAMLFile:
    node = loader.get_single_node()
    if node is None or node.tag == "tag:yaml.org,2002:null":
        return YAMLFile(path, {}, ())
    if not isinstance(node, yaml.MappingNode):
        raise Misconfigured(f"{path}: line {node.start_mark.line + 1}: no keys here; write :key: value")
    loader.flatten_mapping(node)
    values: dict[str, Any] = {}
    warnings: list[str] = []
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise Misconfigured(f"{path}: line {line}: a key has to be a word")
        key = key_node.value.removeprefix(":")
        if key in values:
            warnings.append(f"{path}: :{key}: is given twice; the one in line {line} counts")
        try:
            values[key] = loader.construct_object(value_node, deep=True)
        except ValueError as error:
            # A date that no calendar has, for example.
            raise Misconfigured(f"{path}: line {line}: :{key}: has no value that YAML knows; use quotes") from error
    return YAMLFile(path, values, tuple(warnings))


def _shown(piece: re.Match[str]) -> str:
    return piece["harmless"] or "(hidden)"


def _problem(error: yaml.MarkedYAMLError) -> str:
    """What is wrong, without repeating longer pieces of the file: they may be secrets."""
    told = _PIECE.sub(_shown, " ".join(str(error.problem or error.context).split()))
    return f"this is not YAML: {told}. Values with special characters need quotes"
