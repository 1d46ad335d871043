"""What an output is computed from, through derived tables and subqueries, down to noisy columns.

A column of a stage is named `stage.column`; the sum of one over all cells of its stage has `SUMMED`
before that name, the greatest or least of them `UTMOST`. What has no case here is not followed: a
number computed from rows that were chosen by noisy values has no error that is told beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from queries.language.trees import anew, nodes, rebuilt
from queries.plan.model import Plan, Stage

SUMMED, UTMOST = "sum ", "utmost "
ROWS = {"expressions", "from_", "joins", "order"}
"""The parts of a SELECT that choose no rows but by joining released tables."""
ALL = ROWS - {"joins"}
Stages = Mapping[str, Stage]


class _Lost(Exception):
    """The expression is none that is followed."""


@dataclass(frozen=True, slots=True)
class Followed:
    """An output over the columns of stages: its SQL, and the names of these columns.

    `own` is the same over the columns' own names, for where all are of one stage.
    """

    text: str
    own: str
    names: tuple[str, ...]

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Stage and column of each, read by themselves or all cells together."""
        plain = [name.removeprefix(SUMMED).removeprefix(UTMOST) for name in self.names]
        return tuple((stage, column) for stage, _, column in (one.partition(".") for one in plain))

    @property
    def bare(self) -> bool:
        """Whether it is nothing but a column, or the greatest or least of one."""
        alone = len(self.names) == 1 and not self.names[0].startswith(SUMMED)
        return alone and self.text.strip("()") == f'"{self.names[0]}"'


def followed(plan: Plan) -> tuple[Followed | None, ...]:
    """Each output over the columns of the stages, or None; keys are columns like the others."""
    tree: exp.Expr = exp.maybe_parse(plan.post.sql, dialect="duckdb")
    skipped = 0 if plan.post.rowwise is None else 1
    shown = tree.expressions[skipped:] if isinstance(tree, exp.Select) else []
    if len(shown) != len(plan.post.outputs):
        return (None,) * len(plan.post.outputs)
    stages = {stage.name: stage for stage in plan.stages}
    return tuple(_tried(one, tree, stages) for one in shown)


def _tried(node: exp.Expr, select: exp.Expr, stages: Stages) -> Followed | None:
    try:
        found = exp.Paren(this=_inlined(node, select, stages))
    except _Lost:
        return None
    text, columns = found.sql(dialect="duckdb"), list(nodes(found, exp.Column))
    names = tuple(dict.fromkeys(column.name for column in columns))
    for column in columns:
        column.set("this", exp.to_identifier(column.name.partition(".")[2], quoted=True))
    return Followed(text, found.sql(dialect="duckdb"), names)


def _inlined(node: exp.Expr, select: exp.Expr, stages: Stages) -> exp.Expr:
    match node:
        case exp.Alias():
            return _inlined(node.this, select, stages)
        case exp.Column():
            return _column(node, select, stages)
        case exp.Subquery():
            return exp.Paren(this=_single(node.this, stages))
        case exp.Window():
            return _window(node, select, stages)
        case exp.Sum() | exp.Avg() | exp.Max() | exp.Min():
            return _aggregate(node, select, stages)
        case exp.AggFunc() | exp.Filter() | exp.Query() | exp.Star():
            raise _Lost
        case exp.DataType():
            return anew(node)
    return rebuilt(node, lambda part: _inlined(part, select, stages))


def _column(node: exp.Column, select: exp.Expr, stages: Stages) -> exp.Expr:
    """A column as its source has it: one of a stage, or what a derived table computes."""
    for name, source in _sources(select, ROWS, stages):
        if node.table not in ("", name):
            continue
        if isinstance(source, Stage):
            if node.name in _names(source):
                return _named(f"{source.name}.{node.name}")
            continue
        for shown in source.expressions:
            if shown.alias_or_name == node.name:
                return exp.Paren(this=_inlined(shown, source, stages))
    raise _Lost


def _sources(
    select: exp.Expr, parts: set[str], stages: Stages
) -> Iterator[tuple[str, Stage | exp.Select]]:
    """The tables that a SELECT reads, by alias; _Lost where it does anything else with rows."""
    given = {name for name, value in select.args.items() if value}
    if not isinstance(select, exp.Select) or given - parts or "from_" not in given:
        raise _Lost
    for one in (select.args["from_"], *(select.args.get("joins") or ())):
        source = one.this
        if isinstance(source, exp.Table) and source.name in stages:
            yield source.alias_or_name, stages[source.name]
        elif isinstance(source, exp.Subquery) and isinstance(source.this, exp.Select):
            yield source.alias_or_name, source.this
        else:
            raise _Lost


def _single(query: exp.Expr, stages: Stages) -> exp.Expr:
    """A scalar subquery that has one row: over a stage without keys, or of all rows together."""
    sources = [source for _, source in _sources(query, ALL, stages)]
    if len(query.expressions) != 1:
        raise _Lost
    shown = query.expressions[0]
    one = isinstance(sources[0], Stage) and not sources[0].keys
    if not one and not isinstance(shown.unalias(), exp.Sum | exp.Avg):
        raise _Lost
    return _inlined(shown, query, stages)


def _window(node: exp.Window, select: exp.Expr, stages: Stages) -> exp.Expr:
    """A sum or mean over all rows."""
    given = {name for name, value in node.args.items() if value} - {"this", "over"}
    if given or not isinstance(node.this, exp.Sum | exp.Avg):
        raise _Lost
    return _over_all(node.this, select, stages)


def _aggregate(node: exp.Expr, select: exp.Expr, stages: Stages) -> exp.Expr:
    """A sum, mean, greatest or least of all rows of a derived table."""
    return _over_all(node, select, stages)


def _over_all(node: exp.Expr, select: exp.Expr, stages: Stages) -> exp.Expr:
    cells = _cells(select, stages)
    if any(value for name, value in node.args.items() if name != "this"):
        raise _Lost
    found = _bare(_inlined(node.this, select, stages))
    if found is None or found.name.startswith((SUMMED, UTMOST)):
        raise _Lost
    if isinstance(node, exp.Max | exp.Min):
        return _named(UTMOST + found.name)
    summed = _named(SUMMED + found.name)
    if isinstance(node, exp.Sum):
        return summed
    return exp.Paren(this=exp.Div(this=summed, expression=exp.Literal.number(cells)))


def _bare(node: exp.Expr) -> exp.Column | None:
    while isinstance(node, exp.Paren):
        node = node.this
    return node if isinstance(node, exp.Column) else None


def _cells(select: exp.Expr, stages: Stages) -> int:
    """How many rows a SELECT reads: those of one stage whose keys are public, all of them."""
    sources = [source for _, source in _sources(select, ALL, stages)]
    source = sources[0]
    if len(sources) > 1:
        raise _Lost
    if not isinstance(source, Stage):
        return _cells(source, stages)
    if source.keys and source.listed is None:
        raise _Lost
    return 1 if source.listed is None else len(source.listed)


def _names(stage: Stage) -> set[str]:
    targets = {target.name for found in stage.distributions for target in found.targets}
    columns = {column.name for column in stage.columns}
    return targets | columns | {key.name for key in stage.keys}


def _named(name: str) -> exp.Column:
    return exp.Column(this=exp.to_identifier(name, quoted=True))
