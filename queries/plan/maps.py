"""Histograms as maps: the keys of their bins, and what must be known of their counts."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from queries.algebra.calendar import DAY, as_date, as_datetime
from queries.algebra.measures import BinCounts
from queries.catalog.manifest import Type
from queries.catalog.view import Value
from queries.language.refusals import TooManyColumns
from queries.plan.bins import Bins
from queries.plan.keys import key
from queries.plan.model import Distribution, Target

KEYS = {Type.INTEGER: "BIGINT", Type.REAL: "DOUBLE", Type.TEXT: "VARCHAR"}
COUNTS = "BIGINT"
"""Noisy counts may be negative, which the engine's own unsigned ones cannot."""


def check(labels: int, bins: Bins) -> None:
    """Raises TooManyColumns where so many groups leave no room for each bin."""
    if bins.count != labels or not bins.exact:
        raise TooManyColumns(
            "There are too many bins for so many groups.",
            hint="Ask for fewer bins, or for fewer groups.",
        )


def target(name: str, part: BinCounts, bins: Bins, scale: int) -> Target:
    """The counts of all bins, as a map from their keys."""
    if part.kind is not None:
        kind, labels = KEYS.get(part.kind, part.kind.value.upper()), part.labels
    else:
        kind = key(0, part.value).sql_type
        labels = _values(bins, kind, scale)
    return Target(name, 0, 0, 0, False, f"MAP({kind}, {COUNTS})", labels)


def _values(bins: Bins, kind: str, scale: int) -> tuple[str, ...]:
    """The values that are bins, as the engine writes them: as they are listed, or step by step."""
    if bins.listed is not None:
        return tuple(_listed(value, scale) for value in bins.listed)
    steps = range(bins.lower, bins.lower + bins.count)
    return tuple(_text(Fraction(s * bins.numerator, bins.denominator), kind) for s in steps)


def _listed(value: Value, scale: int) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return _text(Fraction(value, 10**scale), "")
    return str(value)


def _text(value: Fraction, kind: str) -> str:
    match kind:
        case "DATE":
            return as_date(int(value) // DAY).isoformat()
        case "TIMESTAMP":
            return as_datetime(int(value)).isoformat(sep=" ")
    return format(Decimal(value.numerator) / Decimal(value.denominator), "f")


def told(found: Distribution, target: Target) -> str:
    """What a reader must know of a histogram."""
    return (
        f"Each of its {len(target.labels):,} counts has the noise of a single one: a row falls in "
        "one bin alone."
    )
