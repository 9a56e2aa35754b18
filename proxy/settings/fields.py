"""What a setting may look like: marshmallow fields that take YAML values and environment text alike.

Every field says in ``allowed`` what it accepts. Messages are written to follow the value in a sentence: "is not ...".
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from marshmallow import ValidationError
from marshmallow.fields import Field

NOT_ALLOWED = "is not allowed"
_VERSION = re.compile(r"\d{1,5}(\.\d{1,5}){1,3}([-+.][A-Za-z0-9.]{1,32})?")
_PROVIDER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")
_YEAR_IN_MINUTES = 525_600


def as_list(value: object) -> list[object]:
    """One value, a list, or text with commas between its elements (``[a, b]`` too), as a list."""
    if isinstance(value, str):
        inner = value.strip().removeprefix("[").removesuffix("]")
        return [part.strip().strip("'\"") for part in inner.split(",") if part.strip()]
    return list(value) if isinstance(value, list | tuple) else [value]


class Text(Field[str]):
    """Any text that is not blank."""

    allowed = "text"

    def _deserialize(self, value: object, *_: object, **__: object) -> str:
        return text_of(value)


class VersionText(Text):
    """A version such as 3.13.0; text, because the number 3.10 would turn into 3.1."""

    allowed = "a version such as '3.13.0'"

    def _deserialize(self, value: object, *_: object, **__: object) -> str:
        text = super()._deserialize(value)
        if not _VERSION.fullmatch(text):
            raise ValidationError(NOT_ALLOWED)
        return text


class ProviderName(Text):
    """The name of one of the ``known`` providers or the dotted path of a class; whether it exists is asked later."""

    def __init__(self, known: Iterable[str], **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.allowed = f"{', '.join(sorted(known))}, or the dotted path of a class"

    def _deserialize(self, value: object, *_: object, **__: object) -> str:
        text = super()._deserialize(value).removeprefix(":")
        if not _PROVIDER.fullmatch(text):
            raise ValidationError(NOT_ALLOWED)
        return text


class WholeNumber(Field[int]):
    """A whole number from ``low`` to ``high``."""

    def __init__(self, low: int, high: int, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.low = low
        self.high = high
        self.allowed = f"a whole number from {low} to {high}"

    def _deserialize(self, value: object, *_: object, **__: object) -> int:
        return _whole_number(value, self.low, self.high)


class Port(Field[int | None]):
    """A TCP port, or None (written as false) for no listener."""

    allowed = "a whole number from 1 to 65535, false"

    def _deserialize(self, value: object, *_: object, **__: object) -> int | None:
        text = value.strip().casefold() if isinstance(value, str) else value
        if text is False or text in ("false", "no", "off"):
            return None
        return _whole_number(value, 1, 65535)

    def _serialize(self, value: int | None, *_: object, **__: object) -> int | bool:
        return False if value is None else value


class Minutes(Field[timedelta]):
    """A duration, written as whole minutes from ``low`` to a year."""

    def __init__(self, low: int, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.low = low
        self.allowed = f"whole minutes from {low} to {_YEAR_IN_MINUTES}"

    def _deserialize(self, value: object, *_: object, **__: object) -> timedelta:
        if isinstance(value, timedelta):
            return value
        return timedelta(minutes=_whole_number(value, self.low, _YEAR_IN_MINUTES))

    def _serialize(self, value: timedelta | None, *_: object, **__: object) -> float | None:
        if value is None:
            return None
        minutes = value.total_seconds() / 60
        return int(minutes) if minutes.is_integer() else minutes


class Choice(Field[str]):
    """One of ``choices``, in whatever case, also as a Ruby symbol."""

    def __init__(self, *choices: str, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.choices = choices
        self.allowed = ", ".join(choices)

    def _deserialize(self, value: object, *_: object, **__: object) -> str:
        if isinstance(value, str):
            text = value.strip().removeprefix(":").casefold()
            for choice in self.choices:
                if choice.casefold() == text:
                    return choice
        raise ValidationError(NOT_ALLOWED)


class Switch(Field[bool]):
    """True or false."""

    allowed = "true, false"

    def _deserialize(self, value: object, *_: object, **__: object) -> bool:
        return _switch(value)


class Enabled(Field[bool | str]):
    """Whether a module runs, and on which listener: true, false, http, https."""

    allowed = "true, false, http, https"

    def _deserialize(self, value: object, *_: object, **__: object) -> bool | str:
        name = value.strip().removeprefix(":").casefold() if isinstance(value, str) else None
        return name if name in {"http", "https"} else _switch(value)


class FilePath(Field[Path]):
    """A file or directory; ``~`` is the home directory."""

    allowed = "a path"

    def _deserialize(self, value: object, *_: object, **__: object) -> Path:
        return _path(value)

    def _serialize(self, value: Path | None, *_: object, **__: object) -> str | None:
        return None if value is None else str(value)


def text_of(value: object) -> str:
    """A value that has to be text on one line, without blanks at its ends; raises ValidationError."""
    if isinstance(value, int | float | date):
        raise ValidationError("is not text: put it in quotes")
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValidationError(NOT_ALLOWED)
    return value.strip()


def _whole_number(value: object, low: int, high: int) -> int:
    if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValidationError(NOT_ALLOWED)
    return value


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    text = value.strip().casefold() if isinstance(value, str) else ""
    if text not in {"true", "false", "yes", "no", "on", "off", "1", "0"}:
        raise ValidationError(NOT_ALLOWED)
    return text in {"true", "yes", "on", "1"}


def _path(value: object) -> Path:
    text = text_of(os.fspath(value) if isinstance(value, os.PathLike) else value)
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ValidationError("names a home directory that is not known") from error
