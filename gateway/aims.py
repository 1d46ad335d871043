"""Errors as they are resolved: in a column's own unit, or in rows of a quantile's rank.

A share is taken of what sizes in the manifest make plausible, of a size given with the question, or
of what was released before; never of a private number.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from gateway.errors import Margin, Size
from gateway.grouped import At, Table, size_needed
from gateway.refusals import ErrorNotOffered
from queries.plan.post import Output, Role
from queries.plan.slopes import NoSlopes, slopes


@dataclass(frozen=True, slots=True)
class Terms:
    """For what groups errors are meant, how surely they hold, and what losses are counted in."""

    size: Fraction | Size
    confidence: float
    pure: bool


@dataclass(frozen=True, slots=True)
class Aim:
    """An error as it was resolved: `margin` in the column's own unit, or in rows of a rank.

    A share of `magnitude` where it was relative; `rows` are those of the group that it is meant
    for, where it depends on them; `source` says whence these were taken.
    """

    name: str
    asked: str
    margin: Fraction
    magnitude: float | None = None
    rows: float | None = None
    source: str | None = None


def resolved(table: Table, output: Output, margin: Margin, size: Fraction | Size) -> Aim:
    """An error of a count, a sum or what follows from such; raises ErrorNotOffered."""
    divides = table.divides(output)
    if divides:
        _released(table, size)
    if not margin.relative:
        return Aim(output.name, margin.text, margin.amount)
    text = f'"{output.column}"' if output.role is Role.MEASURE else output.expression
    if text is None:
        raise untold(output.name)
    _released(table, size)
    if divides:
        typical = table.typical(output)
        return of_magnitude(output, margin, typical, table.rows(size), size)
    point = table.point(size, At.MIDDLE)
    if point is None:
        raise size_needed()
    try:
        magnitude = abs(slopes(text, point).value)
    except NoSlopes:
        raise untold(output.name) from None
    return of_magnitude(output, margin, magnitude, table.rows(size), size)


def of_magnitude(
    output: Output,
    margin: Margin,
    magnitude: float | None,
    rows: float | None,
    size: Fraction | Size,
) -> Aim:
    """An error in its own unit, or as a share of that; raises ErrorNotOffered."""
    if not margin.relative:
        return Aim(output.name, margin.text, margin.amount)
    if not magnitude:
        raise ErrorNotOffered(
            f"Nothing tells how large {output.name} is, so a share of it means nothing.",
            hint="Give its error in its own unit, or ask it roughly first, and then for a share of "
            'it with `"group_size": "released"`.',
        )
    return _share(output, margin, magnitude, rows, size)


def in_rows(table: Table, output: Output, margin: Margin, size: Fraction | Size) -> Aim:
    """An error of a rank, or of a number of rows; raises ErrorNotOffered."""
    if not margin.relative:
        return Aim(output.name, margin.text, margin.amount)
    _released(table, size)
    rows = table.rows(size)
    if size is Size.RELEASED and not table.counted:
        raise ErrorNotOffered(
            f"Nothing that was released says of how many rows {output.name} is.",
            hint="Ask COUNT(*) beside it, or give the group's size as a number.",
        )
    if rows is None:
        raise size_needed()
    return _share(output, margin, rows, rows, size)


def _released(table: Table, size: Fraction | Size) -> None:
    if size is Size.RELEASED and table.released is None:
        raise ErrorNotOffered(
            "Nothing of this question has been released in the project yet.",
            hint="Ask it roughly first, or give the group's size as a number.",
        )


def _share(
    output: Output, margin: Margin, of: float, rows: float | None, size: Fraction | Size
) -> Aim:
    share = margin.amount * Fraction(of)
    return Aim(output.name, margin.text, share, of, rows, source(size))


def source(size: Fraction | Size) -> str:
    """Whence a size was taken, in a word."""
    return "given" if isinstance(size, Fraction) else size.value


def untold(name: str) -> ErrorNotOffered:
    """The refusal of what has no error before it is there."""
    return ErrorNotOffered(
        f"The error of {name} cannot be told before the answer is there.",
        hint="Ask for the counts, sums, means, variances and covariances that it is made of, or "
        "name a price.",
    )


def unreachable(what: str) -> ErrorNotOffered:
    """The refusal of what no loss keeps."""
    return ErrorNotOffered(
        f"No loss keeps the error of {what} so small: large totals are rounded before the noise.",
        hint="Ask for a larger error.",
    )
