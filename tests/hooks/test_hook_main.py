"""``leasehold-hook``: which command is meant."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import pytest

from hooks import main as program


@pytest.mark.parametrize(
    ("called", "arguments", "meant"),
    [
        ("/usr/local/bin/leasehold-hook", ["check"], ("check", [])),
        ("/usr/local/bin/leasehold-hook", ["claim", "list"], ("claim", ["list"])),
        ("/usr/local/bin/leasehold-hook", [], ("", [])),
        ("/usr/jails/jails-system/web1/master_prestart.d/leasehold", [], ("cbsd", ["master_prestart.d"])),
        ("/usr/jails/jails-system/web1/remove.d/leasehold-hook", [], ("cbsd", ["remove.d"])),
        ("/usr/local/libexec/leasehold-dhcpd", ["ip4pool='10.0.0.1'"], ("cbsd-dhcpd", ["ip4pool='10.0.0.1'"])),
        ("/usr/jails/share/mnt_start", ["-j", "web1"], ("mount", ["-j", "web1"])),
    ],
)
def test_the_place_of_a_link_is_a_command(called, arguments, meant):
    assert program._chosen(called, arguments) == meant


@pytest.mark.parametrize("module", [module for module, _ in program.COMMANDS.values()])
def test_every_command_has_its_module(module):
    assert find_spec(module) is not None


def test_help_names_every_command(capsys):
    assert program.main(["help"]) == 0
    printed = capsys.readouterr().out
    assert [name for name in program.COMMANDS if name not in printed] == []


@pytest.mark.parametrize("arguments", [[], ["fly"]])
def test_anything_else_is_wrong_usage(capsys, monkeypatch, arguments):
    monkeypatch.setattr(sys, "argv", ["leasehold-hook"])
    assert program.main(arguments) == 2
    assert "usage:" in capsys.readouterr().err
