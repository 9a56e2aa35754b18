"""The ``leasehold`` command: one module per command or group of commands, loaded when it is called."""

from __future__ import annotations

from importlib import import_module
from keyword import iskeyword
from pathlib import Path

import click

from providers.errors import LeaseholdError
from proxy import __version__
from proxy.commands.exits import exit_code, hint
from proxy.commands.session import Session

_COMMANDS = (
    "serve",
    "subnet",
    "address",
    "hold",
    "import",
    "export",
    "events",
    "token",
    "config",
    "check",
    "database",
)


class _Program(click.Group):
    """Loads a command's module only when that command is wanted, and turns our errors into exit codes."""

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
            click.echo(f"Error: {error}", err=True)
            if advice := hint(error):
                click.echo(advice, err=True)
            ctx.exit(exit_code(error))


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings file; otherwise $LEASEHOLD_CONFIG, otherwise config/settings.yml.",
)
@click.version_option(__version__, prog_name="leasehold", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context, config_path: Path | None) -> None:
    """Hand out IP addresses, and never the same one twice.

    All commands work on the book that the settings name, whether the service runs or not.

    \b
    Exit codes:
      0  done; also when there was nothing left to do
      1  refused: somebody else has it, or there is no such thing
      2  wrong on the command line: an option, an argument or a value
      3  no free address
      4  the database or a peer does not answer now
      5  the settings or the schema of the database need you
    """
    session = Session(config_path)
    ctx.obj = session
    ctx.call_on_close(session.close)
