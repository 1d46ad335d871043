"""Correlations and regressions: how they follow from columns, where values are spread so far.

Each divides by central moments, r = s11 / sqrt(s20 s02) or b = s11 / s02, so its error grows beyond
every bound as the spread of the values nears nothing: it is told where their standard deviations
are at least so large. There its slopes are largest at an end of everything else: at means at an end
of their ranges, at a correlation of 1 or -1, and, where an argument's own variance is in no
divisor, with that at half of its range; each slope is linear in these, or grows with them.

First order says enough only while the divisors are known well: with s02 off by a share t of it, an
error of the first order e is one of at most e / (1 - t). So what `apart` says of each divisor is
kept within SHARE, and the rest within what is then left of a margin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import sqrt
from statistics import median

from sqlglot import exp

from queries.language.trees import anew, nodes, rebuilt
from queries.plan.slopes import NoSlopes, Point, Slopes, divisors, largest, slopes

SHARE = 1 / 8
"""How far a variance that is divided by may be off, as a share of it."""
CENTRAL = "central "


@dataclass(frozen=True, slots=True)
class Held:
    """What a column of a group adds up for each row: a value's middle, and half of its range.

    `value` numbers the value that is summed; `factors` those whose distances from their middles
    are multiplied, where it is a sum of such products. A count has no value.
    """

    middle: float
    half: float
    value: int | None = None
    factors: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A group's rows and columns, and how far its values are spread.

    `spread` is their standard deviation as a share of their ranges; what `before` holds, the
    columns of the groups that were released, says it itself where it is None.
    """

    rows: float
    columns: Mapping[str, Held]
    spread: float | None
    before: Sequence[Point] = ()


@dataclass(frozen=True, slots=True)
class _Ratio:
    """An expression over central moments and columns, and each moment over columns."""

    text: str
    moments: Mapping[str, exp.Sub]


def divides(sql: str, columns: Mapping[str, Held]) -> bool:
    """Whether an expression divides by a variance, and reads nothing but such moments and means."""
    found = _read(sql, columns)
    return bool(_divided(found)) and set(_own(found.text)) <= _known(found)


def typical(sql: str, before: Sequence[Point]) -> float | None:
    """The median size of an expression over groups that were released; None where it has none."""
    tree: exp.Expr = exp.maybe_parse(sql, dialect="duckdb")
    return _median(abs(one.value) for one in _tried(tree, before))


def ratio(sql: str, group: Group) -> Slopes:
    """The steepest slopes of what divides by variances; raises NoSlopes."""
    found = _read(sql, group.columns)
    spreads = _spreads(found, group)
    known = _known(found)
    ends = list(_ends(known - {name.removeprefix(CENTRAL) for name in found.moments}, group))
    every = []
    for end, sign in product(ends, (1.0, -1.0)):
        values = {n: sign ** _crossed(n, group) * v for n, v in spreads.items()}
        every.append(_chained(found, end, values))
    by = largest(one.by for one in every)
    apart = [_apart(found.moments[name], ends, spreads[name]) for name in _divided(found)]
    return Slopes(every[-1].value, by, straight=False, apart=tuple(apart))


def _read(sql: str, columns: Mapping[str, Held]) -> _Ratio:
    moments: dict[str, exp.Sub] = {}

    def write(node: exp.Expr) -> exp.Expr:
        name = _moment(node, columns) if isinstance(node, exp.Sub) else None
        if name is None or not isinstance(node, exp.Sub):
            return rebuilt(node, write)
        moments[CENTRAL + name] = node
        return exp.Column(this=exp.to_identifier(CENTRAL + name, quoted=True))

    tree: exp.Expr = exp.maybe_parse(sql, dialect="duckdb")
    return _Ratio(write(anew(tree)).sql(dialect="duckdb"), moments)


def _moment(node: exp.Sub, columns: Mapping[str, Held]) -> str | None:
    """The column of products of a central moment: their mean less the product of two means."""
    means = node.expression.unnest()
    if not isinstance(means, exp.Mul) or nodes(node, exp.Case):
        return None
    left = [n for n in _names(node.this) if not _counts(columns[n])]
    factors = [
        columns[n].value
        for part in (means.this, means.expression)
        for n in _names(part)
        if not _counts(columns[n])
    ]
    if len(left) != 1 or len(factors) != 2 or None in factors:
        return None
    wanted = columns[left[0]].factors
    return left[0] if wanted in (tuple(factors), tuple(reversed(factors))) else None


def _names(node: exp.Expr) -> list[str]:
    return list(dict.fromkeys(column.name for column in nodes(node, exp.Column)))


def _own(text: str) -> Iterator[str]:
    tree: exp.Expr = exp.maybe_parse(text, dialect="duckdb")
    return (name for name in _names(tree) if not name.startswith(CENTRAL))


def _known(found: _Ratio) -> set[str]:
    """The columns that the moments are made of."""
    return {name for tree in found.moments.values() for name in _names(tree)}


def _counts(held: Held) -> bool:
    return held.value is None


def _divided(found: _Ratio) -> list[str]:
    return sorted(name for name in divisors(found.text) if name.startswith(CENTRAL))


def _factors(name: str, group: Group) -> tuple[int, int]:
    factors = group.columns[name.removeprefix(CENTRAL)].factors
    if factors is None:
        raise NoSlopes
    return factors


def _crossed(name: str, group: Group) -> bool:
    """Whether a moment is a covariance, of whichever sign."""
    one, other = _factors(name, group)
    return one != other


def _spreads(found: _Ratio, group: Group) -> dict[str, float]:
    """What each moment is where values are spread no further; raises NoSlopes."""
    deviations = {
        _factors(name, group)[0]: _deviation(found.moments[name], name, group)
        for name in found.moments
        if not _crossed(name, group)
    }
    spreads = {}
    for name, tree in found.moments.items():
        one, other = _factors(name, group)
        if one in deviations and other in deviations:
            spreads[name] = deviations[one] * deviations[other]
        else:
            spreads[name] = _covariance(tree, (one, other), deviations, group)
    return spreads


def _deviation(tree: exp.Sub, name: str, group: Group) -> float:
    """A standard deviation: a share of the range, or the median of those that were released."""
    if group.spread is not None:
        return 2 * _half(_factors(name, group)[0], group) * group.spread
    found = _median(sqrt(one.value) for one in _tried(tree, group.before) if one.value > 0)
    if found is None:
        raise NoSlopes
    return found


def _covariance(
    tree: exp.Sub, factors: tuple[int, int], deviations: Mapping[int, float], group: Group
) -> float:
    """The most that a covariance is, where the variance of an argument is in no divisor."""
    if group.spread is None and group.before:
        found = _median(abs(one.value) for one in _tried(tree, group.before))
        if found is not None:
            return found
    most = 1.0
    for one in factors:
        most *= deviations.get(one, _half(one, group))
    return most


def _half(value: int, group: Group) -> float:
    found = [held.half for held in group.columns.values() if held.value == value]
    if not found:
        raise NoSlopes
    return max(found)


def _median(found: Iterator[float]) -> float | None:
    values = list(found)
    return float(median(values)) if values else None


def _tried(tree: exp.Expr, before: Sequence[Point]) -> Iterator[Slopes]:
    for point in before:
        try:
            yield slopes(tree, point, conjoined=True)
        except NoSlopes:
            continue


def _ends(names: set[str], group: Group) -> Iterator[dict[str, float]]:
    """Points at which every mean is at an end of its range."""
    means = sorted(n for n in names if not _counts(group.columns[n]))
    counts = {n: group.rows for n in names if _counts(group.columns[n])}
    for signs in product((1.0, -1.0), repeat=len(means)):
        held = {
            name: group.rows * (group.columns[name].middle + sign * group.columns[name].half)
            for name, sign in zip(means, signs, strict=True)
        }
        yield counts | held


def _chained(found: _Ratio, end: Point, values: Mapping[str, float]) -> Slopes:
    """The slopes by columns, through those of the moments."""
    products = {name.removeprefix(CENTRAL): 0.0 for name in found.moments}
    outer = slopes(found.text, {**products, **end, **values}, conjoined=True)
    by = {name: s for name, s in outer.by.items() if name not in found.moments}
    for name, tree in found.moments.items():
        for column, slope in _of_moment(tree, end).items():
            by[column] = by.get(column, 0.0) + outer.by.get(name, 0.0) * slope
    return Slopes(outer.value, by, straight=False)


def _of_moment(tree: exp.Sub, end: Point) -> Mapping[str, float]:
    """The slopes of a central moment where all rows are at the ends."""
    (name,) = (n for n in _names(tree.this) if n not in end)
    of_mean = slopes(tree.this, {**end, name: 0.0})
    meant = slopes(tree.expression, end).value
    held = (meant - of_mean.value) / of_mean.by[name]
    return slopes(tree, {**end, name: held}).by


def _apart(tree: exp.Sub, ends: Sequence[Point], spread: float) -> Mapping[str, float]:
    """How far a step of each column moves a variance, as a share of it, at most."""
    found = largest(_of_moment(tree, end) for end in ends)
    return {name: slope / spread for name, slope in found.items()}
