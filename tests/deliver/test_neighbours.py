"""Neighbours are made in the source files; registration keeps them neighbours (P14, P15, P16).

Whatever one unit's rows are (ties, repeated keys, orphans, values out of category, too many rows,
NaN and infinities), the stored rows of all other units are the same with and without them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queries.deliver import private
from queries.deliver.faults import RegistrationFailed
from queries.deliver.pseudonym import PseudonymKeys
from tests.deliver.small import Row, Source, delivered, rows, stored

MANIFEST = """\
dataset: neighbours
title: Three private tables on one path
unit: {{name: device, at_most: 6}}
ceiling: {{epsilon: 1, delta: 0}}
tables:
  devices:
    source: devices.csv
    unit_key: device
    key: [device]
    columns:
      device: {{type: integer}}
      kind: {{type: text, categories: [b, a], nullable: true}}
  trips:
    source: trips.csv
    unit_key: device
    key: [trip]
    rows_per_unit: 2
    on_violation: {violation}
    columns:
      device: {{type: integer}}
      trip: {{type: integer, lower: 0, upper: 48}}
      fee: {{type: decimal, lower: -0.5, upper: 10, step: 0.05, nullable: true}}
      kind: {{type: text, categories: [b, a]}}
  pings:
    source: pings.csv
    unit_via: [trip -> trips.trip]
    rows_per_unit: 3
    grain: {grain}
    on_violation: {violation}
    columns:
      trip: {{type: integer}}
      area: {{type: text, references: areas.area, nullable: true}}
      level: {{type: integer, lower: 0, upper: 5}}
      note: {{type: text, length: 2, nullable: true}}
  areas:
    public: true
    source: areas.csv
    origin: here
    key: [area]
    columns: {{area: {{type: text}}}}
"""
AREAS = Source(("area",), [("n",), ("s",)])
UNITS = (1, 2, 3, 4)
VICTIM = 1

fees = st.sampled_from(["", "1.005", "0.07", "nan", "inf", "-inf", "1e30", "-1e30", "-2", "10.02"])
kinds = st.sampled_from(["a", "b", "zzz", ""])
areas = st.sampled_from(["n", "s", "elsewhere", ""])
levels = st.sampled_from(["0", "3", "3.0", "7", "-9", "99999999999999999999", ""])
notes = st.sampled_from(["", "x", "xyz", "xyy", "é\u0301é"])


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one unit (or of none): all its spellings of itself, its trips and their pings."""

    devices: Sequence[Row]
    trips: Sequence[Row]
    pings: Sequence[Row]


def spelled(unit: int | None) -> st.SearchStrategy[str]:
    """The forms that one unit's id takes."""
    forms = ["", " "] if unit is None else [f"{unit}", f"00{unit}", f" {unit}", f"{unit}.0"]
    return st.sampled_from(forms)


@st.composite
def of_unit(draw: st.DrawFn, unit: int | None) -> Rows:
    """Rows of one unit; its trips are numbered 10 u to 10 u + 9, so that keys are its own."""
    ids = spelled(unit)
    trips = st.sampled_from([str(10 * (unit or 9) + place) for place in range(4)] + [""])
    if unit is None:
        ids = st.just("")
    return Rows(
        draw(st.lists(st.tuples(ids, kinds), max_size=2)),
        draw(st.lists(st.tuples(ids, trips, fees, kinds), max_size=5)),
        draw(st.lists(st.tuples(trips, areas, levels, notes), max_size=8)),
    )


populations = st.fixed_dictionaries({unit: of_unit(unit) for unit in (*UNITS, None)})
manifests = st.builds(
    lambda bounds, category, grain: MANIFEST.format(
        violation=f"{{bounds: {bounds}, category: {category}}}", grain=grain
    ).replace("    grain: none\n", ""),
    st.sampled_from(["clamp", "null", "drop"]),
    st.sampled_from(["null", "drop"]),
    st.sampled_from(["none", "[level]", "[area, note]"]),
)


def sources(parts: Iterable[Rows]) -> dict[str, Source]:
    """The source files that hold these units' rows."""
    parts = list(parts)
    return {
        "devices": Source(("device", "kind"), [row for part in parts for row in part.devices]),
        "trips": Source(
            ("device", "trip", "fee", "kind"), [row for part in parts for row in part.trips]
        ),
        "pings": Source(
            ("trip", "area", "level", "note"), [row for part in parts for row in part.pings]
        ),
        "areas": AREAS,
    }


def by_unit(folder: Path, manifest: str, parts: Iterable[Rows]) -> dict[int, list[Any]]:
    """What a delivery stores, for each pseudonym."""
    registration = delivered(folder, manifest, sources(parts))
    found: dict[int, list[Any]] = {}
    for table in ("devices", "trips", "pings"):
        for row in stored(registration, table):
            found.setdefault(row[0], []).append((table, *row[1:]))
    return found


@pytest.mark.slow
@settings(max_examples=25)
@given(manifest=manifests, population=populations)
def test_a_unit_changes_no_other_units_rows(
    manifest: str, population: dict[int | None, Rows]
) -> None:
    """The claim of the privacy notes: the others are stored alike with and without one unit."""
    others = [part for unit, part in population.items() if unit != VICTIM]
    with TemporaryDirectory() as folder:
        whole = by_unit(Path(folder), manifest, population.values())
        less = by_unit(Path(folder), manifest, others)
    changed = [unit for unit in whole.keys() | less.keys() if whole.get(unit) != less.get(unit)]
    assert len(changed) <= 1
    assert not any(unit in less for unit in changed)


@pytest.mark.slow
@settings(max_examples=10)
@given(manifest=manifests, population=populations, data=st.data())
def test_the_order_of_source_rows_does_not_matter(
    manifest: str, population: dict[int | None, Rows], data: st.DataObject
) -> None:
    shuffled = {
        unit: Rows(
            *(data.draw(st.permutations(part)) for part in (rows.devices, rows.trips, rows.pings))
        )
        for unit, rows in population.items()
    }
    order = data.draw(st.permutations(list(shuffled.values())))
    with TemporaryDirectory() as folder:
        first = by_unit(Path(folder), manifest, population.values())
        second = by_unit(Path(folder), manifest, order)
    assert first == second


@pytest.mark.slow
@settings(max_examples=15)
@given(manifest=manifests, population=populations)
def test_what_the_manifest_declares_is_true_of_the_file(
    manifest: str, population: dict[int | None, Rows]
) -> None:
    with TemporaryDirectory() as folder:
        registration = delivered(Path(folder), manifest, sources(population.values()))
        for table in registration.manifest.tables:
            if table.public:
                continue
            found = stored(registration, table.name)
            assert [row[:2] for row in found] == sorted(row[:2] for row in found)
            most = Counter(unit for unit, *_ in found)
            assert max(most.values(), default=0) <= (table.rows_per_unit or 0)
            for unit, count in most.items():
                assert [row[1] for row in found if row[0] == unit] == list(range(count))
        trips = rows(registration, "SELECT trip, fee, kind FROM trips")
        pings = rows(registration, "SELECT _unit, trip, area, level, note FROM pings")
        owners = dict(rows(registration, "SELECT trip, _unit FROM trips"))
    assert len({trip for trip, *_ in trips}) == len(trips)
    assert all(0 <= trip <= 48 and kind in ("a", "b") for trip, _, kind in trips)
    assert all(fee is None or (-50 <= fee <= 1000 and fee % 5 == 0) for _, fee, _ in trips)
    for unit, trip, area, level, note in pings:
        assert owners[trip] == unit
        assert area in ("n", "s", None)
        assert 0 <= level <= 5
        assert note is None or len(note) <= 2


SHARED = MANIFEST.format(violation="{bounds: clamp}", grain="[level]")


@pytest.mark.parametrize("fee", ["1", "nan"])
def test_a_key_shared_by_two_units_fails(tmp_path: Path, fee: str) -> None:
    shared = Rows([], [("1", "7", fee, "a"), ("2", "7", fee, "a"), ("1", "8", fee, "a")], [])
    with pytest.raises(RegistrationFailed, match=r"trips: 1 keys are shared by two units"):
        delivered(tmp_path, SHARED, sources([shared]))


def test_more_units_than_declared_fail(tmp_path: Path) -> None:
    many = Rows([(str(unit), "a") for unit in range(7)], [], [])
    with pytest.raises(RegistrationFailed, match=r"there are 7 units, and unit\.at_most is 6"):
        delivered(tmp_path, SHARED, sources([many]))


def test_the_size_of_slices_moves_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [
        Rows(
            [(str(unit), "a")],
            [(str(unit), str(10 * unit + n), str(n), "b") for n in range(4)],
            [(str(10 * unit + n % 4), "n", str(n % 6), f"x{n}") for n in range(9)],
        )
        for unit in UNITS
    ]
    whole = by_unit(tmp_path, SHARED, many)
    monkeypatch.setattr(private, "ROWS_A_SLICE", 2)
    assert by_unit(tmp_path, SHARED, many) == whole


def test_another_cap_key_keeps_other_rows(tmp_path: Path) -> None:
    """Which rows stay above the cap is drawn with a secret, not by their order in the file."""
    pings = [("10", "n", str(n % 6), f"{n}") for n in range(50)]
    part = Rows([], [("1", "10", "1", "a")], pings)
    manifest = SHARED.replace("    grain: [level]\n", "")
    kept = set()
    for letter in (b"a", b"b", b"c"):
        keys = PseudonymKeys(unit=b"u" * 32, cap=letter * 32)
        registration = delivered(tmp_path, manifest, sources([part]), keys)
        found = stored(registration, "pings")
        assert len(found) == 3
        kept.add(tuple(row[2:] for row in found))
    assert len(kept) == 3
