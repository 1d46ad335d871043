"""`sluis key`: make, list and revoke API keys."""

from __future__ import annotations

from datetime import timedelta

import click

from gateway.cli.output import emit, home_option, json_option, refusals_told, table

ROLES = ("analyst", "lead", "reviewer", "administrator", "auditor")


@click.group()
def key() -> None:
    """API keys: shown once, kept as a hash."""


@key.command()
@click.argument("name")
@click.option("--project", help="Where the key works; everywhere without it.")
@click.option("--role", type=click.Choice(ROLES), default="analyst", show_default=True,
              help="What the key carries; the member is given this role.")  # fmt: skip
@click.option("--days", type=click.IntRange(1, 3660), help="Days until it expires.")
@home_option
@json_option
@refusals_told
def create(
    name: str, project: str | None, role: str, days: int | None, home: str | None, as_json: bool
) -> None:
    """Make a key for member NAME and print it alone.

    The member is made, and given the role, if need be. The key is shown this once.
    """
    from gateway.access import Role
    from gateway.cli.local import opened
    from gateway.registry import now

    with opened(home) as local:
        local.known_project(project)
        local.registry.give_role(name, Role(role), project)
        expires = now() + timedelta(days=days) if days else None
        made, text = local.registry.create_key(name, Role(role), project, expires)
    emit({"id": made.id, "member": name, "key": text}) if as_json else click.echo(text)


@key.command()
@click.argument("id")
@home_option
@json_option
@refusals_told
def revoke(id: str, home: str | None, as_json: bool) -> None:
    """Revoke the key of that id: it is refused from the next request on."""
    from gateway.cli.local import opened
    from gateway.refusals import Refused

    with opened(home) as local:
        if id not in {one.id for one in local.registry.all_keys()}:
            raise Refused(f"There is no key {id}.", hint="`sluis key list` shows their ids.")
        local.registry.revoke_key(id)
    emit({"id": id, "revoked": True}) if as_json else click.echo(f"Key {id} is revoked.")


@key.command("list")
@home_option
@json_option
@refusals_told
def list_(home: str | None, as_json: bool) -> None:
    """List all keys, without their texts."""
    from gateway.cli.local import opened

    with opened(home) as local:
        found = local.registry.all_keys()
    rows = [
        (k.id, k.member, k.prefix + "...", k.role.value, k.project or "everywhere",
         "revoked" if k.revoked else k.expires.date().isoformat() if k.expires else "")
        for k in found
    ]  # fmt: skip
    names = ("id", "member", "prefix", "role", "project", "ends")
    if as_json:
        emit([dict(zip(names, row, strict=True)) for row in rows])
    else:
        table("", ("=id", *names[1:]), rows)
