"""The ``leasehold`` command: one module per command or group of commands, loaded when it is called."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from keyword import iskeyword
from pathlib import Path

import click

from providers.errors import LeaseholdError
from proxy import __version__
from proxy.commands.exits import exit_code, hint, message
from proxy.commands.session import Access, Session

_COMMANDS = (
    "serve",
    "subnet",
    "address",
    "hold",
    "guest",
    "claim",
    "import",
    "export",
    "events",
    "token",
    "config",
    "sync",
    "check",
    "database",
)


_LOCAL = {"serve", "import", "token", "config", "check", "database", "sync"}
"""What only makes sense where the book is."""
_HELP = {"-h", "--help"}


class _Program(click.Group):
    """Loads a command's module only when that command is wanted, and turns our errors into exit codes."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        wanted = args[0]
        if wanted not in _COMMANDS and wanted[:1].isalnum():
            near = get_close_matches(wanted, _COMMANDS, 1)
            ctx.fail(f"No such command '{wanted}'.{f' Did you mean {near[0]}?' if near else ''}")
        name, command, rest = super().resolve_command(ctx, args)
        if ctx.params.get("url") and name in _LOCAL and _HELP.isdisjoint(rest):
            raise click.UsageError(
                f"leasehold {name} works where the book is: leave out --url (or unset LEASEHOLD_URL) and run it there"
            )
        return name, command, rest

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command = getattr(import_module(f"proxy.commands.{name}"), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"proxy.commands.{name} defines no command {cmd_name}")
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except LeaseholdError as error:
            click.echo(f"Error: {message(error)}", err=True)
            if advice := hint(error):
                click.echo(advice, err=True)
            ctx.exit(exit_code(error))


_READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings file; otherwise $LEASEHOLD_CONFIG, otherwise config/settings.yml.",
)
@click.option(
    "--url",
    envvar="LEASEHOLD_URL",
    show_envvar=True,
    metavar="URL",
    help="Work through the service at this address, such as https://leasehold.example.com:8443, not on a local book.",
)
@click.option(
    "--token-file",
    type=_READABLE,
    envvar="LEASEHOLD_TOKEN_FILE",
    show_envvar=True,
    metavar="FILE",
    help="File with the token to show the service; $LEASEHOLD_TOKEN holds the token itself.",
)
@click.option(
    "--ca-file",
    type=_READABLE,
    envvar="LEASEHOLD_CA_FILE",
    show_envvar=True,
    metavar="FILE",
    help="Certificates of the authorities that may vouch for the service; otherwise those that the machine trusts.",
)
@click.option(
    "--certificate",
    type=_READABLE,
    envvar="LEASEHOLD_CERTIFICATE",
    show_envvar=True,
    metavar="FILE",
    help="Client certificate to show the service, with its key unless --key has that.",
)
@click.option(
    "--key",
    type=_READABLE,
    envvar="LEASEHOLD_KEY",
    show_envvar=True,
    metavar="FILE",
    help="Private key of the client certificate.",
)
@click.version_option(__version__, prog_name="leasehold", message="%(prog)s %(version)s")
@click.pass_context
def main(
    ctx: click.Context,
    config_path: Path | None,
    url: str | None,
    token_file: Path | None,
    ca_file: Path | None,
    certificate: Path | None,
    key: Path | None,
) -> None:
    """Hand out IP addresses, and never the same one twice.

    All commands work on the book that the settings name, whether the service runs or not. With --url they work
    through a service that runs, as far as they make sense from elsewhere.

    \b
    Exit codes:
      0  done; also when there was nothing left to do
      1  refused: somebody else has it, or there is no such thing
      2  wrong on the command line: an option, an argument or a value
      3  no free address
      4  the database or a peer does not answer now
      5  the settings or the schema of the database need you
    """
    if key is not None and certificate is None:
        raise click.UsageError("--key belongs to a certificate: add --certificate")
    access = Access(token_file, ca_file, certificate, key)
    session = Session(config_path, url or None, access)
    ctx.obj = session
    ctx.call_on_close(session.close)
