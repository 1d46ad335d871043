"""A manifest that fits becomes exactly the values that it declares."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from queries.catalog.manifest import Column, OnViolation, Reference, Timing, Type, UnitPath
from queries.catalog.names import is_bare
from queries.catalog.reading import Reading, parse, read
from queries.catalog.storage import has_enum, steps, stored_columns, stored_type

MANIFESTS = Path(__file__).parent.parent / "fixtures" / "manifests"

WHOLE = b"""\
dataset: mobility
title: Presence of devices
unit: {name: device, at_most: 60000, most_per_person: 3}
ceiling: {epsilon: 8, delta: 1e-7}
time_zone: Europe/Amsterdam
timing: {slot: 500ms, growth: 4}
tables:
  devices:
    source: devices.parquet
    unit_key: device_id
    key: [device_id]
    columns: {device_id: {type: integer}, operator: {type: text, categories: [no, yes]}}
  trips:
    source: trips/*.csv
    unit_key: device_id
    key: [trip_id]
    rows_per_unit: 20
    columns: {device_id: {type: integer}, trip_id: {type: integer}}
  pings:
    source: pings/*.parquet
    unit_via: [trip_id -> trips.trip_id]
    rows_per_unit: 500
    grain: [seen_at]
    other_party: note
    columns:
      trip_id: {type: integer}
      seen_at: {type: timestamp, lower: 2026-03-01, upper: 2026-03-31}
      day: {type: date, lower: 2026-03-01, upper: 2026-03-31}
      area: {type: text, references: areas.area}
      fee: {type: decimal, lower: -1, upper: 250, step: 0.05, nullable: true}
      order: {type: text, length: 40}
      note: {type: text}
    on_violation: {bounds: drop, category: null, rows: drop}
  areas: {public: true, source: a.csv, origin: register, key: [area], columns: {area: {type: text}}}
record:
  provider: an operator
  received: 2026-04-02
  categories: [location, contract]
  special: false
  destroy: {by: 2027-10-01}
"""


@pytest.fixture
def reading() -> Reading:
    return parse(WHOLE)


def test_the_dataset_is_read_as_declared(reading: Reading) -> None:
    manifest = reading.manifest
    assert (manifest.dataset, manifest.time_zone) == ("mobility", "Europe/Amsterdam")
    assert manifest.unit.most_per_person == 3
    assert manifest.ceiling.delta == Fraction(1, 10**7)
    assert manifest.timing == Timing(Fraction(1, 2), 4)
    assert dict(manifest.record) == {
        "provider": "an operator",
        "received": "2026-04-02",
        "categories": "location, contract",
        "special": "false",
        "destroy.by": "2027-10-01",
    }


def test_tables_are_read_as_declared(reading: Reading) -> None:
    devices, trips, pings, areas = reading.manifest.tables
    assert devices.rows_per_unit == 1
    assert devices.columns[1].categories == ("no", "yes")
    assert trips.key == ("trip_id",)
    assert pings.unit_via == UnitPath("trip_id", "trips", "trip_id")
    assert pings.on_violation == OnViolation("drop", "null", "drop")
    assert (pings.grain, pings.other_party) == (("seen_at",), "note")
    assert areas.public
    assert areas.rows_per_unit is None


def test_bounds_have_the_type_of_their_column(reading: Reading) -> None:
    pings = reading.manifest.tables[2]
    assert pings.column("SEEN_AT") == Column(
        "seen_at", Type.TIMESTAMP, lower=datetime(2026, 3, 1), upper=datetime(2026, 3, 31)
    )
    assert pings.column("day") == Column(
        "day", Type.DATE, lower=date(2026, 3, 1), upper=date(2026, 3, 31)
    )
    assert pings.column("area") == Column("area", Type.TEXT, references=Reference("areas", "area"))
    fee = pings.column("fee")
    assert fee is not None
    assert (fee.lower, fee.upper, fee.step) == (Decimal(-1), Decimal(250), Decimal("0.05"))


def test_doubtful_things_are_warnings(reading: Reading) -> None:
    words = [(warning.line, warning.message) for warning in reading.warnings]
    assert (27, "means the first moment of that day") in words
    assert (31, 'SQL must quote this name: "order"') in words
    assert len(words) == 2


def test_slots_are_switched_off_by_a_word() -> None:
    text = WHOLE.replace(b"timing: {slot: 500ms, growth: 4}", b"timing: off")
    assert parse(text).manifest.timing is None


def test_lines_are_those_of_the_file(reading: Reading) -> None:
    assert reading.line("tables", "pings", "columns", "fee") == 30
    assert reading.line("tables", "pings", "columns", "fee", "length") == 30
    assert reading.line("unit", "name") == 3


@pytest.mark.parametrize(
    ("name", "bare"),
    [("area", True), ("sum", True), ("order", False), ("left", False), ("a b", False),
     ("1a", False), ("a-b", False), ("é", False)],
)  # fmt: skip
def test_a_name_is_bare_when_the_engine_parses_it(name: str, bare: bool) -> None:
    assert is_bare(name) is bare


def test_numbers_of_private_tables_are_stored_as_whole_steps(reading: Reading) -> None:
    pings = reading.manifest.tables[2]
    stored = {column.name: stored_type(pings, column) for column in stored_columns(pings)}
    assert stored == {
        "trip_id": "BIGINT",
        "seen_at": "TIMESTAMP",
        "day": "DATE",
        "area": "VARCHAR",
        "fee": "INTEGER",
        "order": "VARCHAR",
        "note": "VARCHAR",
    }
    fee = pings.columns[4]
    assert fee.scale == 2
    assert steps(fee, Decimal("-1")) == -100


def test_the_units_id_is_not_stored(reading: Reading) -> None:
    devices = reading.manifest.tables[0]
    assert [column.name for column in stored_columns(devices)] == ["operator"]
    assert has_enum(devices, devices.columns[1])


@pytest.mark.parametrize("name", ["nycflights13", "hi", "tpch"])
def test_the_manifests_of_real_data_are_whole(name: str) -> None:
    reading = read(MANIFESTS / f"{name}.yaml")
    assert reading.manifest.dataset == name
    assert reading.text == (MANIFESTS / f"{name}.yaml").read_bytes()
