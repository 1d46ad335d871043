"""A small dataset made for arguments: ties, NULLs, empty groups, negative numbers, far dates.

Its rows obey its manifest, so that registration changes nothing and plain DuckDB may answer from
the same files; `tests.properties.neighbours` makes the rows that do not.
"""

from __future__ import annotations

import csv
import hashlib
import io
import random
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from tests import datasets
from tests.datasets import Dataset

MANIFEST = """\
dataset: clinic
title: Visits to a clinic and what was done at them, by person
unit: {name: person, at_most: 60}
ceiling: {epsilon: 1000, delta: 1e-6}
timing: off
tables:
  people:
    source: people.csv
    unit_key: person
    key: [person]
    columns:
      person: {type: integer}
      sex: {type: text, categories: [m, f, x], nullable: true}
      born: {type: date, lower: 1950-01-01, upper: 2009-12-31, nullable: true}
      area: {type: text, references: areas.area, nullable: true}
      active: {type: boolean, nullable: true}
      height: {type: integer, lower: 100, upper: 220, nullable: true}
      wage: {type: decimal, lower: -100, upper: 1000, step: 0.01, nullable: true}
  visits:
    source: visits.csv
    unit_key: person
    key: [visit]
    rows_per_unit: 8
    columns:
      visit: {type: integer, lower: 1, upper: 5000}
      person: {type: integer}
      day: {type: date, lower: 2019-11-01, upper: 2020-03-31}
      seen: {type: timestamp, lower: 2019-11-01, upper: 2020-03-31T23:59:59, nullable: true}
      kind: {type: text, categories: [b, a, long word]}
      cost: {type: decimal, lower: -50, upper: 200, step: 0.1, nullable: true}
      score: {type: integer, lower: -5, upper: 5}
      note: {type: text, nullable: true}
      loose: {type: integer, nullable: true}
      far: {type: date, nullable: true}
      ratio: {type: real, nullable: true}
      urgent: {type: boolean}
  items:
    source: items.csv
    unit_via: [visit -> visits.visit]
    key: [visit, line]
    rows_per_unit: 20
    columns:
      visit: {type: integer}
      line: {type: integer, lower: 1, upper: 4}
      code: {type: text, references: codes.code}
      qty: {type: integer, lower: 0, upper: 9, nullable: true}
      price: {type: decimal, lower: 0, upper: 99.99, step: 0.01}
  areas:
    public: true
    source: areas.csv
    origin: the register of municipalities
    key: [area]
    columns:
      area: {type: text}
      province: {type: text, nullable: true}
      residents: {type: integer, nullable: true}
      opened: {type: date}
      share: {type: decimal, step: 0.01}
  codes:
    public: true
    source: codes.csv
    origin: a list of treatments
    key: [code]
    columns:
      code: {type: text}
      family: {type: text}
      weight: {type: integer}
      factor: {type: real, nullable: true}
  bands:
    public: true
    source: bands.csv
    origin: made for the test
    columns:
      score: {type: integer, nullable: true}
      band: {type: text}
"""
AREAS = [
    ("n", "north", 1200, "1990-05-01", "0.25"),
    ("n2", "north", None, "1999-12-31", "1.50"),
    ("s", "south", 50, "2001-02-28", "-0.10"),
    ("e", None, 0, "2020-02-29", "3.00"),
]
CODES = [
    ("x1", "xray", 3, "0.5"), ("x2", "xray", -1, "1e300"), ("m1", "mri", 10, None),
    ("t1", "talk", 0, "-2.25"),
]  # fmt: skip
BANDS = [(-5, "low"), (-5, "odd"), (0, "zero"), (0, "zero"), (5, "high"), (None, "none")]
NOTES = [None, " ", "a", "A", "aa", "12", "-3", "4.5", "2020-01-15", "true", "é%_", "x'y"]
HEADERS = {
    "people": ("person", "sex", "born", "area", "active", "height", "wage"),
    "visits": (
        "visit", "person", "day", "seen", "kind", "cost", "score", "note", "loose", "far", "ratio",
        "urgent",
    ),
    "items": ("visit", "line", "code", "qty", "price"),
    "areas": ("area", "province", "residents", "opened", "share"),
    "codes": ("code", "family", "weight", "factor"),
    "bands": ("score", "band"),
}  # fmt: skip


def clinic() -> Dataset:
    """The registered dataset, built once per machine."""
    texts = {name: _csv(HEADERS[name], rows) for name, rows in _rows().items()}
    mark = hashlib.sha256(repr(sorted(texts.items())).encode()).hexdigest()

    def write(folder: Path) -> None:
        for name, text in texts.items():
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")

    return datasets._built("clinic", f"{MANIFEST}# {mark}\n", write)


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def _rows() -> dict[str, list[tuple[object, ...]]]:
    chance = random.Random(20)
    people, visits, items = [], [], []
    for person in range(1, 51):
        people.append(_person(chance, person))
        for place in range(chance.choice([0, 0, 1, 1, 2, 3, 8])):
            visit = 10 * person + place
            visits.append(_visit(chance, visit, person))
            for line in range(1, 1 + chance.choice([0, 1, 1, 2])):
                items.append(_item(chance, visit, line))
    for person in (51, 52):
        visits.append(_visit(chance, 10 * person, person))  # of nobody in people
    return {
        "people": people, "visits": visits, "items": items, "areas": AREAS, "codes": CODES,
        "bands": BANDS,
    }  # fmt: skip


def _person(chance: random.Random, person: int) -> tuple[object, ...]:
    born = date(1950, 1, 1) + timedelta(days=chance.randrange(0, 21_900, 61))
    return (
        person,
        chance.choice(["m", "f", None]),
        chance.choice([None, born, date(2000, 2, 29), date(1950, 1, 1)]),
        chance.choice(["n", "n2", "s", None]),
        chance.choice([True, False, None]),
        chance.choice([None, 100, 170, 171, 220]),
        chance.choice([None, "0.00", "-100.00", "1000.00", "12.34", "12.35"]),
    )


def _visit(chance: random.Random, visit: int, person: int) -> tuple[object, ...]:
    day = date(2019, 11, 1) + timedelta(days=chance.choice([0, 30, 60, 61, 120, 150]))
    seen = datetime(2019, 11, 1) + timedelta(seconds=chance.choice([0, 1, 86_399, 5_300_000]))
    return (
        visit,
        person,
        day,
        chance.choice([None, seen, seen]),
        chance.choice(["a", "b", "a"]),
        chance.choice([None, "-50.0", "0.0", "0.1", "19.9", "200.0"]),
        chance.choice([-5, -1, 0, 0, 2, 5]),
        chance.choice(NOTES),
        chance.choice([None, 0, -7, 2**31 - 1, 10**15, -(10**15)]),
        chance.choice([None, date(1066, 10, 14), date(2020, 1, 1), date(9999, 12, 31)]),
        chance.choice([None, "0.0", "-0.0", "2.5", "-1e-9", "1e300"]),
        chance.choice([True, False]),
    )


def _item(chance: random.Random, visit: int, line: int) -> tuple[object, ...]:
    return (
        visit,
        line,
        chance.choice(["x1", "x2", "t1"]),
        chance.choice([None, 0, 1, 9]),
        chance.choice(["0.00", "0.01", "99.99", "50.50"]),
    )
