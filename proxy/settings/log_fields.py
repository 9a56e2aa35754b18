"""What the settings of the log may look like."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from marshmallow import ValidationError
from marshmallow.fields import Field

from proxy.logs.patterns import parse_pattern
from proxy.settings.fields import FilePath, Text, WholeNumber

LogDestination = Path | Literal["STDOUT", "SYSLOG"]

_YEAR_IN_SECONDS = 366 * 24 * 60 * 60
_PERIODS = ("daily", "weekly", "monthly")


class LogFile(Field[LogDestination]):
    """Where the log goes: STDOUT, SYSLOG, or a file."""

    allowed = "STDOUT, SYSLOG, or the path of a file"

    def _deserialize(self, value: object, *_: object, **__: object) -> LogDestination:
        name = value.strip().removeprefix(":").upper() if isinstance(value, str) else ""
        if name == "STDOUT":
            return "STDOUT"
        if name == "SYSLOG":
            return "SYSLOG"
        if name in {"JOURNAL", "JOURNALD"}:
            raise ValidationError("cannot be used: choose STDOUT, which systemd writes to the journal, or SYSLOG")
        return FilePath()._deserialize(value)

    def _serialize(self, value: LogDestination | None, *_: object, **__: object) -> str:
        return str(value)


class LogPattern(Text):
    """A pattern of the Ruby smart proxy's logging library."""

    allowed = "text with %d %l %m %c %p %h %X{request} %X{session} %X{remote_ip} %%"

    def _deserialize(self, value: object, *_: object, **__: object) -> str:
        text = super()._deserialize(value)
        try:
            parse_pattern(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error
        return text


class RollingAge(Field[str | int]):
    """How long a file is written to: a named period, or seconds."""

    allowed = f"{', '.join(_PERIODS)}, or a number of seconds up to {_YEAR_IN_SECONDS}"

    def _deserialize(self, value: object, *_: object, **__: object) -> str | int:
        name = value.strip().removeprefix(":").casefold() if isinstance(value, str) else ""
        return name if name in _PERIODS else WholeNumber(1, _YEAR_IN_SECONDS)._deserialize(value)

    def _serialize(self, value: str | int | None, *_: object, **__: object) -> str | int | None:
        return value
