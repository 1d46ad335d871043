"""The price of an accuracy: the least loss whose noise stays within the errors asked for.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a price that is found here is a function of the question, of declared sizes and of
                what was released before; so is the charge that it becomes (P20, P23).
    Requires    an outline planned without private rows; magnitudes of released tables alone.
    Why         nothing here is handed a connection to a delivery. The loss of what is drawn is that
                of the plan made at this price, and is charged whole before anything is read.
    Tried by    tests/gateway/test_accuracy.py
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from budgets.amounts import PICO
from gateway.errors import Margin, Size, Wanted
from gateway.grouped import Released, Table, size_needed, tables
from gateway.refusals import ErrorNotOffered
from queries.plan.bounding import Sensitivity
from queries.plan.model import Noise
from queries.plan.planner import Outline
from queries.plan.post import Output, Role
from queries.plan.price import Price
from queries.plan.slopes import NoSlopes, slopes
from queries.release.least import Limit, OutOfReach, alone, together


@dataclass(frozen=True, slots=True)
class Aim:
    """An error as it was resolved: `margin` in the column's own unit.

    A share of `magnitude` where it was relative; `rows` are those of the group that it is meant
    for, where it depends on them; `source` says whence these were taken.
    """

    name: str
    asked: str
    margin: Fraction
    magnitude: float | None = None
    rows: float | None = None
    source: str | None = None


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
) -> Aimed:
    """The least price that keeps the errors, at least `floor`; raises ErrorNotOffered.

    Amounts and floor are epsilon in pure projects and rho elsewhere, in 1e-12.
    """
    outputs = [one for one in outline.plan.post.outputs if one.role is not Role.KEY]
    if not outline.plan.stages:
        wanted.of([])
        return Aimed(_price(((max(1, floor),),), delta, pure=pure, named=False), ())
    every = tables(outline, released)
    stages, answered = outline.plan.stages, len(outline.likely)
    noises = [noise for stage in stages[:answered] for noise in stage.noises]
    needs = [
        _need(table, output, margin, wanted.size)
        for table in every
        for output, margin in zip(outputs, wanted.of(outputs), strict=True)
    ]
    floors = [0] * len(noises)
    for need in needs:
        if need.place is not None:
            found = _alone(noises[need.place], need, confidence, pure=pure)
            floors[need.place] = max(floors[need.place], found)
    limits = [need.limit for need in needs if need.limit is not None]
    try:
        sensitivities = [_sensitivity(noise) for noise in noises]
        amounts = together(sensitivities, floors, limits, confidence, pure=pure)
    except OutOfReach:
        raise _unreachable("these columns") from None
    split = _raised(_filled(every, amounts, len(stages) - answered), floor)
    return Aimed(_price(split, delta, pure=pure, named=True), _strictest([n.aim for n in needs]))


@dataclass(frozen=True, slots=True)
class _Need:
    """What one output of one table takes: so many steps of one column, or a limit to several."""

    aim: Aim
    place: int | None = None
    steps: int = 0
    limit: Limit | None = None


def _need(table: Table, output: Output, margin: Margin, size: Fraction | Size) -> _Need:
    aim = _resolved(table, output, margin, size)
    if output.role is Role.MEASURE:
        place, steps = table.steps(output.column or "", aim.margin)
        return _Need(aim, place, steps)
    try:
        found = table.slopes(output, size)
    except NoSlopes:
        raise _untold(output) from None
    moved = [(*table.step(name), slope) for name, slope in found.by.items() if slope]
    limit = Limit(float(aim.margin), {place: slope * step for place, step, slope in moved})
    if not found.straight:
        aim = replace(aim, rows=table.rows(size), source=_source(size))
    return _Need(aim, limit=limit)


def _resolved(table: Table, output: Output, margin: Margin, size: Fraction | Size) -> Aim:
    """The error in the output's own unit, and where it is a share: of what."""
    if not margin.relative:
        return Aim(output.name, margin.text, margin.amount)
    if size is Size.RELEASED and table.released is None:
        raise ErrorNotOffered(
            "Nothing of this question has been released in the project yet.",
            hint="Ask it roughly first, or give the group's size as a number.",
        )
    point = table.point(size, most=False)
    if point is None:
        raise size_needed()
    try:
        text = f'"{output.column}"' if output.role is Role.MEASURE else output.expression
        magnitude = abs(slopes(text or "", point).value)
    except NoSlopes:
        raise _untold(output) from None
    if not magnitude:
        raise ErrorNotOffered(
            f"Nothing tells how large {output.name} is, so a share of it means nothing.",
            hint="Give its error in its own unit.",
        )
    share = margin.amount * Fraction(magnitude)
    return Aim(output.name, margin.text, share, magnitude, table.rows(size), _source(size))


def _alone(noise: Noise, need: _Need, confidence: float, *, pure: bool) -> int:
    try:
        return alone(_sensitivity(noise), need.steps, confidence, pure=pure)
    except OutOfReach:
        raise _unreachable(need.aim.name) from None


def _source(size: Fraction | Size) -> str:
    return "given" if isinstance(size, Fraction) else size.value


def _filled(every: Sequence[Table], amounts: Sequence[int], more: int) -> list[list[int]]:
    """The amounts stage by stage; what nobody asked about gets the mean of what was.

    So does each of the stages `more`, as a whole.
    """
    found: dict[int, list[int]] = {}
    for table in every:
        own = list(amounts[table.first : table.first + len(table.columns)])
        asked = [amount for amount in own if amount]
        if not asked:
            raise ErrorNotOffered("No column of the answer is noisy by itself.")
        mean = -(-sum(asked) // len(asked))
        found.setdefault(table.stage, []).extend(amount or mean for amount in own)
    mean = -(-sum(amounts) // max(1, sum(map(bool, amounts))))
    return [found[n] for n in sorted(found)] + [[mean]] * more


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


def _sensitivity(noise: Noise) -> Sensitivity:
    return Sensitivity(noise.l1, noise.l2_squared)


def _untold(output: Output) -> ErrorNotOffered:
    return ErrorNotOffered(
        f"The error of {output.name} cannot be told before the answer is there.",
        hint="Ask for the counts, sums and means that it is made of, or name a price.",
    )


def _unreachable(what: str) -> ErrorNotOffered:
    return ErrorNotOffered(
        f"No loss keeps the error of {what} so small: large totals are rounded before the noise.",
        hint="Ask for a larger error.",
    )
