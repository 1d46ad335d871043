"""What `sluis ledger report` shows of an account: every way of counting, and the least."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import click

from budgets.amounts import written
from budgets.statements import Statement, thresholding
from budgets.tight import epsilon_by_distributions
from gateway.budgeting import decimal
from gateway.cli.output import table

WORDS = ("", "name", ">charges", ">rho", ">converted", ">pure sum", ">least", ">tight", ">ratio")


def shown(found: Iterable[Statement], tight: bool) -> list[dict[str, Any]]:
    """Every account with its statements, as JSON."""
    return [_shown(one, tight) for one in found]


def tell(dataset: str, lines: Sequence[dict[str, Any]]) -> None:
    """The accounts of a dataset as a table."""
    rows = [
        (line["kind"], line["name"], str(line["charges"]), line["rho"], _cell(line["converted"]),
         _cell(line["pure_sum"]), _cell(line["least"]), _cell(line["tight"]), _cell(line["ratio"]))
        for line in lines
    ]  # fmt: skip
    table(f"What {dataset} has spent: epsilon at each account's own delta", WORDS, rows)
    unknown = sum(line["without_draws"] for line in lines if line["kind"] == "dataset")
    if unknown:
        click.echo(f"{unknown} stages or forfeits have no draws that are known: no tight figure.")


def _shown(one: Statement, tight: bool) -> dict[str, Any]:
    charged, known = one.charged, not one.charged.unknown
    counted = epsilon_by_distributions(charged.draws, float(one.delta)) if tight and known else None
    return {
        "kind": one.kind,
        "name": one.name,
        "charges": charged.charges,
        "rho": written(charged.loss.rho),
        "delta": decimal(one.delta),
        "thresholding_delta": decimal(thresholding(charged.loss)),
        "converted": one.converted,
        "pure_sum": None if one.pure is None else float(one.pure),
        "least": one.least,
        "tight": counted,
        "ratio": one.least / counted if counted else None,
        "without_draws": charged.unknown,
    }


def _cell(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.4g}"
