"""The grammar that dhcpd.conf(5) and dhcpd.leases(5) share: words that end in ``;`` or are followed by a block.

What the words mean is not known here, with two exceptions: ``include`` and the braces of an option's definition
(``option space.name code 1 = { text, integer 8 };``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from providers.errors import InvalidValue

_TOKEN = re.compile(
    r'(?P<blank>\s++|#[^\n]*+)|(?P<string>"(?:[^"\\]|\\.)*+")|(?P<mark>[;{},()=])|(?P<word>[^\s;{},()="#]++)', re.DOTALL
)
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|[0-7]{1,3}|.)", re.DOTALL)
_SHORT = {"t": "\t", "r": "\r", "n": "\n", "b": "\b"}
_DEEPEST = 64
_MOST_FILES = 10_000
_LONGEST_CHAIN = 32
_UNFINISHED = "a statement begins here and does not end: a ; or a brace is missing"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Word:
    """A word, a mark such as ``,`` or ``=``, or a text without its quotes."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """Words, at least one, and the statements of the block that follows them, if one does."""

    place: Place
    words: tuple[Word, ...]
    block: tuple[Statement, ...] | None = None

    @property
    def keyword(self) -> str:
        """The first word in lower case; for an option the second one too: ``option routers``."""
        first = self._word(0)
        return f"{first} {self._word(1)}" if first == "option" and len(self.words) > 1 else first

    @property
    def arguments(self) -> tuple[Word, ...]:
        """The words after the keyword."""
        return self.words[2 if self._word(0) == "option" else 1 :]

    def _word(self, number: int) -> str:
        word = self.words[number]
        return word.text if word.quoted else word.text.lower()


def read(path: Path, *, torn: bool = False, opened: list[Path] | None = None) -> Iterator[Statement]:
    """The statements of a file, those of included files in their place, one by one.

    A relative include is looked for beside the file that names it, then beside ``path``. With ``torn``, a last
    statement that does not end is passed over, as dhcpd does with its leases file after a power cut. The paths of all
    files, also of those that cannot be read, are added to ``opened``.

    Raises InvalidValue, with file and line, for what does not follow the grammar, for files that cannot be read and
    for files that include themselves.
    """
    return _Files(torn=torn, opened=opened).statements(path, (), None)


def parse(text: str, file: str) -> Iterator[Statement]:
    """The statements of a text; ``file`` is how it is called in messages, and where includes are looked for.

    Raises InvalidValue as :func:`read` does.
    """
    return _Parser(text, Path(file), (), _Files(torn=False)).statements()


class _Files:
    """All files of one reading, so that their number stays bounded."""

    def __init__(self, *, torn: bool, opened: list[Path] | None = None) -> None:
        self.torn = torn
        self._opened: list[Path] = [] if opened is None else opened

    def statements(self, path: Path, chain: tuple[Path, ...], place: Place | None) -> Iterator[Statement]:
        """Those of a file that ``place`` includes, and the files in ``chain`` before it."""
        what = f"{place}: {_printable(str(path))}" if place else _printable(str(path))
        self._opened.append(path)
        try:
            real = path.resolve()
            if real in chain:
                raise InvalidValue(f"{what} includes itself")
            if len(chain) >= _LONGEST_CHAIN or len(self._opened) > _MOST_FILES:
                raise InvalidValue(f"{what}: too many files include one another")
            if real.exists() and not real.is_file():
                raise InvalidValue(f"{what} is not a file")
            raw = real.read_bytes()
        except OSError as error:
            raise InvalidValue(f"{what} cannot be read: {error.strerror}") from error
        except (ValueError, RuntimeError) as error:
            raise InvalidValue(f"{what} cannot be the name of a file") from error
        yield from _Parser(_decoded(raw), path, (*chain, real), self).statements()


class _Parser:
    def __init__(self, text: str, path: Path, chain: tuple[Path, ...], files: _Files) -> None:
        self._path = path
        self._file = _printable(str(path))
        self._chain = chain
        self._files = files
        self._torn = False
        self._tokens = self._scan(text)

    def statements(self, depth: int = 0, opened: Place | None = None) -> Iterator[Statement]:
        """Statements up to the end of the block that was ``opened``, or of the file."""
        words: list[Word] = []
        begin = Place(self._file, 1)
        for kind, text, line in self._tokens:
            mark = text if kind == "mark" else ""
            if not words:
                begin = Place(self._file, line)
            if mark == "}":
                if words:
                    raise InvalidValue(f"{begin}: {_UNFINISHED}")
                if opened is None:
                    raise InvalidValue(f"{begin}: }} closes a block that was not opened")
                return
            if mark == "{" and _defines_a_record(words):
                words += self._record(begin)
            elif mark == "{":
                if not words:
                    raise InvalidValue(f"{begin}: a block without a name")
                if depth >= _DEEPEST:
                    raise InvalidValue(f"{begin}: more than {_DEEPEST} blocks within one another")
                inside = list(self.statements(depth + 1, begin))
                if self._torn:
                    return
                yield Statement(begin, tuple(words), tuple(inside))
                words = []
            elif mark == ";":
                yield from self._finished(begin, words)
                words = []
            else:
                words.append(Word(_unescaped(text[1:-1]), quoted=True) if kind == "string" else Word(text))
        if (words or opened) and not self._files.torn:
            raise InvalidValue(f"{begin if words else opened}: {_UNFINISHED}")
        self._torn = opened is not None

    def _finished(self, begin: Place, words: list[Word]) -> Iterator[Statement]:
        if not words:
            return
        if words[0].text.lower() == "include" and not words[0].quoted:
            if len(words) != 2 or not words[1].quoted:
                raise InvalidValue(f'{begin}: write it as include "file";')
            yield from self._files.statements(self._included(words[1].text), self._chain, begin)
        else:
            yield Statement(begin, tuple(words))

    def _included(self, name: str) -> Path:
        """Beside this file; otherwise beside the first one, where dhcpd would be started to find it."""
        beside = self._path.parent / name
        return beside if not self._chain or _is_there(beside) else self._chain[0].parent / name

    def _record(self, begin: Place) -> list[Word]:
        """The words of ``{ text, integer 8 }``, braces included."""
        words, open_braces = [Word("{")], 1
        for kind, text, _ in self._tokens:
            if kind == "mark" and text == ";":
                break
            words.append(Word(text, quoted=kind == "string"))
            open_braces += {"{": 1, "}": -1}.get(text, 0)
            if not open_braces:
                return words
        raise InvalidValue(f"{begin}: {_UNFINISHED}")

    def _scan(self, text: str) -> Iterator[tuple[str, str, int]]:
        """Kind, text and line of every token."""
        position, line = 0, 1
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                if self._files.torn:
                    return
                raise InvalidValue(f"{Place(self._file, line)}: a quote opens a text that does not end")
            if match.lastgroup is not None and match.lastgroup != "blank":
                yield match.lastgroup, match[0], line
            line += match[0].count("\n")
            position = match.end()


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _defines_a_record(words: list[Word]) -> bool:
    return len(words) > 1 and words[0].text.lower() == "option" and words[-1].text.lower() in ("=", "of")


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_plain, text) if "\\" in text else text


def _plain(escape: re.Match[str]) -> str:
    body = escape[1]
    if body[0] == "x" and len(body) > 1:
        return chr(int(body[1:], 16))
    return chr(int(body, 8) & 0xFF) if body[0] in "01234567" else _SHORT.get(body, body)


def _decoded(raw: bytes) -> str:
    """As UTF-8, or else as Latin-1, which any octets are: dhcpd does not care."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)
