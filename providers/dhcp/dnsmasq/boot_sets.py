"""What a host boots: boot file and boot server. Few distinct pairs exist; each has one tag in dnsmasq.

``option:bootfile-name`` goes into the header field ``file`` when the client does not ask for option 67, and into that
option when it does; ``option:server-ip-address`` sets ``siaddr`` (measured with 2.90; man page, --dhcp-optsfile).
``dhcp-boot`` with ``dhcp-no-override`` fills the header whatever the client asks for, but is read at start only.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from netaddr import valid_ipv4

from providers.address_book.texts import LONGEST_FILENAME, refuse_unfit_filename
from providers.errors import InvalidValue
from providers.model import DHCPHost

_TAG = re.compile(r"leasehold-[0-9a-f]{12}")
_LINE = re.compile(rf'tag:({_TAG.pattern}),option:(bootfile-name|server-ip-address),(?:"((?:[^"\\]|\\.)*)"|([0-9.]+))')
_ESCAPED = re.compile(r'([\\"])')
_UNESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class BootSet:
    """A boot file and the IPv4 address of a boot server; one of them may be missing."""

    filename: str | None
    next_server: str | None

    @property
    def tag(self) -> str:
        """The tag that stands for it: the same for the same pair, in every process."""
        spelled = json.dumps([self.filename, self.next_server])
        return f"leasehold-{hashlib.sha256(spelled.encode()).hexdigest()[:12]}"


def boot_set(host: DHCPHost) -> BootSet | None:
    """What ``host`` boots; None when it is told nothing. Raises InvalidValue for what dnsmasq cannot tell."""
    if host.filename is None and host.next_server is None:
        return None
    if host.next_server is not None and not (host.next_server.count(".") == 3 and valid_ipv4(host.next_server)):
        raise InvalidValue(
            f"Invalid next server {host.next_server}: dnsmasq takes the address of a boot server, not its name"
        )
    if host.filename is not None:
        refuse_unfit_filename(host.filename)
        if len(host.filename.encode()) >= LONGEST_FILENAME:
            raise InvalidValue(
                f"Invalid filename {host.filename}: dnsmasq ends it with a NUL, so it has at most "
                f"{LONGEST_FILENAME - 1} bytes"
            )
    return BootSet(host.filename, host.next_server)


def options_text(sets: Iterable[BootSet]) -> str:
    """The options file."""
    lines = []
    for each in sorted(sets, key=lambda found: found.tag):
        if each.filename is not None:
            lines.append(f"tag:{each.tag},option:bootfile-name,{_quoted(each.filename)}")
        if each.next_server is not None:
            lines.append(f"tag:{each.tag},option:server-ip-address,{each.next_server}")
    return "".join(f"{line}\n" for line in lines)


def boot_text(sets: Iterable[BootSet]) -> str:
    """The file for conf-file; without dhcp-no-override dnsmasq would send the name twice in one option."""
    lines = [
        f"dhcp-boot=tag:{each.tag},{_quoted(each.filename)},,{each.next_server or ''}".rstrip(",")
        for each in sorted(sets, key=lambda found: found.tag)
        if each.filename is not None
    ]
    return "".join(f"{line}\n" for line in ["dhcp-no-override", *lines])


def read_options(text: str) -> Mapping[str, BootSet]:
    """The boot sets of an options file by their tags; what others wrote into it is passed over."""
    found: dict[str, BootSet] = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        tag, option, quoted, plain = match.groups()
        known = found.get(tag, BootSet(None, None))
        if option == "bootfile-name" and quoted is not None:
            found[tag] = BootSet(_UNESCAPED.sub(r"\1", quoted), known.next_server)
        elif plain is not None:
            found[tag] = BootSet(known.filename, plain)
    return {tag: each for tag, each in found.items() if each.tag == tag}


def _quoted(text: str) -> str:
    """A text as read_file() of dnsmasq takes it: between quotes nothing but the backslash and the quote is special."""
    escaped = _ESCAPED.sub(r"\\\1", text)
    return f'"{escaped}"'
