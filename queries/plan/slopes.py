"""How an output follows from the noisy columns of its row: its value at a point, and its slopes.

Forward accumulation of derivatives (Griewank and Walther 2008, chapter 3). To first order an error
of the columns moves the output by the slopes times it; where the output is a sum of columns times
constants, exactly so. Keeping a value in a constant range never moves it further. What has no case
here has no slopes.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from queries.language.trees import nodes


class NoSlopes(Exception):
    """The expression is none whose error can be told beforehand."""


@dataclass(frozen=True, slots=True)
class Slopes:
    """A value, its derivative by each noisy column, and whether these are the same everywhere.

    Of a `root` they are those of what stands under it: roots differ by at most the root of the
    difference of what is under them, however near to 0 it is. They say enough while each of the
    slopes `apart`, of divisors as shares of themselves, adds up to little.
    """

    value: float
    by: Mapping[str, float] = field(default_factory=dict)
    straight: bool = True
    root: bool = False
    apart: tuple[Mapping[str, float], ...] = ()

    @property
    def constant(self) -> bool:
        return not self.by

    def times(self, factor: float, value: float, *, straight: bool = True) -> Slopes:
        """The slopes multiplied, at another value."""
        by = {name: factor * slope for name, slope in self.by.items()}
        return Slopes(value, by, self.straight and straight)


Point = Mapping[str, float]


def slopes(sql: str | exp.Expr, point: Point, *, conjoined: bool = False) -> Slopes:
    """Those of an expression over a stage's columns at a point; raises NoSlopes.

    What depends on several conditions at once, as a correlation does on what varies at all, is
    told where these are `conjoined`: by who knows that the point is one at which they hold.
    """
    tree: exp.Expr = exp.maybe_parse(sql, dialect="duckdb")
    if not conjoined and nodes(tree, exp.And):
        raise NoSlopes
    try:
        found = _of(tree, point)
    except (ArithmeticError, ValueError):
        raise NoSlopes from None
    if not all(map(math.isfinite, (found.value, *found.by.values()))):
        raise NoSlopes
    return found


def steepest(points: Sequence[Point], told: Callable[[Point], Slopes]) -> Slopes:
    """The slopes at the first point, each as large as at any of them; raises NoSlopes."""
    found = [told(point) for n, point in enumerate(points) if point not in points[:n]]
    return replace(found[0], by=largest(one.by for one in found))


def largest(found: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """By column, the largest of several slopes, without their signs."""
    most: dict[str, float] = {}
    for one in found:
        for name, slope in one.items():
            most[name] = max(abs(slope), most.get(name, 0.0))
    return most


def divisors(sql: str) -> frozenset[str]:
    """The columns that an expression divides by."""
    tree: exp.Expr = exp.maybe_parse(sql, dialect="duckdb")
    below = (one.expression for one in nodes(tree, exp.Div))
    return frozenset(column.name for part in below for column in nodes(part, exp.Column))


def rooted(sql: str, point: Point) -> Slopes | None:
    """Those of what stands under the root that an expression is, or None; raises NoSlopes."""
    inner: exp.Expr = exp.maybe_parse(sql, dialect="duckdb")
    while not isinstance(inner, exp.Sqrt):
        if isinstance(inner, exp.Paren | exp.Cast):
            inner = inner.this
        elif isinstance(inner, exp.Case) and len(inner.args["ifs"]) == 1 and not _default(inner):
            inner = inner.args["ifs"][0].args["true"]
        else:
            return None
    found = slopes(inner.this.sql(dialect="duckdb"), point)
    value = math.sqrt(max(0.0, found.value))
    return replace(found, value=value, straight=False, root=True)


def _default(node: exp.Case) -> bool:
    return node.this is not None or node.args.get("default") is not None


def _of(node: exp.Expr, point: Point) -> Slopes:
    match node:
        case exp.Column() if node.name in point:
            return Slopes(point[node.name], {node.name: 1.0})
        case exp.Literal() if not node.is_string:
            return Slopes(float(node.name))
        case exp.Paren() | exp.Cast() | exp.Nullif() | exp.Coalesce():
            return _of(node.this, point)
        case exp.Neg():
            inner = _of(node.this, point)
            return inner.times(-1, -inner.value)
        case exp.Add() | exp.Sub() | exp.Mul() | exp.Div():
            return _arithmetic(node, _of(node.this, point), _of(node.expression, point))
        case exp.Greatest() | exp.Least():
            return _kept(node, [_of(one, point) for one in (node.this, *node.expressions)])
        case exp.Sqrt():
            inner = _of(node.this, point)
            root = math.sqrt(inner.value)
            return inner.times(0.5 / root, root, straight=False)
        case exp.Case() if node.this is None:
            return _chosen(node, point)
    raise NoSlopes


def _arithmetic(node: exp.Expr, left: Slopes, right: Slopes) -> Slopes:
    one, two = left.value, right.value
    match node:
        case exp.Add():
            return _sum(left, right, one + two)
        case exp.Sub():
            return _sum(left, right.times(-1, -two), one - two)
        case exp.Mul():
            straight = left.constant or right.constant
            parts = left.times(two, one * two), right.times(one, one * two)
            return _sum(*parts, one * two, straight=straight)
    straight = right.constant
    parts = left.times(1 / two, one / two), right.times(-one / two**2, one / two)
    return _sum(*parts, one / two, straight=straight)


def _sum(left: Slopes, right: Slopes, value: float, *, straight: bool = True) -> Slopes:
    names = dict.fromkeys((*left.by, *right.by))
    by = {name: left.by.get(name, 0.0) + right.by.get(name, 0.0) for name in names}
    return Slopes(value, by, left.straight and right.straight and straight)


def _kept(node: exp.Expr, parts: list[Slopes]) -> Slopes:
    """A value kept above or below constants: it moves no further than without them."""
    moving = [part for part in parts if not part.constant]
    if len(moving) > 1:
        raise NoSlopes
    best = max if isinstance(node, exp.Greatest) else min
    value = best(part.value for part in parts)
    return moving[0].times(1, value, straight=False) if moving else Slopes(value)


COMPARED: Mapping[type[exp.Expr], Callable[[float, float], bool]] = {
    exp.GTE: operator.ge,
    exp.GT: operator.gt,
    exp.LTE: operator.le,
    exp.LT: operator.lt,
}


def _chosen(node: exp.Case, point: Point) -> Slopes:
    """The branch that is taken at the point; where it is constant, the slopes of the other.

    So is a spread that rounding leaves just above 0 held at 0: it moves on from there.
    """
    taken = next((one for one in node.args["ifs"] if _holds(one.this.unnest(), point)), None)
    branches = [(one.args["true"], one is taken) for one in node.args["ifs"]]
    if node.args.get("default") is not None:
        branches.append((node.args["default"], taken is None))
    shown = next((branch for branch, chosen in branches if chosen), None)
    if shown is None:
        raise NoSlopes
    found = _of(shown, point)
    if not found.constant:
        return _bent(found)
    rest = [_of(branch, point) for branch, chosen in branches if not chosen]
    moving = [one for one in rest if not one.constant]
    if len(moving) > 1:
        raise NoSlopes
    return moving[0].times(1, found.value, straight=False) if moving else _bent(found)


def _holds(condition: exp.Expr, point: Point) -> bool:
    if isinstance(condition, exp.And):
        return all(_holds(part.unnest(), point) for part in (condition.this, condition.expression))
    if type(condition) not in COMPARED:
        raise NoSlopes
    left, right = _of(condition.this, point), _of(condition.expression, point)
    return COMPARED[type(condition)](left.value, right.value)


def _bent(found: Slopes) -> Slopes:
    return found.times(1, found.value, straight=False)
