"""`sluis bootstrap`: the secret by which the first administrator enters, once."""

from __future__ import annotations

import click

from gateway.cli.output import emit, home_option, json_option, refusals_told


@click.command()
@home_option
@json_option
@refusals_told
def bootstrap(home: str | None, as_json: bool) -> None:
    """Print the secret of the first administrator, alone: it is shown once and works once, for a
    day.

    Whoever sends it to POST /v1/bootstrap with a member's name becomes the administrator of that
    name and gets a key. Asking again makes the earlier secret void.
    """
    from gateway.bootstrap import Bootstrap
    from gateway.cli.local import opened

    with opened(home) as local:
        text = Bootstrap(local.storage, local.record).make()
    emit({"secret": text}) if as_json else click.echo(text)
