"""The keys of ``settings.d/dhcp_dnsmasq.yml``."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

NO_FILE = "none"
"""In place of a path: there is no such file."""

_VERSION = re.compile(r"\d{1,3}\.\d{1,4}")


def _command(text: str) -> None:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValidationError(f"is no command: {error}") from error
    if not words:
        raise ValidationError("is no command")


def _version(text: str) -> None:
    if not _VERSION.fullmatch(text):
        raise ValidationError("is no version such as '2.90'")


def _path(default: str | None, help_text: str, *, example: str | None = None, optional: bool = False) -> fields.String:
    metadata: dict[str, object] = {"help": help_text, "allowed": "a path"}
    if example is not None:
        metadata |= {"computed": "none", "example": example}
    return fields.String(load_default=default, allow_none=optional, validate=validate.Length(1), metadata=metadata)


class DnsmasqSchema(Schema):
    """How dnsmasq is reached; docs/dnsmasq.md tells the whole way."""

    hosts_file = _path(
        "/var/lib/leasehold-dnsmasq/hosts",
        "The file that dnsmasq.conf names in dhcp-hostsfile. Leasehold writes all of it, and dnsmasq must be able to "
        "read it.",
    )
    options_file = _path(
        "/var/lib/leasehold-dnsmasq/options",
        "The file that dnsmasq.conf names in dhcp-optsfile: boot files and boot servers. Leasehold writes all of it.",
    )
    boot_file = _path(
        None,
        "A file that dnsmasq.conf names in conf-file. With it boot files stand in the header field of every answer, "
        "for boot ROMs that look only there; dnsmasq is restarted when a new pair of boot file and boot server comes.",
        example="/var/lib/leasehold-dnsmasq/boot.conf",
        optional=True,
    )
    leases = _path("/var/lib/misc/dnsmasq.leases", "The leases file of dnsmasq, its dhcp-leasefile.")
    config = _path(
        None,
        "dnsmasq.conf, when Leasehold may read it: then an address or MAC that has a dhcp-host there is refused.",
        example="/etc/dnsmasq.conf",
        optional=True,
    )
    pid_file = fields.String(
        load_default="/run/dnsmasq/dnsmasq.pid",
        validate=validate.Length(1),
        metadata={
            "help": "The pid-file of dnsmasq, which tells whether it runs, and where SIGHUP goes when there is no "
            "reload_command; none where dnsmasq's processes cannot be seen from here.",
            "allowed": f"a path, {NO_FILE}",
        },
    )
    reload_command = fields.String(
        load_default=None,
        allow_none=True,
        validate=_command,
        metadata={
            "help": "What lets dnsmasq read its files again, where Leasehold may not send it a signal. No shell.",
            "allowed": "a command",
            "computed": "SIGHUP to the process in pid_file",
            "example": "systemctl reload dnsmasq.service",
        },
    )
    restart_command = fields.String(
        load_default=None,
        allow_none=True,
        validate=_command,
        metadata={
            "help": "What restarts dnsmasq. A dnsmasq before 2.91 ends itself when it reads again hosts with boot "
            "files, so there those hosts need it; boot_file needs it with any version. No shell.",
            "allowed": "a command",
            "computed": "none: before 2.91 hosts with a boot file or boot server are refused",
            "example": "systemctl restart dnsmasq.service",
        },
    )
    program = _path("dnsmasq", "The dnsmasq program, which is asked for its version.")
    version = fields.String(
        load_default=None,
        allow_none=True,
        validate=_version,
        metadata={
            "help": "The version of the dnsmasq that runs, where its program is not on this machine, or where a "
            "distribution has mended an older one: '2.91' says that it can read tagged hosts again.",
            "allowed": "a version such as '2.91'",
            "computed": "what program says; the oldest when it says nothing",
            "example": "2.91",
        },
    )
    timeout = fields.Integer(
        load_default=10,
        validate=validate.Range(1, 60),
        metadata={"help": "Seconds within which dnsmasq has to have read its files, and a command has to end."},
    )

    @validates_schema
    def _files_differ(self, data: Mapping[str, Any], **_: object) -> None:
        """Each file is written whole, and would be lost to the other one."""
        names = ("hosts_file", "options_file", "boot_file", "leases", "config", "pid_file")
        seen: dict[Path, str] = {}
        for name in names:
            given = data.get(name)
            if given is not None and given != NO_FILE and seen.setdefault(Path(given), name) != name:
                raise ValidationError(f"is the file of :{seen[Path(given)]}: too", name)
