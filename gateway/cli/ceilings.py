"""`sluis dataset`, second part: the ceiling, shown, raised, overcommitted; a dataset frozen."""

from __future__ import annotations

from typing import Any

import click

from gateway.cli.datasets import dataset
from gateway.cli.output import (
    emit,
    home_option,
    json_option,
    reason_option,
    refusals_told,
    table,
)

__all__ = ["dataset"]


@dataset.command()
@click.argument("name")
@home_option
@json_option
@refusals_told
def show(name: str, home: str | None, as_json: bool) -> None:
    """Show a dataset's ceiling: what projects were given of it, what is spent, what remains."""
    from gateway.cli.local import opened

    with opened(home) as local:
        found = local.steward.ceiling(name)
    _told(found, as_json=as_json)


@dataset.command("raise")
@click.argument("name")
@click.option("--epsilon", required=True, help="Epsilon of the whole ceiling from now on.")
@click.option("--delta", help="Delta of the whole ceiling; left out: as it stands.")
@click.option("--block", help="Of one block of a growing dataset; left out: over all.")
@reason_option
@home_option
@json_option
@refusals_told
def raise_(
    name: str,
    epsilon: str,
    delta: str | None,
    block: str | None,
    reason: str,
    home: str | None,
    as_json: bool,
) -> None:
    """Raise a ceiling: a promise to the people in the data is loosened for good.

    It is never lowered, and that of a block is at most that of its dataset. Write the same ceiling
    into the manifest before the next delivery.
    """
    from gateway.cli.amounts import amount
    from gateway.cli.local import opened, operator

    also = amount(delta, "--delta") if delta is not None else None
    with opened(home) as local:
        whole = amount(epsilon, "--epsilon")
        local.steward.raise_ceiling(name, whole, also, operator(), reason, block)
        found = local.steward.ceiling(name)
    _told(found, as_json=as_json)


@dataset.command()
@click.argument("name")
@click.option("--per-cent", type=int, required=True, help="Of the ceiling, to all projects: 150.")
@reason_option
@home_option
@json_option
@refusals_told
def overcommit(name: str, per_cent: int, reason: str, home: str | None, as_json: bool) -> None:
    """Let projects be promised more than the ceiling holds, since few spend all they have.

    Charging stops at the ceiling all the same: who comes late may find it spent by others.
    """
    from gateway.cli.local import opened, operator

    with opened(home) as local:
        local.steward.overcommit(name, per_cent, operator(), reason)
        found = local.steward.ceiling(name)
    _told(found, as_json=as_json)


@dataset.command()
@click.argument("name")
@reason_option
@home_option
@json_option
@refusals_told
def freeze(name: str, reason: str, home: str | None, as_json: bool) -> None:
    """Stop all projects of a dataset at once, on every gateway: charges, keys and sessions.

    What runs keeps its charge; its release is stored, and sent to nobody until the thaw.
    """
    from gateway.cli.local import opened, operator

    with opened(home) as local:
        local.steward.freeze_dataset(name, operator(), reason)
    emit({"dataset": name, "frozen": True}) if as_json else click.echo(f"{name} is frozen.")


@dataset.command()
@click.argument("name")
@reason_option
@home_option
@json_option
@refusals_told
def thaw(name: str, reason: str, home: str | None, as_json: bool) -> None:
    """Let the projects of a dataset ask again, but for those that are frozen themselves."""
    from gateway.cli.local import opened, operator

    with opened(home) as local:
        local.steward.thaw_dataset(name, operator(), reason)
    emit({"dataset": name, "frozen": False}) if as_json else click.echo(f"{name} may be asked.")


def _told(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        emit(found)
        return
    ceiling = found["ceiling"]
    frozen = ", frozen" if found["frozen"] else ""
    title = f"{found['dataset']}: epsilon {ceiling['epsilon']} at delta {ceiling['delta']}{frozen}"
    parts = ("allocated", "reserved", "spent", "remaining")
    rows = [(part, found[part]["epsilon"], found[part]["budget_share"]) for part in parts]
    table(title, ("of the ceiling", ">epsilon", ">share"), rows)
    if found["promises_at_most"] != "100%":
        click.echo(f"It may promise {found['promises_at_most']} of itself.")
    shares = [
        (one["project"], one["epsilon"], one["delta"], one["spent"], one["left"])
        for one in found["projects"]
    ]
    if found["blocks"]:
        parts_of = [tuple(one.values()) for one in found["blocks"]]
        table("", ("block", ">epsilon", ">delta", ">spent", ">left"), parts_of)
    table("", ("project", ">epsilon", ">delta", ">spent", ">left"), shares)
