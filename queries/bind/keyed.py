"""A subquery over everybody that reads the query around it: released once for each key.

`(SELECT AVG(q.pay) FROM staff q WHERE q.area = p.area)` becomes a table of one row for each area,
which is looked up by equality. Where what it is compared with comes from a public table, the keys
are those alone that the query around can have there (`queries.bind.asked`). SQL in, SQL out: the
table is bound like any other query.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from queries.bind import aggregates, forms, open_queries
from queries.bind.asked import Asked, asked, conjunction, conjuncts
from queries.bind.colours import Environment, Open
from queries.bind.from_clause import FromClause
from queries.bind.subqueries import InScope
from queries.language.parse import place
from queries.language.refusals import UnsupportedSql
from queries.language.trees import anew, walk

if TYPE_CHECKING:
    from queries.bind.binder import Binder, FromItem
    from queries.bind.scope import Scope

VALUE = "_value"
SPINE = "_asked"
COUNTS = frozenset({"COUNT", "REGR_COUNT", "APPROX_COUNT_DISTINCT", "APPROX_DISTINCT"})
"""Aggregates that are 0, and not NULL, over no rows."""
STRICT = (exp.Paren, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Literal, exp.Cast)
"""Operations of which a NULL makes NULL."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """A table of values by key: its query, and what each key column is looked up by.

    `otherwise` is the value where the key has no row; None where that is NULL.
    """

    query: exp.Select
    keys: tuple[tuple[str, exp.Expr], ...]
    otherwise: exp.Expr | None


@dataclass(frozen=True, slots=True)
class _Pair:
    inner: exp.Expr
    outer: exp.Expr


def table(
    binder: Binder,
    env: Environment,
    node: exp.Select,
    around: exp.Select | None,
    items: Sequence[FromItem],
) -> Keyed | None:
    """The subquery as a table by key, or None where it reads nothing around it.

    `around` is the SELECT that it stands in, over `items`. Raises a QueryRefused.
    """
    clause = FromClause(binder, InScope(binder, env), None)
    _joined(binder, env, node, clause)
    pairs, rest = _split(node, clause.scope)
    if not pairs:
        return None
    compared = [pair.outer for pair in pairs]
    spine = None if around is None else asked(binder, env, around, items, compared)
    item = node.expressions[0].unalias()
    otherwise = _otherwise(item)
    if otherwise is not None and node.args.get("having") is not None:
        raise UnsupportedSql("HAVING is not answered in this subquery.", position=place(node))
    query = _query(node, pairs, rest, spine, _guarded(item))
    keys = tuple((f"_key{n}", anew(pair.outer)) for n, pair in enumerate(pairs))
    return Keyed(query, keys, otherwise)


def lookup(found: Keyed, bound: Open) -> exp.Expr:
    """The value by its key, as a subquery over released tables."""
    conditions = [
        exp.EQ(this=anew(outer), expression=open_queries.column("_by", name))
        for name, outer in found.keys
    ]

    def rows(shown: exp.Expr) -> exp.Select:
        source = exp.Subquery(
            this=open_queries.wrapped(bound.query),
            alias=exp.TableAlias(this=open_queries.identifier("_by")),
        )
        where = exp.Where(this=conjunction(map(anew, conditions)))
        return exp.Select(expressions=[shown], from_=exp.From(this=source), where=where)

    one = exp.Subquery(this=rows(open_queries.column("_by", VALUE)))
    if found.otherwise is None:
        return one
    known = exp.Exists(this=rows(exp.Literal.number(1)))
    branch = exp.If(this=known, true=one)
    return exp.Paren(this=exp.Case(ifs=[branch], default=anew(found.otherwise)))


def _joined(binder: Binder, env: Environment, node: exp.Select, clause: FromClause) -> None:
    from queries.bind.binder import extended, sources_of

    known = extended(node, env)
    joins = [None, *(node.args.get("joins") or [])]
    for source, join in zip(sources_of(node), joins, strict=True):
        clause.add(binder.item(source, known), join)


def _split(node: exp.Select, scope: Scope) -> tuple[list[_Pair], list[exp.Expr]]:
    """The equalities with the query around, and all other conditions; raises UnsupportedSql."""
    where = node.args.get("where")
    pairs, rest = [], []
    for part in [] if where is None else conjuncts(where.this):
        if any(isinstance(inside, exp.Query) for inside in walk(part)) or _own(part, scope):
            rest.append(part)
            continue
        pair = _pair(part, scope)
        if pair is None:
            raise UnsupportedSql(
                "What ranges over everybody may read the query around it in equalities alone.",
                position=place(part),
                hint="Compare one of its columns with one of the query around, by =.",
            )
        pairs.append(pair)
    return pairs, rest


def _pair(part: exp.Expr, scope: Scope) -> _Pair | None:
    while isinstance(part, exp.Paren):
        part = part.this
    if not isinstance(part, exp.EQ):
        return None
    forms.check(part)
    for inner, outer in ((part.this, part.expression), (part.expression, part.this)):
        if _own(inner, scope) and _columns(inner) and _foreign(outer, scope):
            return _Pair(inner, outer)
    return None


def _own(part: exp.Expr, scope: Scope) -> bool:
    return all(scope.find(column) is not None for column in _columns(part))


def _foreign(part: exp.Expr, scope: Scope) -> bool:
    found = _columns(part)
    return bool(found) and all(scope.find(column) is None for column in found)


def _columns(part: exp.Expr) -> list[exp.Column]:
    return [node for node in walk(part) if isinstance(node, exp.Column)]


def _query(
    node: exp.Select,
    pairs: list[_Pair],
    rest: list[exp.Expr],
    spine: Asked | None,
    item: exp.Expr,
) -> exp.Select:
    """The subquery grouped by its keys, joined with the spine where there is one."""
    joins = [anew(join) for join in node.args.get("joins") or []]
    conditions = [anew(part) for part in rest]
    keys = [anew(pair.inner) for pair in pairs]
    if spine is not None:
        alias = exp.TableAlias(this=open_queries.identifier(SPINE))
        joins.append(exp.Join(this=exp.Subquery(this=spine.query, alias=alias)))
        for place_of in spine.places:
            key = open_queries.column(SPINE, f"_key{place_of}")
            conditions.append(exp.EQ(this=keys[place_of], expression=key))
            keys[place_of] = anew(key)
    shown = [open_queries.aliased(anew(key), f"_key{n}") for n, key in enumerate(keys)]
    shown.append(open_queries.aliased(item, VALUE))
    query = exp.Select(expressions=shown, from_=anew(node.args["from_"]), joins=joins)
    if conditions:
        query.set("where", exp.Where(this=conjunction(conditions)))
    query.set("group", exp.Group(expressions=[anew(key) for key in keys]))
    for name in ("having", "with_"):
        if node.args.get(name) is not None:
            query.set(name, anew(node.args[name]))
    return query


def _guarded(item: exp.Expr) -> exp.Expr:
    """The item, in which a sum of nothing is NULL: a released one would be noise around 0."""
    if aggregates.is_aggregate(item):
        call = item.this if isinstance(item, exp.Filter) else item
        if not isinstance(call, exp.Sum | exp.CountIf):
            return anew(item)
        count: exp.Expr = exp.Count(this=anew(call.this))
        if isinstance(item, exp.Filter):
            count = exp.Filter(this=count, expression=anew(item.expression))
        some = exp.GTE(this=count, expression=exp.Literal.number(1))
        return exp.Paren(this=exp.Case(ifs=[exp.If(this=some, true=anew(item))]))
    copied = anew(item)
    for child in list(copied.iter_expressions()):
        if not isinstance(child, exp.Query):
            child.replace(_guarded(child))
    return copied


def _otherwise(item: exp.Expr) -> exp.Expr | None:
    """The item over no rows: counts are 0 and other aggregates NULL; None where that is NULL."""
    if _strict(item):
        return None
    return _of_nothing(item)


def _strict(item: exp.Expr) -> bool:
    if aggregates.is_aggregate(item):
        call = item.this if isinstance(item, exp.Filter) else item
        return aggregates.named(call) not in COUNTS
    if isinstance(item, exp.DataType):
        return True
    return isinstance(item, STRICT) and all(map(_strict, item.iter_expressions()))


def _of_nothing(item: exp.Expr) -> exp.Expr:
    if aggregates.is_aggregate(item):
        call = item.this if isinstance(item, exp.Filter) else item
        return exp.Literal.number(0) if aggregates.named(call) in COUNTS else exp.Null()
    copied = anew(item)
    for child in list(copied.iter_expressions()):
        child.replace(_of_nothing(child))
    return copied
