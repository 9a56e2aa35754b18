"""Parameters of query and form, by the rules that Foreman's requests were written for (Rack's).

``a=1`` is a text, a bare ``a`` is nothing, ``a[]=1&a[]=2`` is a list and ``a[x]=1`` a table. Of a text given twice
the last counts, and the form's counts before the query's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote_to_bytes

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from providers.errors import InvalidValue
from providers.printable import printable

LARGEST_BODY = 64 * 1024
"""In bytes. The framework reads one more, to see that there is more: a body without a length is cut off otherwise."""
MOST_FIELDS = 256

_LONGEST_QUERY = 8 * 1024
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9a-fA-F]{2})")
_NESTED = re.compile(r"([^\[\]]+)\[([^\[\]]*)\]")
_URLENCODED = ("", "application/x-www-form-urlencoded")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

Value = str | None | list[str] | dict[str, str]


class Parameters(Mapping[str, Value]):
    """Parameters by name; the methods raise InvalidValue when one has another shape than asked for."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def text(self, name: str) -> str | None:
        """The text of ``name``; None if it is missing or bare."""
        value = self._values.get(name)
        if value is None or isinstance(value, str):
            return value
        raise InvalidValue(f"Parameter {name} must be one value, given once as {name}=value")

    def texts(self, name: str) -> list[str]:
        """The texts of the list ``name`` that are not empty."""
        value = self._values.get(name)
        if isinstance(value, dict):
            raise InvalidValue(f"Parameter {name} must be a list, given as {name}[]=value")
        values = value if isinstance(value, list) else [value]
        return [text for text in values if text]

    def table(self, name: str) -> Mapping[str, str]:
        """The entries of the table ``name``; empty if it is missing, bare or empty."""
        value = self._values.get(name)
        if isinstance(value, dict):
            return value
        if value:
            raise InvalidValue(f"Parameter {name} must be a table, given as {name}[key]=value")
        return {}


def query_parameters(request: Request) -> Parameters:
    """The parameters of the query. Raises InvalidValue when it cannot be read."""
    return Parameters(_nested(_pairs(_query(request))))


def all_parameters(request: Request) -> Parameters:
    """The parameters of query and form together; a body that is no form is ignored.

    Raises InvalidValue when one of them cannot be read, RequestEntityTooLarge when there is too much of it.
    """
    return Parameters({**_nested(_pairs(_query(request))), **_nested(_form_pairs(request))})


def _query(request: Request) -> bytes:
    query = request.query_string
    if len(query) > _LONGEST_QUERY:
        raise InvalidValue(f"The query is longer than {_LONGEST_QUERY} characters")
    return query


def _form_pairs(request: Request) -> Iterable[tuple[str, str | None]]:
    if request.mimetype in _URLENCODED:
        body = request.get_data(cache=False)
        if len(body) > LARGEST_BODY:
            raise RequestEntityTooLarge
        return _pairs(body)
    if request.mimetype == "multipart/form-data":
        return _whole(request.form.items(multi=True))
    return ()


def _pairs(encoded: bytes) -> Iterator[tuple[str, str | None]]:
    if not encoded:
        return
    for field in encoded.split(b"&"):
        if field:
            name, equals, value = field.partition(b"=")
            yield _decoded(name), _decoded(value) if equals else None


def _decoded(encoded: bytes) -> str:
    if b"%" in encoded and _BROKEN_ESCAPE.search(encoded):
        raise InvalidValue("The parameters cannot be read: a % is not followed by two hexadecimal digits")
    try:
        return unquote_to_bytes(encoded.replace(b"+", b" ")).decode()
    except UnicodeDecodeError as error:
        raise InvalidValue("The parameters cannot be read: they are not UTF-8") from error


def _whole(fields: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """``fields`` as they came: the multipart parser replaces what is not UTF-8, and we refuse it."""
    for name, value in fields:
        if _REPLACEMENT in name or _REPLACEMENT in value:
            raise InvalidValue("The parameters cannot be read: they are not UTF-8")
        yield name, value


def _nested(pairs: Iterable[tuple[str, str | None]]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for count, (name, text) in enumerate(pairs):
        if count >= MOST_FIELDS:
            raise InvalidValue(f"There are more than {MOST_FIELDS} parameters")
        match = _NESTED.fullmatch(name) if name.endswith("]") else None
        if match is None:
            _add_text(values, name, text)
        elif match[2]:
            _add_to_table(values, match[1], match[2], text)
        else:
            _add_to_list(values, match[1], text)
    return values


def _add_text(values: dict[str, Value], name: str, text: str | None) -> None:
    known = values.get(name)
    if known is None or isinstance(known, str):
        values[name] = text
    elif text is not None:
        raise _clash(name)


def _add_to_list(values: dict[str, Value], name: str, text: str | None) -> None:
    known = values.get(name)
    if known is None:
        known = values[name] = []
    if not isinstance(known, list):
        raise _clash(name)
    known.append(text or "")


def _add_to_table(values: dict[str, Value], name: str, key: str, text: str | None) -> None:
    known = values.get(name)
    if known is None:
        known = values[name] = {}
    if not isinstance(known, dict):
        raise _clash(name)
    known[key] = text or ""


def _clash(name: str) -> InvalidValue:
    return InvalidValue(f"Parameter {printable(name)} is given in two shapes")
