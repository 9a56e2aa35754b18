"""The house keeps its shape: which package may import which, and what every module has."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
VAGUE_NAMES = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}
WEB = {"click", "flask", "gunicorn", "werkzeug"}


def modules(*packages: str) -> list[Path]:
    """All Python files of the packages."""
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """The top-level package of everything that a module imports, wherever in it."""
    own_package = path.relative_to(ROOT).parts[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield own_package if node.level else (node.module or "").partition(".")[0]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("package", ["proxy", "providers", "hooks"])
def test_the_packages_are_where_these_tests_look(package: str):
    assert modules(package)


@pytest.mark.parametrize("path", modules("providers"), ids=named)
def test_providers_know_nothing_of_the_proxy_or_of_http_servers(path: Path):
    assert not ({"proxy", "hooks"} | WEB) & set(imported(path))


@pytest.mark.parametrize("path", modules("proxy"), ids=named)
def test_the_proxy_does_not_import_hooks(path: Path):
    assert "hooks" not in set(imported(path))


@pytest.mark.parametrize("path", modules("hooks"), ids=named)
def test_hooks_import_the_standard_library_and_themselves(path: Path):
    assert set(imported(path)) - {"hooks"} <= set(sys.stdlib_module_names)


def test_the_proxy_stands_on_the_providers():
    assert any("providers" in imported(path) for path in modules("proxy"))


@pytest.mark.parametrize("path", modules("proxy", "providers", "hooks"), ids=named)
def test_every_module_says_what_it_is(path: Path):
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", modules("proxy", "providers", "hooks", "tests"), ids=named)
def test_a_module_is_named_after_its_subject(path: Path):
    assert not VAGUE_NAMES & set(path.stem.split("_"))


@pytest.mark.parametrize("path", modules("proxy", "providers", "hooks"), ids=named)
def test_a_module_fits_into_one_reading(path: Path):
    assert len(path.read_text().splitlines()) <= 300


def listing_packages() -> list[Path]:
    """The packages whose docstring has a table of their modules."""
    inits = [path for path in modules("proxy", "providers", "hooks", "bench") if path.name == "__init__.py"]
    return [path for path in inits if "====" in (ast.get_docstring(ast.parse(path.read_text())) or "")]


def test_there_are_packages_that_list_their_modules():
    assert listing_packages()


@pytest.mark.parametrize("path", listing_packages(), ids=named)
def test_a_package_that_lists_its_modules_lists_all_of_them(path: Path):
    words = set(re.findall(r"``([a-z_0-9.]+)``", ast.get_docstring(ast.parse(path.read_text())) or ""))
    beginnings = tuple(word.removesuffix("...") for word in words if word.endswith("..."))
    there = {each.stem for each in path.parent.glob("*.py") if not each.stem.startswith("__")}
    assert {each for each in there - words if not (beginnings and each.startswith(beginnings))} == set()
