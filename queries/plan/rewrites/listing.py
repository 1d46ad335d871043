"""Rows were asked for, or one row for each person: the groups and totals over them instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from queries.bind import aggregates
from queries.catalog.manifest import Column, Manifest, Type
from queries.plan.rewrites.selects import (
    Named,
    bare,
    keys,
    measures,
    outermost,
    private,
    regrouped,
    tables,
    untailed,
    written,
)

MOST_KEYS = 6
NUMERIC = (Type.INTEGER, Type.DECIMAL)
TEMPORAL = (Type.DATE, Type.TIMESTAMP)
COUNTED, UNITS = "n", "units"


def lists_rows(select: exp.Select) -> bool:
    """Whether a SELECT shows rows as they are: no grouping, no aggregate, no DISTINCT."""
    return not aggregates.present(select) and select.args.get("distinct") is None


def aggregated(tree: exp.Query, manifest: Manifest, seems: Callable[[str], bool]) -> Iterator[str]:
    """Of one row a person: fewer keys, or the mean over persons. Of rows: groups and means."""
    select = outermost(tree)
    if select is None:
        return
    if lists_rows(select):
        yield from (_placed(tree, select, one) for one in _summaries(select, manifest))
        return
    yield from _fewer_keys(tree, select, manifest, seems)
    yield from _over_units(tree, select)
    yield _placed(tree, select, regrouped(untailed(select), []))


def _placed(tree: exp.Query, select: exp.Select, new: exp.Select) -> str:
    """The text with the outermost SELECT replaced."""
    return written(new if tree is select else tree.copy().transform(_swap(select, new)))


def _swap(old: exp.Select, new: exp.Select) -> Callable[[exp.Expr], exp.Expr]:
    return lambda node: new.copy() if node == old else node


def _fewer_keys(
    tree: exp.Query, select: exp.Select, manifest: Manifest, seems: Callable[[str], bool]
) -> Iterator[str]:
    """The keys that are answered one by one, together; none that has a value for each unit."""
    whole = keys(select)
    found = [key for key in whole if _shared(key, select, manifest)]
    if len(whole) < 2 or len(found) > MOST_KEYS:
        return
    if found and len(found) < len(whole):
        yield _placed(tree, select, regrouped(select, found))
    short = untailed(select)
    kept = [key for key in found if seems(_placed(tree, select, regrouped(short, [key])))]
    if kept and len(kept) < len(found):
        yield _placed(tree, select, regrouped(select, kept))


def _over_units(tree: exp.Query, select: exp.Select) -> Iterator[str]:
    """How many there are of what was asked for, and the mean of each of its aggregates."""
    inner = untailed(select)
    means = []
    for number, item in enumerate(measures(inner)):
        name = item.alias or f"value{number + 1}"
        if not item.alias:
            item.replace(exp.alias_(item.copy(), name))
        means.append(exp.alias_(exp.Avg(this=exp.column(name)), f"mean_{name}"))
    shown = [exp.alias_(exp.Count(this=exp.Star()), UNITS), *means]
    clause = inner.args.get("with_")
    inner.set("with_", None)
    outer = exp.Select(expressions=shown).from_(inner.subquery("each", copy=False))
    if clause is not None:
        outer.set("with_", clause)
    yield _placed(tree, select, outer)


def _summaries(select: exp.Select, manifest: Manifest) -> Iterator[exp.Select]:
    """Counts by what has few values, with the mean of what is a number."""
    groups: list[exp.Expr] = []
    means: list[exp.Expr] = []
    for item in _items(select, manifest):
        column = _declared(bare(item), select, manifest)
        if column is None:
            continue
        if column.categories or column.references or column.type is Type.BOOLEAN:
            groups.append(item.copy())
        elif column.type in TEMPORAL:
            month = exp.func("date_trunc", exp.Literal.string("month"), bare(item).copy())
            groups.append(exp.alias_(month, "month"))
        elif column.type in NUMERIC and column.lower is not None:
            means.append(exp.alias_(exp.Avg(this=bare(item).copy()), f"mean_{column.name}"))
    count = exp.alias_(exp.Count(this=exp.Star()), COUNTED)
    for keyed, shown in ((groups, means), (groups[:2], means), (groups[:1], means), ([], [])):
        yield _summary(select, keyed, [count, *shown])


def _summary(select: exp.Select, groups: list[exp.Expr], shown: list[exp.Expr]) -> exp.Select:
    found = untailed(select)
    found.set("expressions", [part.copy() for part in (*groups, *shown)])
    if groups:
        found.set("group", exp.Group(expressions=[bare(part).copy() for part in groups]))
    return found


def _items(select: exp.Select, manifest: Manifest) -> list[exp.Expr]:
    """What is selected; a star stands for the first column with few values."""
    if not any(item.is_star for item in select.expressions):
        return list(select.expressions)
    for named in private(select, manifest):
        for column in named.table.columns:
            if column.categories or column.references:
                return [exp.column(column.name, table=named.name)]
    return []


def _declared(item: exp.Expr, select: exp.Select, manifest: Manifest) -> Column | None:
    """The declared column that an item is, unless it tells units apart."""
    if not isinstance(item, exp.Column):
        return None
    owners = [named for named in tables(select, manifest) if item.table in ("", named.name)]
    for named in owners:
        column = named.table.column(item.name)
        if column is not None:
            return None if _naming(named, column) else column
    return None


def _shared(key: exp.Expr, select: exp.Select, manifest: Manifest) -> bool:
    """Whether many units may have one value of a key: no id, no amount, no text of their own."""
    if not isinstance(key, exp.Column):
        return True
    column = _declared(key, select, manifest)
    if column is None:
        return False
    if column.categories or column.references or _of_public(key, select, manifest):
        return True
    return column.type not in (Type.TEXT, Type.DECIMAL, Type.REAL)


def _of_public(key: exp.Column, select: exp.Select, manifest: Manifest) -> bool:
    owners = [n for n in tables(select, manifest) if n.table.column(key.name) is not None]
    owners = [named for named in owners if key.table in ("", named.name)]
    return bool(owners) and all(named.table.public for named in owners)


def _naming(named: Named, column: Column) -> bool:
    table = named.table
    own = {table.unit_key, *table.key, table.unit_via.column if table.unit_via else None}
    return not table.public and column.name in own
