"""`sluis budget plan`: what allocation gives typical questions what accuracy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TextIO

import click

from gateway.cli.asking import answered, number
from gateway.cli.output import emit, json_option, table

NUMBERS: dict[str, Callable[[str], object]] = {"times": int, "confidence": float}
"""Members of a question that are numbers in JSON."""


@click.command()
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option("--dataset", required=True, help="The dataset that will be asked.")
@click.option("--delta", help="Of the project's guarantee; the ceiling's unless given.")
@json_option
def plan(file: TextIO, dataset: str, delta: str | None, as_json: bool) -> None:
    """Learn what allocation gives typical questions what accuracy; for administrators.

    FILE (-: standard input) is YAML: a list of questions, each with `sql`, `max_error` (or
    `epsilon`, `rho`) and, where they matter, `title`, `times`, `group_size`, `group_spread`,
    `confidence`, and `block` or `blocks` of a dataset that grows.
    Reads no data; nothing is charged.
    """
    import yaml

    try:
        asks = yaml.load(file, Loader=yaml.BaseLoader)  # noqa: S506 - all scalars are text
    except yaml.YAMLError:
        raise click.UsageError("The file is not YAML.") from None
    if not isinstance(asks, list) or not all(isinstance(ask, dict) for ask in asks):
        raise click.UsageError("The file holds a list of questions.")
    body: dict[str, Any] = {"questions": [_whole(ask) for ask in asks]}
    body |= {} if delta is None else {"delta": delta}
    path = f"/v1/datasets/{dataset}/budget-plans"
    found = answered(lambda client: client.post(path, body), as_json)
    emit(found) if as_json else show_plan(found)


def _whole(ask: dict[str, Any]) -> dict[str, Any]:
    """A question with the members that JSON has as numbers."""
    try:
        numbers = {name: kind(ask[name]) for name, kind in NUMBERS.items() if name in ask}
    except ValueError:
        raise click.UsageError("times and confidence are numbers.") from None
    return ask | numbers


def show_plan(found: dict[str, Any]) -> None:
    """What each question takes, and how exact all of them are at several allocations."""
    asked = [
        (one["title"] or f"question {n}", str(one["times"]), one["epsilon"],
         ", ".join(_expected_error(error) for error in one["expected_error"]))
        for n, one in enumerate(found["questions"], 1)
    ]  # fmt: skip
    table("", ("question", ">times", ">epsilon each", "errors"), asked)
    click.echo()
    given = [
        (one["epsilon"], f"{one['errors']:.2g} x", one["ceiling_share"], one["block_epsilon"] or "")
        for one in found["allocations"]
    ]
    names = (">allocate epsilon", ">errors", ">of the ceiling", ">a block needs")
    kept = len(names) if found["blocks"] else len(names) - 1
    table("", names[:kept], [row[:kept] for row in given])
    show_blocks(found["blocks"])
    for warning in dict.fromkeys(text for one in found["questions"] for text in one["warnings"]):
        click.echo(f"Mind: {warning}")


def show_blocks(blocks: list[dict[str, Any]]) -> None:
    """What each block of a growing dataset pays, and which of them do not hold so much."""
    if blocks:
        click.echo()
        rows = [(one["name"], one["epsilon"], one["ceiling"], one["ceiling_share"])
                for one in blocks]  # fmt: skip
        table("", ("block", ">pays epsilon", ">has", ">of its ceiling"), rows)
    for one in blocks:
        if float(one["ceiling_share"].removesuffix("%")) > 100:
            click.echo(f"Mind: block {one['name']} does not hold so much: raise it, or ask less.")


def _expected_error(error: dict[str, Any]) -> str:
    told = error["reason"] if error["margin"] is None else f"+-{number(error['margin'])}"
    return f"{error['name']} {told}"
