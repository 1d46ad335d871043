"""GROUPING SETS, ROLLUP and CUBE written out: the sets of expressions that one GROUP BY means.

Members of a GROUP BY multiply: `a, ROLLUP(b)` is the sets (a, b) and (a). A set may occur twice;
then so do its rows, as in DuckDB.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from sqlglot import exp

from queries.bind import forms
from queries.language.parse import place
from queries.language.refusals import TooManyGroups, UnsupportedSql

MOST_SETS = 32
SEVERAL = (exp.GroupingSets, exp.Rollup, exp.Cube)
Set = tuple[exp.Expr, ...]


def expanded(clause: exp.Group) -> list[Set]:
    """Every set that a GROUP BY asks for, in order; one where it names no sets."""
    found: list[Set] = [()]
    for member in clause.expressions:
        own = _sets(member)
        if len(found) * len(own) > MOST_SETS:
            raise _many(clause)
        found = [(*left, *right) for left in found for right in own]
    return found


def _sets(member: exp.Expr) -> list[Set]:
    """The sets that one member of GROUP BY stands for."""
    match member:
        case exp.GroupingSets():
            forms.check(member)
            return [one for inner in member.expressions for one in _inner(inner)]
        case exp.Rollup() | exp.Cube():
            return _spread(member)
        case exp.Tuple() if not member.expressions:
            return [()]
    return [(member,)]


def _inner(member: exp.Expr) -> list[Set]:
    """The sets of a member of GROUPING SETS, in which parentheses hold one set."""
    if isinstance(member, exp.Tuple):
        return [_flat(member)]
    return _sets(member)


def _spread(member: exp.Rollup | exp.Cube) -> list[Set]:
    """ROLLUP: all first parts of the list. CUBE: all parts of it."""
    forms.check(member)
    parts = [_flat(part) if isinstance(part, exp.Tuple) else (part,) for part in member.expressions]
    if not parts:
        raise UnsupportedSql("ROLLUP and CUBE take columns.", position=place(member))
    if isinstance(member, exp.Rollup):
        return [_joined(parts[:size]) for size in range(len(parts), -1, -1)]
    if 2 ** len(parts) > MOST_SETS:
        raise _many(member)
    sizes = range(len(parts), -1, -1)
    return [_joined(some) for size in sizes for some in combinations(parts, size)]


def _flat(member: exp.Tuple) -> Set:
    forms.check(member)
    if any(isinstance(part, (exp.Tuple, *SEVERAL)) for part in member.expressions):
        raise UnsupportedSql("Sets do not stand inside of a set.", position=place(member))
    return tuple(member.expressions)


def _joined(parts: Sequence[Set]) -> Set:
    return tuple(one for part in parts for one in part)


def _many(node: exp.Expr) -> TooManyGroups:
    return TooManyGroups(
        f"There would be more than {MOST_SETS} grouping sets, which is the most.",
        position=place(node),
    )
