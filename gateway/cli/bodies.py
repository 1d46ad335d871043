"""The body of a request, from the words of a command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

PRICES = {
    "share": "budget_share", "share_left": "remaining_share", "rho": "rho", "epsilon": "epsilon",
    "from_release": "from_release", "preset": "preset",
}  # fmt: skip


def body_of(
    sql: str,
    errors: Sequence[str],
    group_size: str | None,
    group_spread: str | None,
    confidence: str | None,
    block: str | None,
    from_earmark: str | None,
    blocks: str | None,
    **asked: Any,
) -> dict[str, Any]:
    """The body of a request: the statement, its one price and how it is to be answered."""
    given = {told: asked.pop(name) for name, told in PRICES.items()}
    prices = {told: price for told, price in given.items() if price is not None}
    if errors:
        prices["max_error"] = _errors(errors)
    if len(prices) != 1:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in PRICES)
        raise click.UsageError(f"Give exactly one of {named} and --max-error.")
    body: dict[str, Any] = {"sql": sys.stdin.read() if sql == "-" else sql, **prices}
    if group_size is not None:
        body["group_size"] = group_size
    if group_spread is not None:
        body["group_spread"] = group_spread
    if block is not None:
        body["block"] = block
    if from_earmark is not None:
        body["from_earmark"] = from_earmark
    if blocks is not None:
        body["blocks"] = blocks
    if confidence is not None:
        try:
            body["confidence"] = float(confidence)
        except ValueError:
            raise click.BadParameter("not a number", param_hint="--confidence") from None
    options = _options(**asked)
    return {**body, "options": options} if options else body


def _errors(given: Sequence[str]) -> str | dict[str, str]:
    """One error for all columns, or those of the columns that are named."""
    if len(given) == 1 and "=" not in given[0]:
        return given[0]
    named = [text.rpartition("=") for text in given]
    if any(not name for name, _, _ in named):
        raise click.UsageError("Give one --max-error for all columns, or NAME=ERROR for each.")
    return {name: error for name, _, error in named}


def _options(
    dialect: str | None,
    other: bool,
    effects: bool,
    groups_per_unit: int | None,
    rows_per_group: int | None,
    ranges: Sequence[tuple[str, str, str]],
) -> dict[str, Any]:
    """The options that differ from what a question has anyway."""
    columns = {name: {"lower": lower, "upper": upper} for name, lower, upper in ranges}
    bounds = {
        "groups_per_unit": groups_per_unit, "rows_per_group": rows_per_group,
        "columns": columns or None,
    }  # fmt: skip
    given = {name: value for name, value in bounds.items() if value is not None}
    options = {
        "dialect": dialect, "other": other or None, "effects": effects or None,
        "bounds": given or None,
    }  # fmt: skip
    return {name: value for name, value in options.items() if value is not None}
