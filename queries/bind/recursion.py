"""WITH RECURSIVE over public tables: the one query that reads itself, and nothing private.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a recursive query holds public rows alone.
    Requires    colours of both its sides (`queries.bind.binder`).
    Why         its start and its step are bound like any query, the step with the query's own name
                standing for a public relation; where either side is private or released, the whole
                is refused. How often it steps follows from public tables, so its time does too.
    Tried by    tests/bind/test_refusals.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from queries.bind import forms, open_queries
from queries.bind.colours import Common, Environment, Open
from queries.language.parse import place
from queries.language.refusals import NotBound, UnsupportedSql

if TYPE_CHECKING:
    from queries.bind.binder import Binder


def reads_itself(cte: exp.CTE) -> bool:
    """Whether a WITH query names itself."""
    name = cte.alias.lower()
    return any(table.name.lower() == name for table in cte.this.find_all(exp.Table))


def bound(binder: Binder, cte: exp.CTE, env: Environment) -> Open:
    """A WITH query that reads itself; raises a QueryRefused."""
    union = cte.this
    if not isinstance(union, exp.Union):
        raise _refusal(cte, "A recursive query is a start UNION ALL a step.")
    forms.check(union)
    if any(union.args.get(name) for name in ("order", "limit", "offset", "with_")):
        raise _refusal(cte, "A recursive query has no order or limit of its own.")
    start = _public(binder, union.this, env, cte)
    given = [column.name for column in cte.args["alias"].columns]
    names = [*given, *start.names[len(given) :]]
    if not names or None in names or len(names) != len(start.names):
        raise _refusal(cte, "A recursive query names its columns: WITH RECURSIVE r(a, b) AS ...")
    fresh = f"_again{binder.number()}"
    own = Open(_read(fresh), False, tuple(names))
    step = _public(binder, union.expression, {**env, cte.alias.lower(): Common(cte, env, own)}, cte)
    return Open(
        _written(fresh, [str(name) for name in names], start, step, union), False, own.names
    )


def _public(binder: Binder, side: exp.Expr, env: Environment, cte: exp.CTE) -> Open:
    try:
        found = binder.query(side, env)
    except NotBound:  # its rows, asked for beside private ones, are known to no engine yet
        raise _refusal(cte, "A recursive query reads public tables only.") from None
    if not isinstance(found, Open) or found.released:
        raise _refusal(cte, "A recursive query reads public tables only.")
    return found


def _written(fresh: str, names: list[str], start: Open, step: Open, union: exp.Union) -> exp.Select:
    whole = exp.Union(
        this=open_queries.wrapped(start.query),
        expression=open_queries.wrapped(step.query),
        distinct=union.args.get("distinct"),
    )
    columns = [open_queries.identifier(name) for name in names]
    alias = exp.TableAlias(this=open_queries.identifier(fresh), columns=columns)
    clause = exp.With(expressions=[exp.CTE(this=whole, alias=alias)], recursive=True)
    query = _read(fresh)
    query.set("with_", clause)
    return query


def _read(fresh: str) -> exp.Select:
    source = exp.From(this=exp.Table(this=open_queries.identifier(fresh)))
    return exp.Select(expressions=[exp.Star()], from_=source)


def _refusal(cte: exp.CTE, what: str) -> UnsupportedSql:
    return UnsupportedSql(
        what, position=place(cte), hint="Walk public tables first, and join the result."
    )
