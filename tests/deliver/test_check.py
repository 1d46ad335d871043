"""`check` says in plain words what a manifest allows and what it lacks, with lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from queries.catalog.faults import ManifestRefused
from queries.deliver.check import check
from tests.deliver.small import Source, write

MANIFEST = """\
dataset: checked
title: What may be asked
unit: {name: device, at_most: 5000, most_per_person: 2}
ceiling: {epsilon: 8, delta: 1e-7}
timing: off
tables:
  trips:
    source: trips.csv
    unit_key: device
    key: [trip]
    rows_per_unit: 20
    columns: {device: {type: integer}, trip: {type: integer, lower: 0, upper: 9}}
  pings:
    source: pings.csv
    unit_via: [trip -> trips.trip]
    rows_per_unit: 500
    other_party: callee
    columns:
      trip: {type: integer, lower: 0, upper: 9}
      area: {type: text, references: areas.area}
      kind: {type: text, categories: [call, data]}
      roaming: {type: boolean}
      hour: {type: integer, lower: 0, upper: 23}
      fee: {type: decimal, lower: 0, upper: 9, step: 0.01}
      debt: {type: decimal, step: 0.01}
      weight: {type: real}
      seen: {type: date}
      callee: {type: text}
  areas:
    {public: true, source: areas.csv, origin: register, key: [area], columns: {area: {type: text}}}
"""
HEADERS = {
    "trips": Source(("device", "trip"), []),
    "pings": Source(
        ("trip", "area", "kind", "roaming", "hour", "fee", "debt", "weight", "seen", "callee"), []
    ),
    "areas": Source(("area",), []),
}


def test_what_a_manifest_allows(tmp_path: Path) -> None:
    report = check(write(tmp_path, MANIFEST, HEADERS))
    assert "protects every device, at most 5,000 of them" in report.allows
    assert "all projects together may spend epsilon 8, delta 1e-07" in report.allows
    pings = report.tables[1].allows
    assert pings == (
        "private: the unit is trip -> trips.trip, trips.device; it has at most 500 rows",
        (
            "GROUP BY answers in full: area (every areas.area), kind (2 categories), roaming (2), "
            "hour (24)"
        ),
        "GROUP BY answers keys with enough units: fee, debt, seen, callee",
        "SUM and AVG: trip (0 to 9), hour (0 to 23), fee (0 to 9 in steps of 0.01)",
        "callee names a second party, who is not protected",
    )
    assert report.fits
    assert report.absent == ()


def test_what_a_manifest_lacks_has_its_line(tmp_path: Path) -> None:
    lacks = check(write(tmp_path, MANIFEST, HEADERS)).tables[1].lacks
    assert [(lack.line, lack.column) for lack in lacks] == [
        (25, "debt"),
        (26, "weight"),
        (27, "seen"),
    ]
    assert str(lacks[0]) == "line 25: debt: SUM over debt will be refused: add lower and upper"


def test_files_that_do_not_fit_are_told_and_absent_ones_too(tmp_path: Path) -> None:
    headers = {"trips": Source(("device",), []), "areas": HEADERS["areas"]}
    report = check(write(tmp_path, MANIFEST, headers))
    assert report.sources == ("trips: trips.csv has no column trip",)
    assert report.absent == ("pings (pings.csv)",)
    assert not report.fits
    assert "does not fit: trips: trips.csv has no column trip" in str(report)


def test_a_manifest_at_fault_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestRefused, match="rows_per_unit"):
        check(write(tmp_path, MANIFEST.replace("rows_per_unit: 20", "grain: [trip]"), HEADERS))
