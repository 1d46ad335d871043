"""What a refusal tells besides its reason: the place in the text, and a question that is answered.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       what is offered is the same for both.
    Requires    a planner that is a function of text, view, price and options (P20, P23).
    Why         candidates are written from the analyst's text and the manifest; one is offered if
                the planner accepts it, and the planner reads nothing private. Nothing is charged,
                and how many are tried is bounded.
    Tried by    tests/plan/test_rewrites.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from queries.catalog.manifest import Manifest
from queries.faults import WorkersUnavailable
from queries.language.parse import Texts
from queries.language.refusals import (
    AcrossUnits,
    AmbiguousColumn,
    JoinNotOnUnit,
    KeysNeedDelta,
    NamesPersons,
    NotAnAggregate,
    NotGrouped,
    PublicRowsKept,
    QueryRefused,
    SeveralStatements,
    TooManyGroups,
    TooManyRowsPerUnit,
    UnboundedColumn,
    UnitCompared,
    UnknownColumn,
    UnknownTable,
    UnsupportedFunction,
    UnsupportedSql,
)
from queries.plan.rewrites import (
    declaring,
    grouping,
    joining,
    listing,
    lists,
    naming,
    narrowing,
    pivoting,
)
from queries.plan.rewrites.selects import outermost, written

TRIALS = 10
"""The most candidates that are planned for one refusal."""
LONGEST = 4_000
"""The longest text, in characters, that a rewrite is looked for."""
WIDEST = 160
"""The longest line that is shown whole around a place."""


@dataclass(slots=True)
class Trials:
    """Plans candidates, a bounded number of them; `drawn` does so but for what the engine says."""

    planned: Callable[[str], object]
    drawn: Callable[[str], object]
    texts: Texts
    left: int = TRIALS

    def accepts(self, text: str) -> bool:
        """Whether the planner accepts the text; False once too many were tried."""
        return self.left > 0 and self.refusal(text, self.planned) is None

    def seems(self, text: str) -> bool:
        """Whether the planner may accept the text, in less time; False as above."""
        return self.left > 0 and self.refusal(text, self.drawn) is None

    def refusal(self, text: str, plan: Callable[[str], object]) -> QueryRefused | None:
        """Why the planner refuses the text; None where it does not."""
        self.left -= 1
        try:
            plan(text)
        except QueryRefused as refused:
            return refused
        except (RecursionError, WorkersUnavailable):
            return QueryRefused("It could not be planned.")
        return None


def told(refused: QueryRefused, sql: str, manifest: Manifest, trials: Trials) -> QueryRefused:
    """The refusal with its place shown and, where one is found, a rewrite that is accepted."""
    if len(sql) <= LONGEST:
        refused = _first_reason(refused, sql, trials)
        candidates = _candidates(refused, sql, manifest, trials)
        refused.rewrite = next((text for text in candidates if trials.accepts(text)), None)
    if isinstance(refused, UnboundedColumn):
        refused.hint = declaring.hint(refused, manifest) or refused.hint
    refused.excerpt = excerpt(sql, refused)
    return refused


def excerpt(sql: str, refused: QueryRefused) -> str | None:
    """The line of the text that the refusal is about, and a caret under its place."""
    if refused.position is None:
        return None
    lines = sql.split("\n")
    line = lines[min(refused.position.line, len(lines)) - 1].rstrip("\r")
    start = max(0, refused.position.column - 1 - WIDEST // 2) if len(line) > WIDEST else 0
    before = line[start : refused.position.column - 1]
    pad = "".join(sign if sign == "\t" else " " for sign in before)
    return f"{line[start : start + WIDEST]}\n{pad}^"


def _first_reason(refused: QueryRefused, sql: str, trials: Trials) -> QueryRefused:
    """Rows were asked for: that comes before how they would be chosen."""
    if not isinstance(refused, AcrossUnits):
        return refused
    tree = trials.texts.tree(sql)
    select = outermost(tree)
    if select is None or not listing.lists_rows(select):
        return refused
    for name in ("limit", "offset", "order", "qualify", "distinct"):
        select.set(name, None)
    other = trials.refusal(written(tree), trials.drawn)
    if not isinstance(other, NamesPersons | NotAnAggregate):
        return refused
    other.position = refused.position
    return other


def _candidates(
    refused: QueryRefused, sql: str, manifest: Manifest, trials: Trials
) -> Iterator[str]:
    """Texts that may be accepted, the nearest first."""
    match refused:
        case SeveralStatements():
            yield from naming.first_statement(sql)
            return
        case UnknownTable() | UnknownColumn():
            yield from naming.nearest_names(sql, refused, manifest)
            return
    tree = _tree(sql, trials.texts)
    if tree is None:
        return
    match refused:
        case AmbiguousColumn():
            yield from naming.qualified(sql, refused, tree)
        case NamesPersons() | NotAnAggregate():
            yield from listing.aggregated(tree, manifest, trials.seems)
        case NotGrouped():
            yield from grouping.completed(tree)
        case TooManyGroups() | KeysNeedDelta():
            yield from grouping.coarsened(tree, manifest)
        case JoinNotOnUnit():
            yield from joining.on_unit(tree, manifest)
        case TooManyRowsPerUnit():
            yield from joining.on_reference(tree, manifest)
        case PublicRowsKept():
            yield from joining.from_public(tree, manifest)
        case AcrossUnits():
            yield from narrowing.within_unit(tree, manifest)
        case UnitCompared():
            yield from narrowing.of_everybody(tree, manifest, trials.seems)
        case UnboundedColumn():
            yield from narrowing.ratio_of_sums(tree)
        case UnsupportedFunction():
            yield from lists.grouped(tree)
        case UnsupportedSql():
            yield from lists.listed(tree)
            yield from pivoting.listed(tree, manifest)


def _tree(sql: str, texts: Texts) -> exp.Query | None:
    try:
        return texts.tree(sql)
    except QueryRefused:
        return None
