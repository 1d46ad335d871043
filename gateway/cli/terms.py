"""`sluis project`, second part: when an allocation ends, and what is kept of it for later."""

from __future__ import annotations

import click

from gateway.cli.output import (
    emit,
    home_option,
    json_option,
    reason_option,
    refusals_told,
    table,
)
from gateway.cli.projects import project

__all__ = ["project"]


@project.command()
@click.argument("name")
@click.option("--until", help="A day, which begins in UTC, or a time with its zone.")
@click.option("--never", is_flag=True, help="Take the end away.")
@reason_option
@home_option
@json_option
@refusals_told
def term(
    name: str, until: str | None, never: bool, reason: str, home: str | None, as_json: bool
) -> None:
    """Say when what a project has not spent goes back to its dataset.

    Nothing is charged to it from then on. What was returned already stays returned.
    """
    from gateway.cli.amounts import moment
    from gateway.cli.local import opened, operator

    if (until is None) is not never:
        raise click.UsageError("Give --until or --never.")
    end = moment(until, "--until") if until is not None else None
    with opened(home) as local:
        local.known_project(name)
        local.steward.term(name, end, operator(), reason)
    told = None if end is None else end.isoformat()
    if as_json:
        emit({"project": name, "ends": told})
    else:
        click.echo(f"Project {name} {'has no end' if told is None else f'ends at {told}'}.")


@project.command()
@click.argument("name")
@click.argument("earmark", required=False)
@click.option("--share", help="A share of the project's whole budget, such as 30%.")
@click.option("--epsilon", help="Instead: an epsilon that is affordable from it, once.")
@click.option("--reason", default="", help="Why, for the record.")
@home_option
@json_option
@refusals_told
def earmark(
    name: str, earmark: str | None, share: str | None, epsilon: str | None, reason: str,
    home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Keep a part of a project's budget for later under the name EARMARK; without, show what is.

    Ordinary queries are not charged to it: a project lead names it (sluis query --from-earmark).
    """
    from budgets.earmarking import Part
    from gateway.cli.amounts import amount
    from gateway.cli.amounts import share as parsed
    from gateway.cli.local import opened, operator

    given = (share is not None) + (epsilon is not None)
    if given != (earmark is not None) or (earmark and not reason):
        raise click.UsageError("EARMARK takes --reason and one of --share and --epsilon.")
    with opened(home) as local:
        local.known_project(name)
        if earmark is not None:
            part = Part(
                parsed(share, "--share") if share is not None else None,
                amount(epsilon, "--epsilon") if epsilon is not None else None,
            )
            local.steward.earmark(name, earmark, part, operator(), reason)
        found = local.steward.earmarks(name)
    if as_json:
        emit(found)
        return
    table("", ("kept for", ">left", ">of it"), [tuple(one.values()) for one in found])


@project.command()
@click.argument("name")
@click.argument("earmark")
@reason_option
@home_option
@json_option
@refusals_told
def lift(name: str, earmark: str, reason: str, home: str | None, as_json: bool) -> None:
    """Give what is kept under EARMARK back to the project, as far as it was not taken."""
    from gateway.cli.local import opened, operator

    with opened(home) as local:
        local.known_project(name)
        local.steward.lift(name, earmark, operator(), reason)
        found = local.steward.earmarks(name)
    emit(found) if as_json else click.echo(f"Nothing is kept for {earmark} any more.")
