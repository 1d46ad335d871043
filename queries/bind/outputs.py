"""The items of SELECT: their names, and what a star stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp

from queries.algebra.scalars import Scalar
from queries.bind.scope import Scope
from queries.language.limits import LIMITS
from queries.language.parse import place
from queries.language.refusals import TooManyColumns, UnsupportedSql


def item_name(item: exp.Expr) -> str | None:
    """The name of a selected item where the text gives it; DuckDB makes up the others."""
    if item.alias:
        return str(item.alias)
    inner = item
    while isinstance(inner, exp.Paren):
        inner = inner.this
    return inner.name if isinstance(inner, exp.Column) else None


def selected(node: exp.Select, scope: Scope) -> list[exp.Expr | tuple[str, Scalar]]:
    """The items of a SELECT over private rows, stars written out as (name, column)."""
    found: list[exp.Expr | tuple[str, Scalar]] = []
    for item in node.expressions:
        if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and item.is_star):
            star = item if isinstance(item, exp.Star) else item.this
            if any(star.args.values()):
                raise UnsupportedSql(
                    "* with EXCLUDE or REPLACE is not answered.", position=place(item)
                )
            found.extend(
                scope.starred(item.table or None if isinstance(item, exp.Column) else None)
            )
        else:
            found.append(item)
    if len(found) > LIMITS.columns:
        raise TooManyColumns(
            f"At most {LIMITS.columns} columns are answered.", position=place(node)
        )
    return found


def reaches(
    node: exp.Expr, aliases: Mapping[str, exp.Expr], found: Callable[[exp.Expr], bool]
) -> bool:
    """Whether an expression, or one that SELECT names and it uses, is such a one."""
    waiting, seen = [node], set[str]()
    while waiting:
        current = waiting.pop()
        if found(current):
            return True
        names = {c.name.lower() for c in current.find_all(exp.Column) if not c.table} - seen
        waiting.extend(aliases[name] for name in names if name in aliases)
        seen |= names
    return False
