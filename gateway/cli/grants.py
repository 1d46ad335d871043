"""`sluis grant`: which tables and columns of its dataset a project may name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from gateway.cli.output import emit, home_option, json_option, refusals_told, table

if TYPE_CHECKING:
    from queries.catalog.manifest import Manifest


@click.group()
def grant() -> None:
    """Tables and columns of projects: what is not granted does not exist for them."""


@grant.command()
@click.argument("project")
@click.argument("names", nargs=-1, metavar="[TABLE[.COLUMN]]...")
@click.option("--all", "everything", is_flag=True, help="Everything that the dataset has.")
@click.option("--reason", required=True, help="Why, for the record.")
@home_option
@json_option
@refusals_told
def give(
    project: str, names: tuple[str, ...], everything: bool, reason: str,
    home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Say which tables and columns PROJECT may name from its next question on, and no others."""
    from gateway.cli.local import opened, operator

    if everything == bool(names):
        raise click.UsageError("Name tables and columns, or give --all.")
    with opened(home) as local:
        local.known_project(project)
        manifest = local.manifest(local.registry.project(project).dataset)
        tables = None if everything else named(names, manifest)
        local.administration.give_grant(project, tables, operator(), reason)
    if as_json:
        emit({"project": project, "tables": tables})
    else:
        click.echo(f"Project {project} may name {'everything' if everything else _said(tables)}.")


@grant.command("list")
@click.argument("project")
@home_option
@json_option
@refusals_told
def list_(project: str, home: str | None, as_json: bool) -> None:
    """List every grant of PROJECT, oldest first: the last one counts."""
    from gateway.cli.local import opened
    from gateway.grants import Grants

    with opened(home) as local:
        local.known_project(project)
        found = Grants(local.storage).all(project)
    if as_json:
        emit([
            {"tables": g.tables, "by": g.by, "reason": g.reason, "at": g.at.isoformat()}
            for g in found
        ])  # fmt: skip
        return
    rows = [(g.at.date().isoformat(), _said(g.tables), g.by, g.reason) for g in found]
    table("", ("since", "may name", "by", "reason"), rows)


def named(names: Sequence[str], manifest: Manifest) -> dict[str, list[str] | None]:
    """Tables and columns from the words of a terminal: TABLE, or TABLE.COLUMN."""
    found: dict[str, list[str] | None] = {}
    for name in names:
        whole = manifest.table(name) is not None
        first, dot, column = (name, "", "") if whole else name.partition(".")
        known = found.get(first, [])
        found[first] = None if not dot or known is None else [*known, column]
    return found


def _said(tables: Mapping[str, Sequence[str] | None] | None) -> str:
    if tables is None:
        return "everything"
    return ", ".join(
        name if columns is None else f"{name}({', '.join(columns)})"
        for name, columns in tables.items()
    )
