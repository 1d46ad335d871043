"""What a condition proves about the columns of the rows that pass it.

`WHERE amount BETWEEN 0 AND 100` narrows the range of `amount`, so that its sum needs less noise and
its groups are fewer. Only exact comparisons with constants are read; anything else proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from queries.algebra.calendar import DAY
from queries.algebra.facts import EXACT, TEMPORAL, Facts
from queries.algebra.scalars import Call, Column, Literal, Scalar
from queries.catalog.manifest import Type

COUNTED = EXACT | TEMPORAL
RANGES = {"=", "<", "<=", ">", ">="}
MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def proved(parts: Iterable[Scalar]) -> dict[Column, Facts]:
    """What a conjunction proves about columns: ranges by comparison with constants, no NULLs."""
    found: dict[Column, Facts] = {}
    for part in parts:
        for column, facts in _implied(part, found):
            found[column] = facts
    return found


def refined(scalar: Scalar, proved: dict[Column, Facts]) -> Scalar:
    """A column with what has been proved about it."""
    if isinstance(scalar, Column) and scalar in proved:
        return replace(scalar, facts=proved[scalar])
    return scalar


def _implied(part: Scalar, found: dict[Column, Facts]) -> Iterable[tuple[Column, Facts]]:
    if not isinstance(part, Call):
        return
    if part.op == "not" and isinstance(part.args[0], Call) and part.args[0].op == "null":
        for arg in part.args[0].args:
            if isinstance(arg, Column):
                yield arg, _now(arg, found).present()
    if part.op in ("=", "<", "<=", ">", ">=", "in", "like", "ilike", "<>"):
        for arg in part.args if part.op != "in" else part.args[:1]:
            if isinstance(arg, Column):
                yield arg, _now(arg, found).present()
    if part.op in RANGES and len(part.args) == 2:
        left, right = part.args
        yield from _bound(part.op, left, right, found)
        yield from _bound(MIRRORED[part.op], right, left, found)
    if part.op == "in" and isinstance(part.args[0], Column):
        yield from _listed(part.args[0], part.args[1:], found)


def _bound(
    sign: str, left: Scalar, right: Scalar, found: dict[Column, Facts]
) -> Iterable[tuple[Column, Facts]]:
    column, factor = _counted(left)
    value = right.facts.lower if isinstance(right, Literal) else None
    if column is None or value is None or not isinstance(value, int):
        if isinstance(left, Column) and isinstance(right, Literal) and sign == "=":
            yield from _listed(left, (right,), found)
        return
    facts = _now(column, found)
    low, high = _ends(sign, value, factor)
    yield column, facts.present().within(low, high)


def _ends(sign: str, value: int, factor: int) -> tuple[int | None, int | None]:
    """The whole x with `x * factor <sign> value`, as a range."""
    below, above = value // factor, -(-value // factor)
    match sign:
        case "<":
            return None, above - 1
        case "<=":
            return None, below
        case ">":
            return below + 1, None
        case ">=":
            return above, None
        case "=":
            return above, below if below >= above else above
    raise ValueError(sign)


def _counted(scalar: Scalar) -> tuple[Column | None, int]:
    """A column of whole numbers, days or microseconds, and the factor it is compared at."""
    if isinstance(scalar, Column) and scalar.facts.type in COUNTED:
        return scalar, 1
    if isinstance(scalar, Call) and scalar.op.startswith("rescale:"):
        column, factor = _counted(scalar.args[0])
        return column, factor * int(scalar.op.split(":")[1])
    if isinstance(scalar, Call) and scalar.op == "timestamp":
        column, factor = _counted(scalar.args[0])
        return column, factor * DAY
    return None, 1


def _listed(
    column: Column, members: Sequence[Scalar], found: dict[Column, Facts]
) -> Iterable[tuple[Column, Facts]]:
    values = [member.value for member in members if isinstance(member, Literal)]
    if len(values) != len(members):
        return
    facts = _now(column, found).present()
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) == len(values) and facts.type is Type.TEXT:
        own = facts.values
        kept = tuple(dict.fromkeys(t for t in texts if own is None or t in own))
        yield column, replace(facts, values=kept)
    numbers = [value for value in values if isinstance(value, int)]
    if len(numbers) == len(values) and facts.type in COUNTED:
        yield column, facts.within(min(numbers), max(numbers))


def _now(column: Column, found: dict[Column, Facts]) -> Facts:
    return found.get(column, column.facts)
