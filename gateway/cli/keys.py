"""`sluis key`: make, list and revoke API keys."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from gateway.cli.output import emit, home_option, json_option, refusals_told, table

if TYPE_CHECKING:
    from gateway.cli.local import Local
    from gateway.keyring import ApiKey

ROLES = ("analyst", "lead", "reviewer", "administrator", "auditor")
SCOPES = ("query", "quote", "read", "administer", "audit")


@click.group()
def key() -> None:
    """API keys: shown once, kept as a hash."""


@key.command()
@click.argument("name")
@click.option("--project", help="Where the key works; everywhere without it.")
@click.option("--role", type=click.Choice(ROLES), default="analyst", show_default=True,
              help="What the key carries; the member is given this role.")  # fmt: skip
@click.option("--scope", "scopes", type=click.Choice(SCOPES), multiple=True,
              help="What the key is held to, of all that its role may do; repeat it.")  # fmt: skip
@click.option("--days", type=click.IntRange(1, 3660), help="Days until it expires.")
@click.option("--rate", type=click.IntRange(1, 1_000_000),
              help="Requests a minute; without: SLUIS_RATE.")  # fmt: skip
@home_option
@json_option
@refusals_told
def create(
    name: str, project: str | None, role: str, scopes: tuple[str, ...], days: int | None,
    rate: int | None, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Make a key for member NAME and print it alone.

    The member is made, and given the role, if need be. The key is shown this once.
    """
    from gateway.access import Role, Scope
    from gateway.cli.local import opened
    from gateway.registry import now

    held = [Scope(one) for one in scopes] or None

    with opened(home) as local:
        local.known_project(project)
        local.registry.give_role(name, Role(role), project)
        expires = now() + timedelta(days=days) if days else None
        made, text = local.registry.create_key(name, Role(role), project, expires, held, rate)
    emit({"id": made.id, "member": name, "key": text}) if as_json else click.echo(text)


@key.command()
@click.argument("id")
@click.option("--overlap", type=click.IntRange(0, 720), default=24, show_default=True,
              help="Hours for which the old key still works.")  # fmt: skip
@click.option("--days", type=click.IntRange(1, 3660),
              help="Days until the new one expires; without: as the old one.")  # fmt: skip
@home_option
@json_option
@refusals_told
def rotate(id: str, overlap: int, days: int | None, home: str | None, as_json: bool) -> None:
    """Make a key in the place of another and print it alone; the old one ends after the overlap."""
    from gateway.cli.local import opened
    from gateway.registry import now

    with opened(home) as local:
        old = known(local, id)
        expires = now() + timedelta(days=days) if days else old.expires
        made, text = local.registry.rotate_key(id, timedelta(hours=overlap), expires)
    said = {"id": made.id, "member": made.member, "follows": id, "key": text}
    emit(said) if as_json else click.echo(text)


@key.command()
@click.argument("id")
@click.option("--requests", type=click.IntRange(1, 1_000_000),
              help="Requests a minute; without: SLUIS_RATE again.")  # fmt: skip
@home_option
@json_option
@refusals_told
def rate(id: str, requests: int | None, home: str | None, as_json: bool) -> None:
    """Give the key of that id a rate of its own, or take it away: from the next request on."""
    from gateway.cli.local import opened

    with opened(home) as local:
        local.registry.set_rate(known(local, id).id, requests)
    told = "the rate of any key" if requests is None else f"{requests} requests a minute"
    emit({"id": id, "rate": requests}) if as_json else click.echo(f"Key {id} has {told}.")


def known(local: Local, id: str) -> ApiKey:
    """The key of that id; an operator is told plainly where there is none."""
    from gateway.refusals import Refused

    for one in local.registry.all_keys():
        if one.id == id:
            return one
    raise Refused(f"There is no key {id}.", hint="`sluis key list` shows their ids.")


@key.command()
@click.argument("id")
@home_option
@json_option
@refusals_told
def revoke(id: str, home: str | None, as_json: bool) -> None:
    """Revoke the key of that id: it is refused from the next request on."""
    from gateway.cli.local import opened

    with opened(home) as local:
        local.registry.revoke_key(known(local, id).id)
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
        (k.id, k.member, k.prefix + "...", k.role.value, ", ".join(k.scopes or ("all",)),
         k.project or "everywhere", str(k.rate or "house"),
         k.used.isoformat(timespec="minutes") if k.used else "never",
         "revoked" if k.revoked else k.expires.date().isoformat() if k.expires else "")
        for k in found
    ]  # fmt: skip
    names = ("id", "member", "prefix", "role", "scopes", "project", "rate", "used", "ends")
    if as_json:
        emit([dict(zip(names, row, strict=True)) for row in rows])
    else:
        table("", ("=id", *names[1:]), rows)
