"""Released tables that are handed to a later stage, and how their columns are stored there.

Whole and decimal numbers are stored as whole steps in 64 bits, everything else as the engine's own
type. A range that is stated here is made true when the rows are handed in: values outside it are
brought to its nearer end.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from queries.algebra.facts import ENGINE_TYPES, EXACT, STORED, Facts
from queries.catalog.manifest import Type


@dataclass(frozen=True, slots=True)
class InputColumn:
    """One column: its name, engine type, decimals of a whole step, and its range where it has one.

    The range is in whole steps, or the real's own value.
    """

    name: str
    sql_type: str
    scale: int = 0
    lower: Fraction | None = None
    upper: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """Rows that a stage reads beside private ones: `sql` over earlier stages and public tables.

    The text yields the columns as texts. There are at most `most_rows` rows, and no two share their
    values of the columns named by `unique` (None: not so); `reads` names the stages that the text
    reads, and `public` says whether it reads public tables too.
    """

    name: str
    sql: str
    columns: tuple[InputColumn, ...]
    most_rows: int
    unique: tuple[str, ...] | None
    reads: tuple[str, ...]
    public: bool = False


def input_column(name: str, facts: Facts) -> InputColumn:
    """The column that holds values of which these facts are stated."""
    kind = ENGINE_TYPES[facts.type]
    if facts.type in EXACT:
        low, high = facts.span()
        most = STORED - 1
        ends = Fraction(max(low, -most)), Fraction(min(high, most))
        return InputColumn(name, kind, facts.scale, *ends)
    if facts.type is Type.REAL and facts.lower is not None and facts.upper is not None:
        return InputColumn(name, kind, 0, Fraction(facts.lower), Fraction(facts.upper))
    return InputColumn(name, kind)
