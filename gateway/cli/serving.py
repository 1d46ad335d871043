"""`sluis serve`: run the gateway."""

from __future__ import annotations

import click

from gateway.cli.output import home_option, json_option, refusals_told


@click.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--metrics-port", type=click.IntRange(0, 65535), help="Operators' port; 0: none.")
@home_option
@json_option
@refusals_told
def serve(
    host: str | None, port: int | None, metrics_port: int | None, home: str | None, as_json: bool
) -> None:
    """Serve until told to stop (SIGTERM); its log is JSON lines with or without --json."""
    from gateway.serve import serve as run
    from gateway.settings import load

    run(load(home=home, host=host, port=port, metrics_port=metrics_port))
