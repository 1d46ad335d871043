"""PIVOT and UNPIVOT over listed values and columns, written as the SELECT that they mean.

What is written is bound like any other query, so it has no rule of privacy of its own. A PIVOT
without a list would take its columns from the rows it finds, and is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from sqlglot import exp

from queries.language.parse import place
from queries.language.refusals import UnsupportedSql

READ = frozenset({"this", "expressions", "fields", "using", "group", "alias", "unpivot", "into"})
READ_NULLS = READ | {"include_nulls", "with_"}
DERIVED = frozenset(
    {"columns", "identify_pivot_strings", "prefixed_pivot_columns", "pivot_column_naming",
     "value_columns_first"}
)  # fmt: skip
"""What the parser adds of its own."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A value of a pivot's column: the condition that a row has it, and its part of the name."""

    condition: exp.Expr
    name: str


def check(pivot: exp.Pivot) -> None:
    """Refuse arguments that no case reads; raises UnsupportedSql."""
    for name, value in pivot.args.items():
        if value and name not in READ_NULLS | DERIVED:
            raise UnsupportedSql("This form of PIVOT is not answered.", position=place(pivot))


def source_of(pivot: exp.Pivot) -> exp.Expr:
    """What a PIVOT statement reads."""
    source: exp.Expr = pivot.this
    return source


def written(pivot: exp.Pivot, source: exp.Expr, names: Sequence[str]) -> exp.Query:
    """The query that a PIVOT or UNPIVOT of a source means; `names` are the source's columns."""
    check(pivot)
    made = (
        _unpivoted(pivot, source, names)
        if pivot.args.get("unpivot")
        else _pivoted(pivot, source, names)
    )
    if pivot.args.get("with_") is not None:
        made.set("with_", pivot.args["with_"].copy())
    return made


def _pivoted(pivot: exp.Pivot, source: exp.Expr, names: Sequence[str]) -> exp.Query:
    standard = bool(pivot.args.get("fields"))
    fields = pivot.args["fields"] if standard else pivot.expressions
    calls = (
        pivot.expressions if standard else pivot.args.get("using") or [exp.Count(this=exp.Star())]
    )
    group = pivot.args.get("group")
    keys = _others(names, [*fields, *calls]) if group is None else _keys(group)
    shown = [*keys]
    for combined in product(*(_listed(field) for field in fields)):
        for call in calls:
            parts = [listed.name for listed in combined]
            if len(calls) > 1 or isinstance(call, exp.Alias):
                parts.append(_call_name(call))
            value = _filtered(call.unalias(), [listed.condition for listed in combined])
            shown.append(exp.alias_(value, "_".join(parts), quoted=True))
    made = exp.Select(expressions=shown, from_=exp.From(this=source.copy()))
    if keys:
        made.set("group", exp.Group(expressions=[key.copy() for key in keys]))
    return made


def _keys(group: exp.Group) -> list[exp.Expr]:
    if any(value for name, value in group.args.items() if name != "expressions"):
        raise UnsupportedSql("This form of GROUP BY is not answered.", position=place(group))
    return [key.copy() for key in group.expressions]


def _others(names: Sequence[str], used: Iterable[exp.Expr]) -> list[exp.Expr]:
    """The source's columns that the pivot does not use: what it groups by unless told."""
    read = {column.name.lower() for node in used for column in node.find_all(exp.Column)}
    return [exp.column(exp.to_identifier(n, quoted=True)) for n in names if n.lower() not in read]


def _listed(field: exp.Expr) -> list[Listed]:
    given = {name for name, value in field.args.items() if value}
    if not isinstance(field, exp.In) or not given <= {"this", "expressions"}:
        raise UnsupportedSql(
            "PIVOT takes its columns from a list.",
            position=place(field),
            hint="List the values: PIVOT ... ON kind IN ('a', 'b').",
        )
    return [_value(field, member) for member in field.expressions]


def _value(field: exp.In, member: exp.Expr) -> Listed:
    alias = member.args["alias"].name if isinstance(member, exp.PivotAlias) else None
    value = member.this if isinstance(member, exp.PivotAlias) else member
    if not isinstance(value, exp.Literal | exp.Boolean):
        raise UnsupportedSql("PIVOT takes a list of constants.", position=place(member))
    text = str(value.this).lower() if isinstance(value, exp.Boolean) else value.name
    return Listed(exp.EQ(this=field.this.copy(), expression=value.copy()), alias or text)


def _call_name(call: exp.Expr) -> str:
    """The name of an aggregate in a column's name, as DuckDB gives it."""
    if call.alias:
        return str(call.alias)
    if isinstance(call, exp.Count) and isinstance(call.this, exp.Star):
        return "count_star()"
    plain = isinstance(call, exp.Count | exp.Sum | exp.Avg | exp.Min | exp.Max)
    if plain and isinstance(call.this, exp.Column) and not call.this.table:
        return f"{call.key}({call.this.name})"
    raise UnsupportedSql(
        "Name the aggregates of this PIVOT.", position=place(call), hint="USING ... AS name."
    )


def _filtered(call: exp.Expr, conditions: list[exp.Expr]) -> exp.Expr:
    if isinstance(call, exp.Filter):
        conditions = [call.expression.this, *conditions]
        call = call.this
    both = exp.and_(*conditions, copy=True)
    return exp.Filter(this=call.copy(), expression=exp.Where(this=both))


def _unpivoted(pivot: exp.Pivot, source: exp.Expr, names: Sequence[str]) -> exp.Query:
    """UNION ALL of the source, once for each listed column."""
    listed, name, value = _unlisted(pivot)
    used = {column.name.lower() for column, _ in listed}
    others = [n for n in names if n.lower() not in used]
    sides = []
    for column, text in listed:
        kept = [exp.column(exp.to_identifier(n, quoted=True)) for n in others]
        shown = [*kept, exp.alias_(exp.Literal.string(text), name, quoted=True)]
        shown.append(exp.alias_(column.copy(), value, quoted=True))
        side = exp.Select(expressions=shown, from_=exp.From(this=source.copy()))
        if not pivot.args.get("include_nulls"):
            present = exp.Not(this=exp.Is(this=column.copy(), expression=exp.Null()))
            side.set("where", exp.Where(this=present))
        sides.append(side)
    made: exp.Query = sides[0]
    for side in sides[1:]:
        made = exp.Union(this=made, expression=side, distinct=False)
    return made


def _unlisted(pivot: exp.Pivot) -> tuple[list[tuple[exp.Column, str]], str, str]:
    """The columns of an UNPIVOT with their texts, and the names of the two new columns."""
    fields = pivot.args.get("fields")
    if fields:
        if len(fields) > 1 or len(pivot.expressions) != 1:
            raise UnsupportedSql("UNPIVOT makes one column here.", position=place(pivot))
        members, name, value = fields[0].expressions, fields[0].this.name, pivot.expressions[0].name
    else:
        into = pivot.args.get("into")
        members = pivot.expressions
        name = "name" if into is None else into.this.name
        value = "value" if into is None else into.expressions[0].name
        if into is not None and len(into.expressions) != 1:
            raise UnsupportedSql("UNPIVOT makes one column here.", position=place(pivot))
    return [_column(member) for member in members], name, value


def _column(member: exp.Expr) -> tuple[exp.Column, str]:
    alias = member.args["alias"].name if isinstance(member, exp.PivotAlias) else None
    column = member.this if isinstance(member, exp.PivotAlias) else member
    if not isinstance(column, exp.Column) or column.is_star:
        raise UnsupportedSql("UNPIVOT takes a list of columns.", position=place(member))
    return column, alias or column.name
