"""`sluis member`: give and take roles."""

from __future__ import annotations

import click

from gateway.cli.keys import ROLES
from gateway.cli.output import emit, home_option, json_option, refusals_told, table


@click.group()
def member() -> None:
    """Members and their roles."""


@member.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="The role.")
@click.option("--project", help="Where it holds; everywhere without it.")
@home_option
@json_option
@refusals_told
def add(name: str, role: str, project: str | None, home: str | None, as_json: bool) -> None:
    """Give a member a role; the member is made if need be."""
    from gateway.access import Role
    from gateway.cli.local import opened

    with opened(home) as local:
        local.known_project(project)
        local.registry.give_role(name, Role(role), project)
    said = {"member": name, "role": role, "project": project}
    emit(said) if as_json else click.echo(f"{name} is {role} {_where(project)}.")


@member.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="The role.")
@click.option("--project", help="Where it held; everywhere without it.")
@home_option
@json_option
@refusals_told
def remove(name: str, role: str, project: str | None, home: str | None, as_json: bool) -> None:
    """Take a role from a member; its keys lose it at once."""
    from gateway.access import Role
    from gateway.cli.local import opened

    with opened(home) as local:
        local.registry.take_role(name, Role(role), project)
    said = {"member": name, "role": role, "project": project, "removed": True}
    emit(said) if as_json else click.echo(f"{name} is no longer {role} {_where(project)}.")


@member.command()
@click.argument("name")
@home_option
@json_option
@refusals_told
def end(name: str, home: str | None, as_json: bool) -> None:
    """Take all roles from a member and end all of its keys; what it did stays."""
    from gateway.cli.local import opened

    with opened(home) as local:
        local.registry.end_member(name)
    said = {"member": name, "ended": True}
    emit(said) if as_json else click.echo(f"{name} has no role and no key any more.")


@member.command("list")
@click.option("--project", help="Those with a role in it; everybody without it.")
@home_option
@json_option
@refusals_told
def list_(project: str | None, home: str | None, as_json: bool) -> None:
    """List members and their roles."""
    from gateway.cli.local import opened

    with opened(home) as local:
        found = local.registry.members(project)
    rows = [(m.id, role.value, where or "everywhere") for m in found for where, role in m.roles]
    names = ("member", "role", "project")
    if as_json:
        emit([dict(zip(names, row, strict=True)) for row in rows])
    else:
        table("", names, rows)


def _where(project: str | None) -> str:
    return f"in project {project}" if project else "everywhere"
