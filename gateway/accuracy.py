"""The price of an accuracy: the least loss whose noise stays within the errors asked for.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a price that is found here is a function of the question, of declared sizes and of
                what was released before; so is the charge that it becomes (P20, P23).
    Requires    an outline planned without private rows; magnitudes of released tables alone.
    Why         nothing here is handed a connection to a delivery. The loss of what is drawn is that
                of the plan made at this price, and is charged whole before anything is read.
    Tried by    tests/gateway/test_accuracy.py, tests/gateway/test_aims.py
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from budgets.amounts import PICO
from gateway import ranked
from gateway.aims import Aim, Terms, of_magnitude, resolved, source, unreachable, untold
from gateway.combined import Asked, Joined, asked
from gateway.errors import Margin, Size, Wanted
from gateway.grouped import Released, Table, tables
from gateway.refusals import ErrorNotOffered
from queries.plan.planner import Outline
from queries.plan.post import Output, Role
from queries.plan.price import Price
from queries.plan.ratios import SHARE
from queries.plan.slopes import NoSlopes
from queries.release.least import Limit, OutOfReach, alone, together


def size(price: object, aims: Sequence[Aim]) -> Fraction | Size:
    """The size of a group for which errors are told: as asked, or as declared."""
    if not isinstance(price, Wanted):
        return Size.DECLARED
    if price.size is not Size.RELEASED:
        return price.size
    found = [aim.rows for aim in aims if aim.rows is not None]
    return Fraction(min(found)) if found else Size.DECLARED


@dataclass(frozen=True, slots=True)
class Aimed:
    """A price, and the errors that it was found for."""

    price: Price
    aims: tuple[Aim, ...]


def aimed(
    outline: Outline,
    wanted: Wanted,
    confidence: float,
    delta: int,
    floor: int,
    *,
    pure: bool,
    released: Released,
    spread: Fraction | None = None,
) -> Aimed:
    """The least price that keeps the errors, at least `floor`; raises ErrorNotOffered.

    `spread` is the least standard deviation of what is correlated, as a share of its range.
    Amounts and floor are epsilon in pure projects and rho elsewhere, in 1e-12.
    """
    if not outline.plan.stages:
        wanted.of([one for one in outline.plan.post.outputs if one.role is not Role.KEY])
        return Aimed(_price(((max(1, floor),),), delta, pure=pure, named=False), ())
    every = tables(outline, released, spread)
    outputs = asked(outline.plan, every)
    margins = wanted.of([one.output for one in outputs])
    needs = _needs(outputs, margins, Terms(wanted.size, confidence, pure))
    amounts = _amounts(every, needs, confidence, pure=pure)
    split = _raised(_filled(every, amounts, len(outline.plan.stages) - len(outline.likely)), floor)
    return Aimed(_price(split, delta, pure=pure, named=True), _strictest([n.aim for n in needs]))


@dataclass(frozen=True, slots=True)
class _Need:
    """What one output of one table takes: the least amounts of places, or a limit to several."""

    aim: Aim
    floors: Mapping[int, int] = field(default_factory=dict)
    limits: tuple[Limit, ...] = ()


def _needs(outputs: Sequence[Asked], margins: Sequence[Margin], terms: Terms) -> list[_Need]:
    ranked.fitting(outputs, margins)
    return [
        need
        for one, margin in zip(outputs, margins, strict=True)
        for need in _needed(one, margin, terms)
    ]


def _needed(one: Asked, margin: Margin, terms: Terms) -> Iterator[_Need]:
    if one.joined is not None:
        yield _combined(one.output, one.joined, margin, terms)
        return
    for table in one.tables:
        alike = terms
        if one.utmost:  # of k cells each may be off, the furthest by more than a single one
            beyond = (1 - terms.confidence) / (table.cells or 1)
            alike = replace(terms, confidence=1 - beyond)
        yield _need(table, one.output, margin, alike)


def _combined(output: Output, joined: Joined, margin: Margin, terms: Terms) -> _Need:
    """The limit that an output of several tables puts to all of them, to first order."""
    try:
        moved, found = joined.slopes(terms.size)
        magnitude = joined.value(terms.size) if margin.relative else None
    except NoSlopes:
        raise untold(output.name) from None
    rows = joined.rows(terms.size)
    aim = of_magnitude(output, margin, magnitude, rows, terms.size)
    if not found.straight:
        aim = replace(aim, rows=rows, source=source(terms.size))
    places = {place: step for place, step in moved.items() if step}
    return _Need(aim, limits=(Limit(float(aim.margin), places),))


def _need(table: Table, output: Output, margin: Margin, terms: Terms) -> _Need:
    if ranked.of(table, output):
        return _Need(*ranked.needed(table, output, margin, terms))
    aim = resolved(table, output, margin, terms.size)
    if output.role is Role.MEASURE:
        place, noise, steps = table.steps(output.column or "", aim.margin)
        try:
            least = alone(noise.sensitivity, steps, terms.confidence, pure=terms.pure)
        except OutOfReach:
            raise unreachable(output.name) from None
        return _Need(aim, {place: least})
    return _limited(table, output, aim, terms.size)


def _limited(table: Table, output: Output, aim: Aim, size: Fraction | Size) -> _Need:
    """The limit that an output of several columns puts to them, to first order."""
    try:
        found = table.slopes(output, size)
    except NoSlopes:
        raise untold(output.name) from None
    moved = table.moved({name: slope for name, slope in found.by.items() if slope})
    margin = float(aim.margin) ** (2 if found.root else 1) * (1 - SHARE * bool(found.apart))
    near = [Limit(SHARE, table.moved(apart)) for apart in found.apart]
    if not found.straight:
        aim = replace(aim, rows=table.rows(size), source=source(size))
    return _Need(aim, limits=(Limit(margin, moved), *near))


def _amounts(
    every: Sequence[Table], needs: Sequence[_Need], confidence: float, *, pure: bool
) -> list[int]:
    """The least amounts, place by place; 0 where nothing was asked about."""
    sensitivities = [noise.sensitivity for table in every for noise in table.noises]
    floors = [0] * len(sensitivities)
    for place, least in (item for need in needs for item in need.floors.items()):
        floors[place] = max(floors[place], least)
    limits = [limit for need in needs for limit in need.limits]
    try:
        return together(sensitivities, floors, limits, confidence, pure=pure)
    except OutOfReach:
        raise unreachable("these columns") from None


def _filled(every: Sequence[Table], amounts: Sequence[int], more: int) -> list[list[int]]:
    """The amounts stage by stage; what nobody asked about gets the mean of what was.

    It is the mean of its own table, or of all where nothing of it is asked about: what later stages
    read scales with what they are asked for. So does each of the stages `more`, as a whole.
    """
    every_asked = [amount for amount in amounts if amount]
    if not every_asked:
        raise ErrorNotOffered("No column of the answer is noisy by itself.")
    found: dict[int, list[int]] = {}
    for table in every:
        own = list(amounts[table.first : table.first + len(table.noises)])
        mean = _mean([amount for amount in own if amount] or every_asked)
        found.setdefault(table.stage, []).extend(amount or mean for amount in own)
    return [found[n] for n in sorted(found)] + [[_mean(every_asked)]] * more


def _mean(amounts: Sequence[int]) -> int:
    return -(-sum(amounts) // len(amounts))


def _raised(split: Sequence[Sequence[int]], floor: int) -> tuple[tuple[int, ...], ...]:
    """The amounts in the same proportions, together at least the floor."""
    total = sum(map(sum, split))
    if total >= floor:
        return tuple(map(tuple, split))
    return tuple(tuple(-(-amount * floor // total) for amount in own) for own in split)


def _price(split: tuple[tuple[int, ...], ...], delta: int, *, pure: bool, named: bool) -> Price:
    total, columns = sum(map(sum, split)), sum(map(len, split))
    shown = split if named else ()
    if not pure:
        return Price(total, delta, None, shown)
    return Price(max(columns, total * total // (2 * PICO)), 0, total, shown)


def _strictest(aims: Sequence[Aim]) -> tuple[Aim, ...]:
    """One aim for each column: the strictest, where several tables have it."""
    found: dict[str, Aim] = {}
    for aim in aims:
        if aim.name not in found or aim.margin < found[aim.name].margin:
            found[aim.name] = aim
    return tuple(found.values())
