"""The OpenAPI document and the page that is made of it."""

from __future__ import annotations

import re

import pytest
from openapi_spec_validator import validate

from proxy.api.v1.openapi import operations
from proxy.api.v1.page import marked


@pytest.fixture
def document(ask):
    return ask("GET", "/openapi.json").json


def test_the_document_is_valid(document):
    validate(document)
    assert document["openapi"] == "3.1.0"


def test_every_route_is_in_it(document, started):
    described = {(path, method) for path, of_methods in document["paths"].items() for method in of_methods}
    routes = {
        (re.sub(r"<(\w+)>", r"{\1}", rule), method.lower()) for rule, method, _, _ in operations(started())
    }
    assert described == routes
    served = {rule.rule for rule in started().url_map.iter_rules() if rule.endpoint.startswith("api.")}
    assert {re.sub(r"<(\w+)>", r"{\1}", each) for each in served} - {path for path, _ in described} == {
        "/api/v1/openapi.json",
        "/api/v1/docs",
    }


def test_every_operation_says_what_it_does(document):
    for path, of_methods in document["paths"].items():
        for method, each in of_methods.items():
            assert each["summary"], (path, method)
            assert "Needs " in each["description"], (path, method)
            assert {"401", "403", "422", "503"} <= set(each["responses"]), (path, method)


def test_unknown_fields_are_refused_by_the_document_too(document):
    bodies = {
        each["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for of_methods in document["paths"].values()
        for each in of_methods.values()
        if "requestBody" in each
    }
    assert [name for name in bodies if document["components"]["schemas"][name]["additionalProperties"]] == []


def test_the_page_needs_nothing_from_elsewhere(ask):
    page = ask("GET", "/docs")
    assert (page.status_code, page.content_type) == (200, "text/html; charset=utf-8")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert re.findall(r"<script|<link|<img|<iframe|https?://|//\w", page.text) == []


def test_the_page_shows_every_operation_and_its_links_lead_somewhere(ask, document):
    text = ask("GET", "/docs").text
    for path, of_methods in document["paths"].items():
        for method in of_methods:
            assert f"<b>{method.upper()}</b> {path}</h3>" in text
    targets = set(re.findall(r'id="([^"]+)"', text))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= targets


def test_the_page_has_each_place_once_and_no_marks_of_markdown(ask):
    text = ask("GET", "/docs").text
    places = re.findall(r'id="([^"]+)"', text)
    assert sorted(places) == sorted(set(places))
    assert "`" not in text


def test_words_between_backticks_are_code_and_all_else_is_text():
    assert marked("`next` of <b>`a&b`</b>") == "<code>next</code> of &lt;b&gt;<code>a&amp;b</code>&lt;/b&gt;"
