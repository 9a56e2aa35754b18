"""Kea's configuration files: JSON with comments and includes.

Kea Administrator Reference Manual, "JSON Configuration": ``#`` and ``//`` begin a comment to the end of the line,
``/* */`` holds one, ``<?include "file"?>`` stands for what is in that file, and a comma may stand behind the last
element. None of them counts inside a string. The answer to ``config-get`` is read as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from providers.errors import InvalidValue

_DEEPEST = 10
"""As in Kea: an include that includes itself ends here."""
_LARGEST = 256 * 1024 * 1024
_PART = re.compile(
    r"""
    (?P<string>"(?:[^"\\\n]|\\.)*")
    | (?P<comment>\#[^\n]*|//[^\n]*|/\*.*?\*/)
    | <\?[ \t\n]*include[ \t\n]+"(?P<file>(?:[^"\\\n]|\\.)+)"[ \t\n]*\?>
    | (?P<comma>,)(?=(?>\s|\#[^\n]*|//[^\n]*|/\*.*?\*/)*+[\]}])
    | (?P<other>[^"\#/<,]+|.)
    """,
    re.VERBOSE | re.DOTALL,
)


def read(path: Path) -> Mapping[str, Any]:
    """What stands below ``Dhcp4``. Raises InvalidValue for a file that cannot be read or understood, and says where."""
    text = "".join(_parts(path, 0))
    try:
        found = json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"{path}: this is not JSON as Kea reads it: {error}; kea-dhcp4 -t FILE says more") from error
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    for wrapped in ("arguments", "Dhcp4"):
        if isinstance(found, dict) and isinstance(found.get(wrapped), dict):
            found = found[wrapped]
        elif wrapped == "Dhcp4":
            raise InvalidValue(f"{path}: no Dhcp4 in it: it is no configuration of kea-dhcp4")
    return dict(found)


def _parts(path: Path, depth: int) -> list[str]:
    if depth > _DEEPEST:
        raise InvalidValue(f"{path}: includes more than {_DEEPEST} deep")
    try:
        if path.stat().st_size > _LARGEST:
            raise InvalidValue(f"{path}: larger than {_LARGEST >> 20} MiB")
        text = path.read_text(errors="replace")
    except OSError as error:
        raise InvalidValue(f"{path} cannot be read: {error.strerror}") from error
    parts: list[str] = []
    for found in _PART.finditer(text):
        if found["file"] is not None:
            parts += _parts(path.parent / json.loads(f'"{found["file"]}"'), depth + 1)
        elif found["comment"] is not None:
            # Lines keep their numbers, for what json says of a mistake.
            parts.append("\n" * found["comment"].count("\n") or " ")
        elif found["comma"] is None:
            parts.append(found[0])
    return parts
