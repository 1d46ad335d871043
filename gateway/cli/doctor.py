"""`sluis doctor`: is this installation sound, and what to do where it is not."""

from __future__ import annotations

import sys

import click

from gateway.cli.output import REFUSED, emit, home_option, json_option, refusals_told


@click.command()
@home_option
@json_option
@refusals_told
def doctor(home: str | None, as_json: bool) -> None:
    """Look over the home, the database, the deliveries and the workers; exit 1 on a problem."""
    from gateway.diagnosis import diagnose
    from gateway.settings import load

    found = diagnose(load(home=home))
    if as_json:
        emit([{"check": f.check, "ok": f.ok, "says": f.says, "do": f.do} for f in found])
    for finding in [] if as_json else found:
        click.echo(f"{'ok     ' if finding.ok else 'PROBLEM'}  {finding.check}: {finding.says}")
        if finding.do:
            click.echo(f"         {finding.do}")
    sys.exit(0 if all(finding.ok for finding in found) else REFUSED)
