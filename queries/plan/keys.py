"""Group keys: the list of public ones is written here, before any private row is read (P10).

A key is public when every value it can take follows from declarations: categories, booleans, small
ranges, parts of dates, columns of public tables, and expressions over these. All keys of a measure
are listed together, under those of its conditions that read nothing else; where one of them is not
public, all are found from the data instead, behind a threshold (P11).

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the list is the same for both, and holds every key that a row can have.
    Requires    facts of a sealed delivery (P16); public tables made without the private ones.
    Why         the list is computed from the manifest and public tables alone, by a query in an
                engine that has no private file. A condition of the measure narrows it only if it
                reads listed columns alone, so every row that the measure keeps satisfies it. NULL
                is listed wherever the key is not proved non-null. Of a public spine (see
                `queries.bind.spines`) the keys are those of its public rows; where some of its
                rows are released by an earlier stage, the list is computed when these are there,
                by a query over them and public tables, before this stage reads a private row (P21).
    Tried by    tests/properties/test_sensitivity.py, tests/properties/test_parity.py
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, product
from operator import itemgetter

from queries.algebra.calendar import DAY, as_date, as_datetime, buckets, series
from queries.algebra.facts import EXACT, Facts
from queries.algebra.measures import Measure
from queries.algebra.relations import Spine
from queries.algebra.scalars import Call, Column, Literal, Scalar
from queries.bind import joins
from queries.bind.publics import Publics
from queries.bind.spines import uncounted
from queries.catalog.manifest import Type
from queries.catalog.view import Value
from queries.language.limits import LIMITS
from queries.language.refusals import PublicRowsKept, TooManyGroups
from queries.plan.leaves import Leaves
from queries.plan.lower.words import width
from queries.plan.model import Key
from queries.plan.noisy import in_order

Keys = tuple[tuple[Value, ...], ...]
SMALL = 1_000
MOST_LATER = 200_000
"""The most rows from which keys are listed when an earlier stage has run."""
SQL_TYPES = {
    Type.INTEGER: "BIGINT",
    Type.REAL: "DOUBLE",
    Type.TEXT: "VARCHAR",
    Type.BOOLEAN: "BOOLEAN",
    Type.DATE: "DATE",
    Type.TIMESTAMP: "TIMESTAMP",
}


@dataclass(frozen=True, slots=True)
class Later:
    """Keys that are listed once earlier stages have run: by `sql`, over what these released."""

    sql: str
    most: int


@dataclass(frozen=True, slots=True)
class Level:
    """One grouping set of a measure: the positions of its keys, and their list where it is public.

    `fans` are, fullest first, how many groups of the measure each cell of the set holds. `together`
    is the number of cells of all sets that it adds up with, if it adds up with any. Without a list
    keys are listed `later`, or else thresholded.
    """

    keys: tuple[int, ...]
    listed: Keys | None
    fans: tuple[int, ...]
    together: int | None = None
    later: Later | None = None

    @property
    def thresholded(self) -> bool:
        return bool(self.keys) and self.listed is None and self.later is None


def later(measure: Measure, publics: Publics) -> Later | None:
    """How keys of released rows that are kept are listed; raises a QueryRefused."""
    spine = measure.relation
    if not isinstance(spine, Spine) or not spine.later or not measure.keys:
        return None
    leaves = _checked(measure, Leaves(measure, publics))
    most = joins.most_open(spine.kept, spine.conditions, publics.reach) + len(spine.padded)
    most *= leaves.apart()
    if most > MOST_LATER:
        raise TooManyGroups(
            f"Released rows that are kept could be {most:,} groups; at most {MOST_LATER:,} are "
            "answered.",
            hint="Keep fewer of them, by LIMIT, or write JOIN for LEFT JOIN.",
        )
    if spine.alone and _several(measure, spine, publics):
        raise uncounted(None)
    return Later(leaves.listing(list(range(len(measure.keys))), present=True), most)


def _several(measure: Measure, spine: Spine, publics: Publics) -> bool:
    """Whether some of the rows kept may share all keys."""
    fixed = [
        Call("=", (key, Literal(None, key.facts)), Facts(Type.BOOLEAN))
        for key in measure.keys
        if isinstance(key, Column)
    ]
    return joins.most_open(spine.kept, (*spine.conditions, *fixed), publics.reach) > 1


def listed(measure: Measure, publics: Publics) -> Keys | None:
    """Every key the measure can have, in order; None where some key is not public.

    Raises TooManyGroups where they are too many to answer in full.
    """
    if isinstance(measure.relation, Spine):
        if measure.relation.later:
            raise ValueError("these keys are listed later")
        return _spine(measure, measure.relation, Leaves(measure, publics))
    measure, known = _stood_in(measure, Leaves(measure, publics))
    leaves = Leaves(measure, publics, known)
    parts: list[tuple[list[int], Keys]] = []
    apart = [n for n, key in enumerate(measure.keys) if not leaves.covers(key)]
    for n in apart:
        own = _alone(measure.keys[n])
        if own is None:
            return None
        parts.append(([n], tuple((value,) for value in own)))
    for group in leaves.groups([n for n in range(len(measure.keys)) if n not in apart]):
        parts.append((group, leaves.rows(group)))
    return _crossed(parts, len(measure.keys))


def _stood_in(measure: Measure, leaves: Leaves) -> tuple[Measure, dict[Column, list[Value]]]:
    """The measure with columns in the place of parts of keys whose values are few, and these.

    A bin of a wide column is such a part, and so is a month; the key is then listed from those.
    """
    known: dict[Column, list[Value]] = {}

    def standing(scalar: Scalar) -> Scalar:
        if not isinstance(scalar, Call) or leaves.covers(scalar):
            return scalar
        values = _few(scalar)
        if values is None:
            return Call(scalar.op, tuple(map(standing, scalar.args)), scalar.facts)
        column = Column(-1 - len(known), "value", scalar.facts)
        known[column] = values
        return column

    keys = [
        key if _few(key) is not None or leaves.covers(key) else standing(key)
        for key in measure.keys
    ]
    return replace(measure, keys=tuple(keys)), known


def _checked(measure: Measure, leaves: Leaves) -> Leaves:
    """The leaves, where they list all keys of a spine; raises PublicRowsKept."""
    if not leaves.whole or not all(map(leaves.covers, measure.keys)):
        raise PublicRowsKept(
            "These groups of a table whose rows are all kept cannot be listed.",
            hint="Group by columns of that table alone, or write JOIN in place of the outer join.",
        )
    return leaves


def _spine(measure: Measure, spine: Spine, leaves: Leaves) -> Keys:
    """The keys of the public rows kept, all of which are answered; raises PublicRowsKept."""
    _checked(measure, leaves)
    if spine.alone and leaves.most_alike() > 1:
        raise uncounted(None)
    found = leaves.rows(list(range(len(measure.keys))), present=True)
    return in_order(found)


def _crossed(parts: Sequence[tuple[list[int], Keys]], width: int) -> Keys:
    size = 1
    for _, rows in parts:
        size *= len(rows)
    if size > LIMITS.cells:
        raise TooManyGroups(
            f"There would be {size:,} groups; at most {LIMITS.cells:,} are answered."
        )
    placed = sorted(parts, key=lambda part: part[0])
    positions = [position for own, _ in placed for position in own]
    chosen = product(*(in_order(rows) for _, rows in placed))
    found: Iterator[tuple[Value, ...]] = map(tuple, map(chain.from_iterable, chosen))
    if positions == list(range(width)):  # what is made of lists in order is in order
        return tuple(found)
    back = itemgetter(*map(positions.index, range(width)))
    return in_order(map(back, found))


def _alone(key: Scalar) -> list[Value] | None:
    """The values of a key by its facts alone, or None."""
    found = _few(key)
    return found if found is None or not key.facts.nullable else [*found, None]


def _few(key: Scalar) -> list[Value] | None:
    """The values of a key that are not NULL by its facts alone, or None."""
    facts = key.facts
    found: list[Value] | None = None
    if facts.values is not None:
        found = list(facts.values)
    elif facts.type is Type.BOOLEAN:
        found = [False, True]
    elif facts.type in EXACT and facts.bounded and facts.span()[1] - facts.span()[0] < SMALL:
        found = list(range(facts.span()[0], facts.span()[1] + 1))
    elif facts.bounded and isinstance(key, Call):
        found = _calendar(key)
    return found


def _calendar(key: Call) -> list[Value] | None:
    """The starts of a unit of time in a range, as dates or timestamps."""
    if key.op == "last_day":  # few of the days in its range: listed from the months themselves
        return None
    inner = key.args[0] if key.op == "date" else key
    if not isinstance(inner, Call) or not inner.facts.bounded:
        return _dates(key.facts) if key.facts.type is Type.DATE else None
    word, *fixed = inner.op.split(":")
    if word == "trunc":
        starts = series(*inner.facts.span(), fixed[0], SMALL)
    elif word == "bucket":
        starts = buckets(*inner.facts.span(), int(fixed[0]), int(fixed[1]), SMALL)
    else:
        return _dates(key.facts) if key.facts.type is Type.DATE else None
    if starts is None:
        return None
    if key.op == "date":
        return [as_date(start // DAY).isoformat() for start in starts]
    return [as_datetime(start).isoformat() for start in starts]


def _dates(facts: Facts) -> list[Value] | None:
    low, high = facts.span()
    if high - low >= SMALL:
        return None
    return [as_date(day).isoformat() for day in range(low, high + 1)]


def key(number: int, scalar: Scalar) -> Key:
    """A key as a column of its stage."""
    facts = scalar.facts
    if facts.type is Type.DECIMAL:
        return Key(f"k{number}", f"DECIMAL(38, {facts.scale})", facts.scale)
    if facts.type is Type.INTEGER:
        return Key(f"k{number}", width(facts))
    return Key(f"k{number}", SQL_TYPES[facts.type])
