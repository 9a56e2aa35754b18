"""dnsmasq.conf(5): a setting a line, words with commas between, and the files that some settings name.

What dnsmasq's read_file() does with quotes and comments is done here: between quotes commas are part of a word, and
``#`` begins a comment only after a blank.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from providers.dhcp.isc.grammar import Place
from providers.errors import InvalidValue

_PART = re.compile(r'"(?:[^"\\]|\\.)*"|[^"]+', re.DOTALL)
_COMMENT = re.compile(r"^#|(?<=\s)#")
_LATER_COMMENT = re.compile(r"(?<=\s)#")
_ESCAPE = re.compile(r'\\(["tnebr\\])')
_ESCAPES = {"t": "\t", "n": "\n", "e": "\033", "b": "\b", "r": "\r"}
_MOST_FILES = 10_000
_HOSTS = ("dhcp-hostsfile", "dhcp-hostsdir")
_OPTIONS = ("dhcp-optsfile", "dhcp-optsdir")
FOLLOWED = frozenset({"conf-file", "conf-dir", *_HOSTS, *_OPTIONS})


@dataclass(frozen=True, slots=True)
class Setting:
    """``dhcp-host=52:54:00:00:00:01,10.0.1.5`` is the name ``dhcp-host`` with two words."""

    place: Place
    name: str
    words: tuple[str, ...] = ()


def read(path: Path, *, follow: Collection[str] = FOLLOWED) -> Iterator[Setting]:
    """The settings of a configuration, those of included files in their place.

    The lines of hosts files come as ``dhcp-host`` and those of options files as ``dhcp-option``, after the setting
    that names the file; a hosts or options file that is not there is passed over, as dnsmasq does. A relative path is
    looked for beside the file that names it. Only settings in ``follow`` are followed to their files.

    Raises InvalidValue, with file and line, for a quote that does not end and for a file that cannot be read.
    """
    yield from _Files(follow).settings(path, None)


class _Files:
    """All files of one reading: each configuration is read once, as dnsmasq does it."""

    def __init__(self, follow: Collection[str]) -> None:
        self._follow = follow
        self._read: set[Path] = set()
        self._opened = 0

    def settings(self, path: Path, place: Place | None) -> Iterator[Setting]:
        real = path.resolve()
        if real in self._read:
            return
        self._read.add(real)
        for setting in self._lines(path, place, None):
            yield setting
            yield from self._included(setting, path.parent)

    def _included(self, setting: Setting, beside: Path) -> Iterator[Setting]:
        if setting.name not in self._follow or not setting.words or not setting.words[0]:
            return
        named = beside / setting.words[0]
        if setting.name == "conf-file":
            yield from self.settings(named, setting.place)
        elif setting.name == "conf-dir":
            for path in _listed(named, setting.words[1:]):
                yield from self.settings(path, setting.place)
        elif setting.name in _HOSTS + _OPTIONS:
            name = "dhcp-host" if setting.name in _HOSTS else "dhcp-option"
            for path in _listed(named, ()) if named.is_dir() else [named]:
                if path.exists():
                    yield from self._lines(path, setting.place, name)

    def _lines(self, path: Path, place: Place | None, name: str | None) -> Iterator[Setting]:
        """The lines of one file: settings, or the words of settings called ``name``."""
        what = f"{place}: {path}" if place else str(path)
        self._opened += 1
        if self._opened > _MOST_FILES:
            raise InvalidValue(f"{what}: too many files include one another")
        try:
            text = path.read_bytes().decode(errors="replace")
        except OSError as error:
            raise InvalidValue(f"{what} cannot be read: {error.strerror}") from error
        for number, line in enumerate(text.split("\n"), 1):
            setting = _setting(Place(str(path), number), line, name)
            if setting is not None:
                yield setting


def _setting(place: Place, line: str, name: str | None) -> Setting | None:
    parts = _parts(place, line)
    if name is not None:
        words = _words(parts)
        return Setting(place, name, words) if any(words) else None
    first, equals, rest = parts[0][0].partition("=") if parts and not parts[0][1] else ("", "", "")
    keyword = first.strip()
    if not keyword:
        return None
    return Setting(place, keyword, _words([(rest, False), *parts[1:]]) if equals else ())


def _parts(place: Place, line: str) -> list[tuple[str, bool]]:
    """The line without its comment, as pieces that are quoted or not."""
    parts: list[tuple[str, bool]] = []
    at = 0
    while at < len(line):
        match = _PART.match(line, at)
        if match is None:
            raise InvalidValue(f"{place}: a quote opens a text that does not end")
        if match[0].startswith('"'):
            parts.append((_ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), match[0][1:-1]), True))
        else:
            # Right behind a quote a # begins no comment, at the beginning of the line it does.
            comment = (_COMMENT if not parts else _LATER_COMMENT).search(match[0])
            parts.append((match[0][: comment.start()] if comment else match[0], False))
            if comment:
                return parts
        at = match.end()
    return parts


def _words(parts: list[tuple[str, bool]]) -> tuple[str, ...]:
    """The words that commas outside quotes separate, without the blanks around them."""
    words, current = [], ""
    for text, quoted in parts:
        if quoted:
            current += text
            continue
        first, *others = text.split(",")
        current += first
        for other in others:
            words.append(current.strip(" \t\r"))
            current = other
    return (*words, current.strip(" \t\r"))


def _listed(directory: Path, endings: tuple[str, ...]) -> list[Path]:
    """The files of a directory as conf-dir takes them: ``*.conf`` takes only those, ``.bak`` leaves those out."""
    wanted = tuple(each[1:] for each in endings if each.startswith("*") and each != "*")
    unwanted = tuple(each for each in endings if each and not each.startswith("*"))
    try:
        names = sorted(path.name for path in directory.iterdir() if path.is_file())
    except OSError as error:
        raise InvalidValue(f"{directory} cannot be read: {error.strerror}") from error
    return [
        directory / name
        for name in names
        if not (name.endswith("~") or name.startswith(".") or (name.startswith("#") and name.endswith("#")))
        and (not wanted or name.endswith(wanted))
        and not (unwanted and name.endswith(unwanted))
    ]
