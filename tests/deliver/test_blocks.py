"""Blocks: a row is stored in the delivery of one interval alone, whatever is delivered for it."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.catalog.blocks import NoSuchBlock, named, rule, within
from queries.catalog.delivered import DeliveryDamaged, load_view
from queries.catalog.manifest import Every
from queries.catalog.reading import parse
from queries.deliver.faults import RegistrationFailed
from queries.deliver.register import Registration, register
from tests.deliver.small import KEYS, Source, rows, write

MANIFEST = """\
dataset: growing
title: Reports that come each half-year
unit: {name: organisation, at_most: 100}
ceiling: {epsilon: 8, delta: 1e-7}
blocks: {every: half-year, ceiling: {epsilon: 4, delta: 5e-8}}
time_zone: Europe/Amsterdam
tables:
  organisations:
    source: organisations.csv
    unit_key: organisation
    key: [organisation]
    lasting: true
    columns:
      organisation: {type: integer}
      size: {type: text, categories: [small, large]}
  reports:
    source: reports.csv
    unit_key: organisation
    rows_per_unit: 3
    key: [report]
    block_column: received
    columns:
      organisation: {type: integer}
      report: {type: integer}
      received: {type: timestamp, lower: 2025-03-01, upper: 2027-01-01, nullable: true}
  remarks:
    source: remarks.csv
    unit_via: [report -> reports.report]
    rows_per_unit: 9
    columns:
      report: {type: integer}
      weight: {type: integer, lower: 0, upper: 9}
"""
ORGANISATIONS = Source(("organisation", "size"), [(1, "small"), (2, "large")])
REPORTS = Source(
    ("organisation", "report", "received"),
    [
        (1, 10, "2024-12-31 23:59:59.999999"),  # before every block of 2025, and out of range
        (1, 11, "2025-01-01 00:00:00"),
        (1, 12, "2025-06-30 23:59:59.999999"),
        (1, 13, "2025-06-30T22:30:00Z"),  # 00:30 on 1 July, where the dataset is
        (2, 14, "2025-07-01 00:00:00"),
        (2, 15, ""),
        (2, 16, "2031-05-05 12:00:00"),  # out of range: clamped it would be of 2027
    ],
)
REMARKS = Source(("report", "weight"), [(n, n - 10) for n in range(10, 17)])
SOURCES = {"organisations": ORGANISATIONS, "reports": REPORTS, "remarks": REMARKS}


def delivered(folder: Path, block: str | None, manifest: str = MANIFEST) -> Registration:
    here = folder / f"block-{block}"
    return register(write(here, manifest, SOURCES), here / "deliveries", KEYS, block=block)


def reports(done: Registration) -> list[int]:
    return [row[0] for row in rows(done, "SELECT report FROM reports ORDER BY report")]


def test_rows_lie_in_the_block_of_their_own_time(tmp_path: Path) -> None:
    first, second = delivered(tmp_path, "2025-H1"), delivered(tmp_path, "2025-H2")
    assert reports(first) == [11, 12]
    assert reports(second) == [13, 14]


def test_times_are_compared_before_any_repair(tmp_path: Path) -> None:
    """Clamped into the range, a time of 2031 would lie in 2027 and one of 2024 in 2025."""
    assert reports(delivered(tmp_path, "2027-H1")) == []
    found = rows(delivered(tmp_path, "2025-H1"), "SELECT min(received), max(received) FROM reports")
    assert found == [(datetime(2025, 3, 1), datetime(2025, 6, 30, 23, 59, 59, 999999))]


def test_rows_follow_what_they_refer_to_and_lasting_rows_stay(tmp_path: Path) -> None:
    done = delivered(tmp_path, "2025-H2")
    assert rows(done, "SELECT weight FROM remarks ORDER BY weight") == [(3,), (4,)]
    assert rows(done, "SELECT count(*) FROM organisations") == [(2,)]
    assert "received: 5 outside of the block, dropped" in str(done.report)


def test_a_view_holds_what_is_true_of_the_block(tmp_path: Path) -> None:
    view = load_view(delivered(tmp_path, "2025-H1").directory)
    assert view.manifest.block == named(Every.HALF_YEAR, "2025-H1")
    table = view.manifest.table("reports")
    column = table and table.column("received")
    assert column is not None
    assert (column.lower, column.upper) == (
        datetime(2025, 3, 1),
        datetime(2025, 6, 30, 23, 59, 59, 999999),
    )
    assert not column.nullable


def test_a_delivery_that_lost_its_block_is_damaged(tmp_path: Path) -> None:
    directory = delivered(tmp_path, "2025-H1").directory
    facts = directory / "delivery.json"
    facts.write_text(facts.read_text().replace('"block"', '"clock"'))
    with pytest.raises(DeliveryDamaged):
        load_view(directory)


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (None, "Name it: --block 2026-H1"),
        ("2025", "is no half-year"),
        ("2025-H3", "is no half-year"),
        ("2025-h1", "is no half-year"),
        ("2025-H1 ", "is no half-year"),
        ("\u0662025-H1", "is no half-year"),
        ("2024-H1", "outside of the range of reports.received"),
    ],
)
def test_a_block_that_cannot_be_is_refused(tmp_path: Path, block: str | None, words: str) -> None:
    with pytest.raises(RegistrationFailed) as failed:
        delivered(tmp_path, block)
    assert words in str(failed.value)


def test_a_dataset_without_blocks_has_none(tmp_path: Path) -> None:
    plain = MANIFEST.replace("blocks: {every: half-year, ceiling: {epsilon: 4, delta: 5e-8}}\n", "")
    plain = plain.replace("    lasting: true\n", "").replace("    block_column: received\n", "")
    with pytest.raises(RegistrationFailed):
        delivered(tmp_path, "2025-H1", plain)
    assert rule(parse(plain.encode()).manifest) is None


def test_rows_of_other_blocks_change_nothing(tmp_path: Path) -> None:
    """Neighbours in one block give the same delivery of every other."""
    reading = delivered(tmp_path, "2025-H2")
    fewer = [row for row in REPORTS.rows if not str(row[2]).startswith(("2024", "2025-06-30 "))]
    sources = SOURCES | {"reports": Source(REPORTS.header, fewer)}
    here = tmp_path / "neighbour"
    other = register(write(here, MANIFEST, sources), here / "deliveries", KEYS, block="2025-H2")
    for table in ("reports", "remarks", "organisations"):
        everything = f"SELECT * FROM {table} ORDER BY ALL"
        assert rows(reading, everything) == rows(other, everything)


@given(
    every=st.sampled_from(Every),
    day=st.dates(date(1900, 1, 1), date(2190, 12, 31)),
)
def test_every_day_lies_in_one_block(every: Every, day: date) -> None:
    quarter, half = (day.month + 2) // 3, (day.month + 5) // 6
    name = {
        Every.YEAR: f"{day.year}",
        Every.HALF_YEAR: f"{day.year}-H{half}",
        Every.QUARTER: f"{day.year}-Q{quarter}",
        Every.MONTH: f"{day.year}-{day.month:02d}",
    }[every]
    block = named(every, name)
    assert block.starts <= day < block.ends


@pytest.mark.parametrize("every", list(Every))
def test_blocks_follow_one_another_without_a_gap(every: Every) -> None:
    names = {
        Every.YEAR: ["2025", "2026"],
        Every.HALF_YEAR: ["2025-H1", "2025-H2", "2026-H1"],
        Every.QUARTER: ["2025-Q3", "2025-Q4", "2026-Q1"],
        Every.MONTH: ["2025-11", "2025-12", "2026-01"],
    }[every]
    blocks = [named(every, name) for name in names]
    assert names == sorted(names)
    assert all(one.ends == after.starts for one, after in pairwise(blocks))


def test_the_rule_tells_what_may_never_change() -> None:
    here = rule(parse(MANIFEST.encode()).manifest)
    changes = {
        "half-year": "month",
        "Europe/Amsterdam": "UTC",
        "block_column: received": "block_column: later",
        "    lasting: true\n": "    block_column: since\n",
    }
    more = MANIFEST.replace("      received:", "      later: {type: date}\n      received:")
    more = more.replace("      size:", "      since: {type: date}\n      size:")
    assert rule(parse(more.encode()).manifest) == here
    for words, other in changes.items():
        assert rule(parse(more.replace(words, other).encode()).manifest) != here, other


def test_a_name_needs_its_manifest() -> None:
    with pytest.raises(NoSuchBlock):
        within(parse(MANIFEST.encode()).manifest, None)
