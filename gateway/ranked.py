"""Errors of quantiles, extremes, modes and histograms: in rows, which is all that can be promised.

How far a quantile's value may be off depends on how densely the private values lie around it. How
far its rank may be off depends on the noise alone, whatever the data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from gateway.aims import Aim, Terms, in_rows, unreachable
from gateway.combined import Asked
from gateway.errors import Margin
from gateway.grouped import Located, Table
from gateway.refusals import ErrorNotOffered
from queries.plan.post import Output
from queries.release.least import OutOfReach, alone, ranked

EXAMPLE = "2% of rows"


def fitting(outputs: Sequence[Asked], margins: Sequence[Margin]) -> None:
    """Refuse an error in values of a rank, and one in rows of anything else, with all rewritten."""
    wrong, text = [], []
    for one, margin in zip(outputs, margins, strict=True):
        output = one.output
        kinds = {_kind(table, output) for table in one.tables} or {None}
        text.append(f'"{output.name}": "{_fitted(margin, kinds)}"')
        if (margin.rows and kinds == {None}) or (not margin.rows and False in kinds):
            wrong.append((output, margin))
    for output, margin in wrong:
        hint = f'Give "max_error": {{{", ".join(text)}}}, say.'
        if margin.rows:
            raise ErrorNotOffered(
                f"An error in rows is one of a quantile's rank, and {output.name} has none.",
                hint=hint,
            )
        raise ErrorNotOffered(
            f"How far {output.name} is off in its own unit depends on how densely the private "
            "values lie around it, so no loss promises it; how far its rank is off can be.",
            hint=hint,
        )


def _kind(table: Table, output: Output) -> bool | None:
    """Whether an output counts rows value by value; None where it is none of what is ranked."""
    located = of(table, output)
    return bool(located[0].target.labels) if located else None


def _fitted(margin: Margin, kinds: set[bool | None]) -> str:
    """A margin of the kind that an output takes."""
    if kinds == {None}:
        return "5%" if margin.rows else margin.text
    if margin.rows or False not in kinds:
        return margin.text
    return f"{margin.text} of rows" if margin.relative else EXAMPLE


def of(table: Table, output: Output) -> list[Located]:
    """Where an output is found in a table's distributions: a list of quantiles in several."""
    names = output.columns or (() if output.column is None else (output.column,))
    found = [table.located(name) for name in names]
    return [one for one in found if one is not None]


def needed(
    table: Table, output: Output, margin: Margin, terms: Terms
) -> tuple[Aim, Mapping[int, int]]:
    """The least amounts of the distributions in which an output is found; raises ErrorNotOffered.

    Of a histogram it is the count of each value that stays within the rows.
    """
    aim = in_rows(table, output, margin, terms.size)
    least: dict[int, int] = {}
    for one in of(table, output):
        try:
            amount = _amount(one, aim, terms)
        except OutOfReach:
            raise unreachable(output.name) from None
        least[one.place] = max(amount, least.get(one.place, 0))
    return aim, least


def _amount(one: Located, aim: Aim, terms: Terms) -> int:
    if one.target.labels:
        steps = math.floor(aim.margin)
        return alone(one.found.noise.sensitivity, steps, terms.confidence, pure=terms.pure)
    rows = float(aim.margin)
    return ranked(one.found, one.target, rows, terms.confidence, pure=terms.pure)
