"""``leasehold serve``: run the service."""

from __future__ import annotations

import click

from proxy.commands.session import Session, pass_session


@click.command()
@click.option("--http-port", type=click.IntRange(1, 65535), metavar="N", help="Port to listen on.")
@click.option("--bind", "bind_host", metavar="HOST", help="Address or host name to listen on; * means all.")
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Number of worker processes.")
@pass_session
def serve(session: Session, http_port: int | None, bind_host: str | None, workers: int | None) -> None:
    """Run the service in the foreground.

    Options given here beat the settings file and the environment. SIGHUP reads the settings again and replaces the
    workers one by one; SIGTERM lets them finish what they are doing.
    """
    from proxy.server import serve as run

    asked = {"http_port": http_port, "bind_host": bind_host, "workers": workers}
    overrides = {key: value for key, value in asked.items() if value is not None}
    run(lambda: session.settings(**overrides))
