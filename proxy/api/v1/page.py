"""The documentation of ``/api/v1`` as one page of HTML, without scripts and without anything from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, Template
from markupsafe import Markup, escape

_METHODS = ("get", "post", "put", "patch", "delete")
_CODE = re.compile(r"`([^`\n]+)`")


def page(document: Mapping[str, Any]) -> str:
    """The page about an OpenAPI document of ours."""
    schemas = document["components"]["schemas"]
    return _template().render(
        info=document["info"],
        tags=[(tag, _of_tag(document, tag["name"])) for tag in document["tags"]],
        refusals=document["components"]["responses"],
        schemas=schemas,
        codes=schemas["ErrorBody"]["properties"]["code"]["enum"],
        type_of=type_of,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("proxy.api.v1", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["marked"] = marked
    return environment.get_template("page.html")


def marked(text: str) -> Markup:
    """A text of the document, in which words between backticks are code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped just before


def _of_tag(document: Mapping[str, Any], tag: str) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Path, method and operation of everything with a tag."""
    return [
        (path, method, of_methods[method])
        for path, of_methods in document["paths"].items()
        for method in _METHODS
        if method in of_methods and tag in of_methods[method]["tags"]
    ]


def type_of(schema: Mapping[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return " | ".join("null" if each is None else str(each) for each in schema["enum"])
    if "anyOf" in schema and "type" not in schema:
        return " or ".join(type_of(each) for each in schema["anyOf"])
    kinds = schema.get("type", "anything")
    if "null" in kinds and isinstance(kinds, list):
        rest = [kind for kind in kinds if kind != "null"]
        return f"{type_of({**schema, 'type': rest[0]})} or null" if rest else "null"
    if kinds == "array":
        return f"list of {type_of(schema['items'])}"
    return str(kinds)
