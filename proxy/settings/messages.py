"""One line for each wrong setting: where it stands, what is wrong, what is allowed; never a secret."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from marshmallow import fields

from providers.printable import printable
from proxy.settings.fields import NOT_ALLOWED, as_list
from proxy.settings.sections import Key

SECRET = "(secret)"  # noqa: S105 - what is shown instead of one
_LONGEST = 100
_USER_INFO = re.compile(r"://[^/\s]*@")
"""User and password in a URL."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: a file, the command line, or a variable, which implies the key."""

    name: str
    implies_key: bool = False

    def place(self, key: str) -> str:
        """The beginning of every message about ``key``."""
        return f"{self.name}:" if self.implies_key else f"{self.name}: :{key}:"


COMMAND_LINE = Origin("command line")


def wrong(key: Key, origin: Origin, value: object, messages: object) -> list[str]:
    """The lines for what marshmallow found wrong with the ``value`` of ``key``, one for each wrong element."""
    if isinstance(messages, dict):
        elements = as_list(value)
        return [
            line
            for index, inner in messages.items()
            for line in wrong(
                key, origin, elements[index] if isinstance(index, int) and index < len(elements) else value, inner
            )
        ]
    if isinstance(messages, list) and any(isinstance(message, dict) for message in messages):
        return [line for message in messages for line in wrong(key, origin, value, message)]
    told = messages if isinstance(messages, list) else [messages]
    text = " and ".join(_predicate(str(message)) for message in told)
    if key.secret and isinstance(value, str) and value.strip() in text:
        text = NOT_ALLOWED
    if isinstance(key.field, fields.String) and not isinstance(value, str):
        text += " (text needs quotes)"
    return [f"{origin.place(key.name)} {SECRET if key.secret else shown(value)} {text}; allowed: {key.allowed}"]


def shown(value: object) -> str:
    """A value in one line, as YAML would spell it and not endless."""
    text = f"'{value}'" if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = _USER_INFO.sub("://***@", printable(text, None))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _predicate(message: str) -> str:
    """Marshmallow's own sentences ("Not a valid integer.") made to follow the value, as ours do."""
    told = " ".join(message.split()).removesuffix(".")
    return f"{NOT_ALLOWED} ({told})" if told[:1].isupper() else told
