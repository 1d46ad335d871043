"""`sluis project`: make projects, give and move their budgets, freeze and thaw them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.output import (
    emit,
    home_option,
    json_option,
    reason_option,
    refusals_told,
    table,
)

if TYPE_CHECKING:
    from gateway.cli.local import Local


@click.group()
def project() -> None:
    """Projects and their privacy budgets."""


@project.command()
@click.argument("name")
@click.option("--dataset", required=True, help="The dataset that the project may ask.")
@click.option("--epsilon", help="Epsilon to be spent in all; without it the project has no budget.")
@click.option("--delta", help="Delta of the guarantee; 0 for pure epsilon.")
@click.option("--title", default="", help="For people.")
@click.option("--may-name", multiple=True, metavar="TABLE[.COLUMN]",
              help="A table or column that the project may name, and no other; repeat it. "
              "Without it: all.")  # fmt: skip
@home_option
@json_option
@refusals_told
def create(
    name: str, dataset: str, epsilon: str | None, delta: str | None, title: str,
    may_name: tuple[str, ...], home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Make a project and, with --epsilon, give it a budget."""
    from gateway.cli.amounts import amount
    from gateway.cli.grants import named
    from gateway.cli.local import opened, operator

    given = amount(epsilon, "--epsilon") if epsilon else None
    also = amount(delta, "--delta") if delta is not None else None
    budget_given = None if given is None else (given, also)
    with opened(home) as local:
        tables = named(may_name, local.manifest(dataset)) if may_name else None
        local.administration.create_project(name, dataset, title, operator(), tables, budget_given)
        budget = _budget(local, name)
    if as_json:
        emit({"project": name, "dataset": dataset, "budget": given is not None} | budget)
        return
    click.echo(f"Project {name} may ask dataset {dataset}; it {_has(budget)}.")


@project.command()
@click.argument("name")
@click.option("--epsilon", required=True, help="Epsilon to be added.")
@click.option("--delta", help="Delta of the guarantee; the project keeps the one it has.")
@click.option("--until", help="When all that the project has ends; left out: as it stands.")
@reason_option
@home_option
@json_option
@refusals_told
def allocate(
    name: str, epsilon: str, delta: str | None, until: str | None, reason: str,
    home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Give a project more of its dataset's ceiling."""
    from gateway.cli.amounts import amount, moment
    from gateway.cli.local import opened, operator

    also = amount(delta, "--delta") if delta is not None else None
    end = moment(until, "--until") if until is not None else None
    given = amount(epsilon, "--epsilon")
    with opened(home) as local:
        local.known_project(name)
        local.administration.allocate(name, given, also, operator(), reason, end)
        budget = _budget(local, name)
    emit({"project": name} | budget) if as_json else click.echo(f"Project {name} {_has(budget)}.")


@project.command()
@click.argument("giver")
@click.argument("receiver")
@click.option("--epsilon", required=True, help="Taken from the one and added to the other.")
@reason_option
@home_option
@json_option
@refusals_told
def transfer(
    giver: str, receiver: str, epsilon: str, reason: str, home: str | None, as_json: bool
) -> None:
    """Move budget that GIVER has not spent to RECEIVER, a project of the same dataset."""
    from gateway.cli.amounts import amount
    from gateway.cli.local import opened, operator

    with opened(home) as local:
        moved = amount(epsilon, "--epsilon")
        local.steward.transfer(giver, receiver, moved, operator(), reason)
        budgets = [{"project": name} | _budget(local, name) for name in (giver, receiver)]
    if as_json:
        emit(budgets)
        return
    for budget in budgets:
        click.echo(f"Project {budget['project']} {_has(budget)}.")


@project.command()
@click.argument("name")
@click.argument("member", required=False)
@click.option("--epsilon", help="The most that MEMBER may spend, from its first limit on.")
@click.option("--reason", default="", help="Why, for the record.")
@home_option
@json_option
@refusals_told
def limit(
    name: str, member: str | None, epsilon: str | None, reason: str, home: str | None, as_json: bool
) -> None:
    """Limit what MEMBER may spend of a project; without MEMBER, show all limits.

    Limits may overlap: together they can be more than the project has.
    """
    from gateway.cli.amounts import amount
    from gateway.cli.local import opened, operator

    if (member is None) is not (epsilon is None) or (epsilon and not reason):
        raise click.UsageError("A limit takes MEMBER, --epsilon and --reason.")
    with opened(home) as local:
        if member is not None and epsilon is not None:
            most = amount(epsilon, "--epsilon")
            local.steward.limit(name, member, most, operator(), reason)
        found = local.steward.limits(name, local.registry.project(name).dataset)
    if as_json:
        emit(found)
        return
    table("", ("member", ">epsilon", ">left"), [tuple(one.values()) for one in found])


@project.command()
@click.argument("name")
@click.option("--rough", help="A share of the whole budget, such as 0.2%.")
@click.option("--normal", help="A share of the whole budget, such as 1%.")
@click.option("--precise", help="A share of the whole budget, such as 5%.")
@click.option("--reason", default="", help="Why, for the record.")
@home_option
@json_option
@refusals_told
def presets(
    name: str, rough: str | None, normal: str | None, precise: str | None, reason: str,
    home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Show, or set, what a question of a project costs at `rough`, `normal` and `precise`."""
    from dataclasses import replace

    from gateway.budgeting import percent
    from gateway.cli.amounts import share
    from gateway.cli.local import opened
    from gateway.house import price_policy
    from gateway.presets import checked

    words = {"rough": rough, "normal": normal, "precise": precise}
    given = {word: share(text, f"--{word}") for word, text in words.items() if text is not None}
    if given and not reason:
        raise click.UsageError("Presets are set with --reason.")
    with opened(home) as local:
        found = local.registry.project(name).presets
        if given:
            found = checked(replace(found, **given), price_policy(local.settings).most)
            local.administration.set_presets(name, found, reason)
    shown = {word.value: percent(part) for word, part in found.shares().items()}
    emit(shown) if as_json else table("", ("preset", ">share of the budget"), list(shown.items()))


@project.command()
@click.argument("name")
@reason_option
@home_option
@json_option
@refusals_told
def freeze(name: str, reason: str, home: str | None, as_json: bool) -> None:
    """Stop a project at once, on every gateway: charges, and its members' keys and sessions.

    What runs keeps its charge; its release is stored, and sent to nobody until the thaw.
    """
    from gateway.cli.local import opened, operator

    with opened(home) as local:
        local.steward.freeze(name, operator(), reason)
    emit({"project": name, "frozen": True}) if as_json else click.echo(f"{name} is frozen.")


@project.command()
@click.argument("name")
@reason_option
@home_option
@json_option
@refusals_told
def thaw(name: str, reason: str, home: str | None, as_json: bool) -> None:
    """Let a project that three faults or an administrator froze ask again."""
    from gateway.cli.local import opened, operator

    with opened(home) as local:
        local.administration.thaw(name, operator(), reason)
    emit({"project": name, "frozen": False}) if as_json else click.echo(f"{name} may ask again.")


@project.command("list")
@home_option
@json_option
@refusals_told
def list_(home: str | None, as_json: bool) -> None:
    """List all projects."""
    from gateway.cli.local import opened

    with opened(home) as local:
        found = [(one, _budget(local, one.name)) for one in local.registry.projects()]
    if as_json:
        emit([{"project": p.name, "dataset": p.dataset, "frozen": p.frozen} | b for p, b in found])
        return
    rows = [
        (p.name, p.dataset, b.get("epsilon", ""), b.get("delta", ""), b.get("left", ""),
         "frozen" if p.frozen else "" if b else "no budget")
        for p, b in found
    ]  # fmt: skip
    table("", ("project", "dataset", ">epsilon", ">delta", ">left", "state"), rows)


def _budget(local: Local, name: str) -> dict[str, str]:
    """What a project may spend in all, and the share of it that is left; empty without a budget."""
    from budgets.refusals import NothingAllocated
    from gateway.budgeting import decimal, loss_shown

    try:
        status = local.ledger.budget(name)
    except NothingAllocated:
        return {}
    left = loss_shown(status.remaining, status, up=False)["budget_share"]
    return {"epsilon": decimal(status.epsilon), "delta": decimal(status.delta), "left": left}


def _has(budget: dict[str, str]) -> str:
    if not budget:
        return "has no budget yet"
    return f"may spend epsilon {budget['epsilon']} at delta {budget['delta']}"
