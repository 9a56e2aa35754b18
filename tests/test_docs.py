"""The documentation is complete and true: endpoints appear, links lead somewhere, the session works as printed."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from providers.address_book import AddressBook
from proxy.app import create_app
from proxy.assembly import open_address_book
from proxy.commands import main
from proxy.settings import load

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]

_TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def test_every_endpoint_is_documented(address_book: AddressBook) -> None:
    # docs/access.md is made from the routes and has them all.
    page = "".join(each.read_text() for each in PAGES if each.name != "access.md")
    app = create_app(address_book, load(environ={}))
    wanted = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {each for each in wanted if f"`{each}`" not in page} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_a_title_and_something_below_it(page: Path) -> None:
    title, _, rest = page.read_text().partition("\n")
    assert title.startswith("# ")
    assert rest.strip()


def test_the_readme_links_to_every_page() -> None:
    text = (ROOT / "README.md").read_text()
    assert [page.name for page in PAGES[1:] if f"{page.relative_to(ROOT)})" not in text] == []


def test_the_session_of_the_readme_works_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEASEHOLD_STATE_DIR", str(tmp_path))
    for arguments in (["database", "upgrade"], ["subnet", "sample"]):
        assert CliRunner().invoke(main, arguments).exit_code == 0
    settings = load()
    book = open_address_book(settings)
    client = create_app(book, settings).test_client()
    for command, printed in _session():
        assert _words(_run(command, client)) == _words(printed), command
    book.close()


def _session() -> list[tuple[list[str], str]]:
    """The commands of the README's console blocks, each with what is printed below it."""
    blocks = re.findall(r"^( *)```console\n(.*?)^ *```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    session: list[tuple[list[str], str]] = []
    for indent, block in blocks:
        for line in block.splitlines():
            text = line.removeprefix(indent)
            if text.startswith("$ "):
                session.append((shlex.split(text[2:]), ""))
            else:
                command, printed = session[-1]
                session[-1] = (command, printed + text + "\n")
    assert len(session) > 10
    return session


def _words(text: str) -> list[str]:
    """What is printed, but for the times and the width of columns that depends on them."""
    return [word for word in _TIMES.sub("TIME", text).split() if not set(word) <= {"-"}]


def _run(command: list[str], client: FlaskClient) -> str:
    if command[0] == "curl":
        return _curl(command[1:], client)
    assert command[0] == ".venv/bin/leasehold"
    return CliRunner().invoke(main, command[1:]).output


def _curl(arguments: list[str], client: FlaskClient) -> str:
    """What curl would print, for the few options that the README uses."""
    method, form, url = "GET", [], ""
    rest = iter(arguments)
    for argument in rest:
        if argument == "-X":
            method = next(rest)
        elif argument == "-d":
            form.append(next(rest))
            method = "POST"
        else:
            url = argument
    parts = urlsplit(f"http://{url}")
    answer = client.open(
        parts.path,
        method=method,
        query_string=parts.query,
        data="&".join(form),
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code < 300, (url, answer.text)
    if answer.text:
        json.loads(answer.text)
    return answer.text
