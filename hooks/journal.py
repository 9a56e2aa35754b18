"""What a hook has to say: to syslog and a file, and to standard error when somebody has to know now.

Never to standard output, which belongs to the tool that called us; never the environment, which holds passwords.
"""

from __future__ import annotations

import os
import sys
import syslog
import time
from typing import NamedTuple

from hooks.errors import printable
from hooks.settings import Settings
from hooks.shared_file import open_shared

_LONGEST = 1000


class Journal(NamedTuple):
    """Where messages go; ``command`` begins each of them."""

    command: str
    to_syslog: bool = True
    file: str = ""

    def info(self, message: str) -> None:
        """Something that is as it should be."""
        self._keep(syslog.LOG_INFO, message)

    def warning(self, message: str) -> None:
        """Something that will be made good later."""
        self._keep(syslog.LOG_WARNING, message)

    def loud(self, message: str) -> None:
        """Something that somebody has to look at: to standard error too, as one line."""
        self._keep(syslog.LOG_ERR, message)
        if sys.stderr is None:
            # It was closed when we were started; print would take standard output instead.
            return
        try:
            # Past the buffer: what stays in it is tried once more at the end, and makes the status 120, at which iocage
            # would stop the jail.
            os.write(sys.stderr.fileno(), f"leasehold-hook {self.command}: {_line(message)}\n".encode(errors="replace"))
        except OSError:
            # CBSD closes it now and then; the message is kept all the same.
            return

    def _keep(self, priority: int, message: str) -> None:
        line = f"{self.command}: {_line(message)}"
        if self.to_syslog:
            syslog.openlog("leasehold-hook", syslog.LOG_PID, syslog.LOG_DAEMON)
            syslog.syslog(priority, line)
        if self.file:
            self._write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} [{os.getpid()}] {line}\n")

    def _write(self, line: str) -> None:
        try:
            descriptor = open_shared(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            try:
                os.write(descriptor, line.encode(errors="replace"))
            finally:
                os.close(descriptor)
        except OSError as error:
            if self.to_syslog:
                syslog.syslog(syslog.LOG_WARNING, f"log_file {self.file} cannot be written: {error.strerror}")


def journal_of(settings: Settings, command: str) -> Journal:
    """The journal as the settings have it."""
    return Journal(command, settings.syslog, settings.log_file)


def _line(message: str) -> str:
    """The message on one line and not endless: parts of it come from elsewhere."""
    return printable(message)[:_LONGEST]
