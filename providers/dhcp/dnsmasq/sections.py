"""The hosts file and the options file as a whole: a section for each subnet, and the boot sets that are used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from providers.dhcp.dnsmasq.boot_sets import BootSet, options_text, read_options
from providers.dhcp.dnsmasq.host_lines import HostLine, read_line

_TITLE = "# Written by Leasehold: what is changed here by hand is lost.\n"
_SECTION = re.compile(r"^# subnet ([0-9]+)\n", re.MULTILINE)
_TAGS = re.compile(r"set:(leasehold-[0-9a-f]{12})")


@dataclass(frozen=True)
class Sections:
    """Host lines of each subnet, by its id in the book, as text; and the boot sets by their tags."""

    text_of: Mapping[int, str]
    sets: Mapping[str, BootSet]

    _parsed: dict[int, list[HostLine]] = field(default_factory=dict, compare=False, repr=False)
    _by_mac: dict[int, dict[str, HostLine]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def read(cls, hosts: str, options: str) -> Sections:
        """What both files hold; what stands before the first section is nobody's."""
        parts = _SECTION.split(hosts)
        return cls({int(parts[at]): parts[at + 1] for at in range(1, len(parts), 2)}, read_options(options))

    @staticmethod
    def foreign(hosts: str, options: str) -> str | None:
        """The first line that Leasehold cannot have written; None when all could be its own.

        Lines within a section count as its own, so that somebody's change by hand is put right.
        """
        for line in hosts.partition("# subnet ")[0].splitlines():
            if line.strip() and not line.startswith("#"):
                return line
        for line in options.splitlines():
            if line.strip() and not line.startswith(("#", "tag:leasehold-")):
                return line
        return None

    def with_subnets(self, changed: Mapping[int, Iterable[HostLine] | None]) -> Sections:
        """The same with other lines for some subnets; None takes a subnet out."""
        texts, sets = dict(self.text_of), dict(self.sets)
        for subnet_id, lines in changed.items():
            texts.pop(subnet_id, None)
            if lines is None:
                continue
            written = []
            for line in lines:
                written.append(f"{line.text()}\n")
                if line.boot is not None:
                    sets[line.boot.tag] = line.boot
            texts[subnet_id] = "".join(written)
        return Sections(texts, sets)

    @property
    def used(self) -> Mapping[str, BootSet]:
        """The boot sets that some line has."""
        tags = {tag for text in self.text_of.values() for tag in _TAGS.findall(text)}
        return {tag: each for tag, each in self.sets.items() if tag in tags}

    @property
    def damaged(self) -> bool:
        """Whether a line has a tag without a boot set: somebody changed one of the files."""
        return any(tag not in self.sets for text in self.text_of.values() for tag in set(_TAGS.findall(text)))

    def lines(self, subnet_id: int) -> list[HostLine]:
        """The lines of a subnet."""
        if subnet_id not in self._parsed:
            found = (read_line(text, self.sets) for text in self.text_of.get(subnet_id, "").splitlines())
            self._parsed[subnet_id] = [line for line in found if line is not None]
        return self._parsed[subnet_id]

    def line_of(self, subnet_id: int, mac: str) -> HostLine | None:
        """The line of a subnet that a MAC is in."""
        if subnet_id not in self._by_mac:
            self._by_mac[subnet_id] = {each: line for line in self.lines(subnet_id) for each in line.macs}
        return self._by_mac[subnet_id].get(mac)

    def hosts_text(self) -> str:
        """The hosts file."""
        texts = sorted(self.text_of.items())
        return _TITLE + "".join(f"# subnet {subnet_id}\n{text}" for subnet_id, text in texts if text)

    def options_text(self) -> str:
        """The options file."""
        return _TITLE + options_text(self.used.values())
