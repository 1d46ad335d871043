"""Neighbours made in source files: one population, with and without all rows of one unit.

The others' rows and the victim's hold what registration has to repair: ties, rows without a unit,
repeated keys, orphans, values out of category and bounds, too many rows, NaN and infinities.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st

from tests.datasets import Dataset
from tests.deliver.small import Row, Source, delivered

VICTIM = 7
MANIFEST = """\
dataset: shop
title: Customers, their visits and what they bought
unit: {name: person, at_most: 16}
ceiling: {epsilon: 1000, delta: 1e-6}
timing: off
tables:
  people:
    source: people.csv
    unit_key: person
    key: [person]
    columns:
      person: {type: integer}
      sex: {type: text, categories: [m, f], nullable: true}
      area: {type: text, references: areas.area, nullable: true}
      wage: {type: decimal, lower: -1, upper: 9, step: 0.5, nullable: true}
  visits:
    source: visits.csv
    unit_key: person
    key: [visit]
    rows_per_unit: 4
    columns:
      person: {type: integer}
      visit: {type: integer, lower: 0, upper: 999}
      kind: {type: text, categories: [a, b, c]}
      score: {type: integer, lower: -5, upper: 5, nullable: true}
      cost: {type: decimal, lower: -50, upper: 200, step: 0.1, nullable: true}
      huge: {type: integer, lower: 0, upper: 288230376151711744}
      note: {type: text, nullable: true}
      loose: {type: integer, nullable: true}
      ratio: {type: real, nullable: true}
      far: {type: date, nullable: true}
      day: {type: date, lower: 2019-11-01, upper: 2020-03-31, nullable: true}
      seen: {type: timestamp, lower: 2019-11-01, upper: 2020-03-31T23:59:59, nullable: true}
      urgent: {type: boolean, nullable: true}
  items:
    source: items.csv
    unit_via: [visit -> visits.visit]
    key: [visit, line]
    rows_per_unit: 6
    columns:
      visit: {type: integer}
      line: {type: integer, lower: 0, upper: 9}
      qty: {type: integer, lower: 0, upper: 9}
  areas: {public: true, source: areas.csv, origin: here, key: [area], columns: {area: {type: text}, region: {type: text}, size: {type: integer}}}
  bands: {public: true, source: bands.csv, origin: here, columns: {score: {type: integer}, band: {type: text}}}
"""  # noqa: E501
HEADERS = {
    "people": ("person", "sex", "area", "wage"),
    "visits": (
        "person", "visit", "kind", "score", "cost", "huge", "note", "loose", "ratio", "far",
        "day", "seen", "urgent",
    ),
    "items": ("visit", "line", "qty"),
}  # fmt: skip
AREAS = Source(("area", "region", "size"), [("n", "up", 3), ("s", "down", 8), ("t", "down", 0)])
BANDS = Source(("score", "band"), [(5, "x"), (5, "x"), (5, "y"), (0, "z"), (-5, "x")])
FULL = 2**58


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one unit in the three private files."""

    people: Sequence[Row] = ()
    visits: Sequence[Row] = ()
    items: Sequence[Row] = field(default=())


def visit(
    unit: object, number: object, kind: object = "a", score: object = 5, cost: object = "200",
    huge: object = FULL, note: object = "n", loose: object = 1, ratio: object = "0.5",
    far: object = "2020-01-01", day: object = "2020-03-31", seen: object = "2020-03-31 23:59:59",
    urgent: object = True,
) -> Row:  # fmt: skip
    """A visit at the upper ends, unless said otherwise."""
    return (unit, number, kind, score, cost, huge, note, loose, ratio, far, day, seen, urgent)


OTHERS = Rows(
    [(1, "m", "n", "9"), (2, "f", "zz", "nan"), (3, "q", "s", "-inf"), (None, "m", "n", "1"),
     (4, "", "", "")],
    [visit(1, 10), visit(1, 11, "b", -5, "-50", 0), visit(2, 20, "zz"), visit(2, 20, "c"),
     visit(None, 90), visit(3, 30, "c", None, None, 1, None, None, None, None),
     *(visit(4, 40 + n, "abc"[n % 3], n - 3, n, n, f"n{n}") for n in range(9)),
     visit(5, 50, "a", 0, "inf", 7, "n", 10**15, "nan", "9999-12-31")],
    [(10, 0, 9), (10, 1, 9), (20, 0, 1), (20, 0, 1), (555, 0, 9), (None, 0, 9), (40, 3, 99)],
)  # fmt: skip

ME = [(VICTIM, "m", "n", "9")]
FOUR = (VICTIM * 10, VICTIM * 10 + 1, VICTIM * 10 + 2, VICTIM * 10 + 3)


def four(**values: object) -> list[Row]:
    """Four visits alike but for their numbers."""
    return [visit(VICTIM, number, **values) for number in FOUR]


def each(name: str, *values: object) -> list[Row]:
    """Four visits that differ in one column."""
    return [visit(VICTIM, n, **{name: v}) for n, v in zip(FOUR, values, strict=False)]


SIX = [(FOUR[0], line, 9) for line in range(6)]
VARIANTS = {
    "all at the upper end": Rows(ME, four(), SIX),
    "all at the lower end": Rows([(VICTIM, "f", "s", "-1")], four(score=-5, cost="-50", huge=0)),
    "every kind": Rows(ME, each("kind", "a", "b", "c", "a"), [(n, 0, 9) for n in FOUR]),
    "two kinds, unevenly": Rows(ME, each("kind", "a", "a", "b", "a")),
    "every note": Rows(ME, each("note", "p", "q", "r", "s"), SIX),
    "many rows": Rows(ME * 3, [visit(VICTIM, 70 + n, "abc"[n % 3]) for n in range(10)], SIX * 3),
    "visits without a person": Rows([], four(), [(n, 0, 9) for n in FOUR]),
    "a person alone": Rows(ME),
    "every score": Rows(ME, each("score", 5, 5, 0, -5), SIX),
    "repeated keys": Rows([*ME, (VICTIM, "f", "s", "0")], [*four()[:1] * 5, *four()[:2]], SIX * 2),
    "nothing that fits": Rows(
        [(VICTIM, "zz", "zz", "inf")],
        [visit(VICTIM, 71, "zz", 99, "nan", -3, None, None, "inf", None),
         visit(VICTIM, 72, "a", -99, "-inf", 2**62, "", 2**62, "-inf", "290000-01-01")],
        [(71, 0, -9), (72, 99, 99), (73, 0, 1)],
    ),
    "every cost": Rows(ME, each("cost", "190.1", "190.2", "190.3", "190.4")),
    "every kind, note and cost": Rows(
        ME,
        [visit(VICTIM, n, kind, cost=f"190.{n}", note=note)
         for n, kind, note in zip(FOUR, "abca", "pqrs", strict=True)],
    ),
    "tiny": Rows(ME, four(cost="0.1", score=1, huge=1)),
}  # fmt: skip

VALUES: tuple[tuple[object, ...], ...] = (
    (VICTIM, VICTIM, VICTIM, f"00{VICTIM}", None),
    (*FOUR, 78, 79, None),
    ("a", "b", "c", "zz", None),
    (5, -5, 0, 9, None, 1),
    ("200", "-50", "0.1", "nan", "inf", "-1e30", None),
    (FULL, 0, 1, FULL - 1, -1),
    ("p", "q", "r", "n", None, ""),
    (1, 10**15, -(2**63), 2**63 - 1, None),
    ("0.5", "1e308", "-1e308", "nan", "inf", None),
    ("2020-01-01", "9999-12-31", "0044-03-15 (BC)", "5881580-07-10", None),
    ("2019-11-01", "2020-02-29", "2020-03-31", "2021-01-01", None),
    ("2019-11-01 00:00:00", "2020-02-29 12:34:56", "infinity", None),
    (True, False, None),
)
"""What stands in each column of a visit drawn at random."""
PERSONS: tuple[tuple[object, ...], ...] = (
    (VICTIM,), ("m", "f", "q", None), ("n", "s", "zz"), ("9", "-1", "nan", None),
)  # fmt: skip
BOUGHT: tuple[tuple[object, ...], ...] = ((*FOUR, 78, 700), tuple(range(10)), (0, 9, 50))


def any_rows(chance: random.Random) -> Rows:
    """Rows of one unit, drawn at random."""

    def some(columns: tuple[tuple[object, ...], ...], most: int) -> list[Row]:
        return [tuple(map(chance.choice, columns)) for _ in range(chance.randint(0, most))]

    return Rows(some(PERSONS, 2), some(VALUES, 8), some(BOUGHT, 9))


random_rows = st.randoms(use_true_random=False).map(any_rows)


def register(folder: Path, *parts: Rows, at_most: int = 16) -> Dataset:
    """The delivery that holds these units' rows, of a dataset of at most so many units."""
    manifest = MANIFEST.replace("at_most: 16", f"at_most: {at_most}")
    sources = {
        name: Source(header, [row for part in parts for row in getattr(part, name)])
        for name, header in HEADERS.items()
    }
    found = delivered(folder, manifest, {**sources, "areas": AREAS, "bands": BANDS})
    return Dataset("shop", found.directory.parent.parent)
