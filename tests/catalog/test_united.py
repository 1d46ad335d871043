"""Several blocks read as one: what is true of their rows together, and which names mean which."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from queries.bind import scans
from queries.catalog.blocks import MOST, NoSuchBlock, chosen
from queries.catalog.delivered import load_together, load_view
from queries.catalog.grant import Grant, narrowed
from queries.catalog.manifest import Every
from queries.catalog.reading import parse
from queries.catalog.united import NotAlike, read_together, together, united
from queries.catalog.view import deliveries_of, newest
from tests.deliver.test_blocks import MANIFEST, delivered

HALVES = ["2025-H1", "2025-H2", "2026-H1"]


def test_the_manifest_of_several_blocks_holds_of_all_their_rows() -> None:
    whole = parse(MANIFEST.encode()).manifest
    found = united(whole, HALVES)
    reports = found.table("reports")
    assert reports is not None
    received, block = reports.column("received"), reports.column("block")
    assert received is not None
    assert block is not None
    assert received.lower == datetime(2025, 3, 1)
    assert received.upper == datetime(2026, 6, 30, 23, 59, 59, 999999)
    assert not received.nullable
    assert (block.categories, block.added) == (tuple(HALVES), True)
    assert scans.rows_per_unit(reports) == 9
    assert scans.unique_keys(reports, 0) == ()
    assert found.unit.at_most == 300
    assert [one.name for one in found.read] == HALVES
    assert found.together[0].starts == date(2025, 1, 1)


def test_lasting_tables_are_the_newests() -> None:
    found = united(parse(MANIFEST.encode()).manifest, HALVES)
    organisations, remarks = found.table("organisations"), found.table("remarks")
    assert organisations is not None
    assert remarks is not None
    assert organisations.column("block") is None
    assert scans.rows_per_unit(organisations) == 1
    assert scans.unique_keys(organisations, 0)
    assert scans.rows_per_unit(remarks) == 27
    how = read_together(found)
    assert how is not None
    assert (how.tables, how.rest) == (("reports", "remarks"), ("organisations",))
    assert read_together(parse(MANIFEST.encode()).manifest) is None


def test_a_key_that_holds_the_time_is_unique_over_all_blocks() -> None:
    reports = united(parse(MANIFEST.encode()).manifest, HALVES).table("reports")
    assert reports is not None
    assert scans.unique_keys(replace(reports, key=("report", "received")), 0)


def test_a_column_of_that_name_stays_the_providers() -> None:
    text = MANIFEST.replace("      received:", "      block: {type: text}\n      received:")
    found = united(parse(text.encode()).manifest, HALVES)
    reports, how = found.table("reports"), read_together(found)
    assert reports is not None
    assert how is not None
    column = reports.column("block")
    assert column is not None
    assert not column.added
    assert how.told == ("remarks",)


def test_deliveries_are_read_together_oldest_first(tmp_path: Path) -> None:
    placed = [delivered(tmp_path, half).directory for half in HALVES[:2]]
    found = load_together(placed)
    ids = tuple(load_view(one).delivery for one in placed)
    assert deliveries_of(found.delivery) == ids
    assert newest(found.delivery) == ids[-1]
    assert found.manifest_hash == load_view(placed[-1]).manifest_hash


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("at_most: 100", "at_most: 101"),
        ("rows_per_unit: 3", "rows_per_unit: 4"),
        ("[small, large]", "[large, small]"),
        ("upper: 9}", "upper: 8}"),
        ("lower: 2025-03-01", "lower: 2025-03-02"),
        ("{type: integer, lower: 0", "{type: integer, nullable: true, lower: 0"),
        ("name: organisation", "name: company"),
    ],
)
def test_an_older_block_has_to_hold_what_the_newest_says(
    tmp_path: Path, before: str, after: str
) -> None:
    assert before in MANIFEST
    placed = [
        delivered(tmp_path, HALVES[0], MANIFEST.replace(before, after)).directory,
        delivered(tmp_path, HALVES[1]).directory,
    ]
    with pytest.raises(NotAlike) as refused:
        load_together(placed)
    assert refused.value.block == HALVES[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("at_most: 100", "at_most: 99"),
        ("title: Reports", "title: Our reports"),
        ("ceiling: {epsilon: 4, delta: 5e-8}", "ceiling: {epsilon: 3, delta: 5e-8}"),
        ("upper: 2027-01-01", "upper: 2028-01-01"),
    ],
)
def test_what_speaks_of_no_row_may_differ(tmp_path: Path, before: str, after: str) -> None:
    assert before in MANIFEST
    older = MANIFEST.replace(before, after)
    placed = [
        delivered(tmp_path, HALVES[0], older).directory,
        delivered(tmp_path, HALVES[1]).directory,
    ]
    found = load_together(placed)
    assert found.manifest == united(parse(MANIFEST.encode()).manifest, HALVES[:2])


def test_the_block_is_there_for_whoever_sees_a_column(tmp_path: Path) -> None:
    found = load_together([delivered(tmp_path, half).directory for half in HALVES[:2]])
    seen = narrowed(found, Grant.of({"reports": ["organisation"]})).manifest
    reports = seen.table("reports")
    assert reports is not None
    assert [column.name for column in reports.columns] == ["organisation", "block"]
    assert seen.table("remarks") is None
    nothing = narrowed(found, Grant.of({"organisations": None})).manifest
    assert [table.name for table in nothing.tables] == ["organisations"]


def test_a_view_of_no_block_is_not_read_together(tmp_path: Path) -> None:
    view = load_view(delivered(tmp_path, HALVES[0]).directory)
    plain = replace(view, manifest=replace(view.manifest, block=None))
    with pytest.raises(NotAlike):
        together(parse(MANIFEST.encode()).manifest, [plain, view])


NAMES = ["2024-H2", "2025-H1", "2025-H2", "2026-H2"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("all", NAMES),
        ("2025-H1", ["2025-H1"]),
        ("2024-H2..2025-H2", NAMES[:3]),
        ("2026-H2, 2024-H2", ["2024-H2", "2026-H2"]),
        ("2024-H2..2025-H1,2025-H1..2025-H2,2025-H1", NAMES[:3]),
        ("2025-H1..2025-H1", ["2025-H1"]),
    ],
)
def test_words_mean_blocks_oldest_first(asked: str, found: list[str]) -> None:
    assert list(chosen(Every.HALF_YEAR, asked, reversed(NAMES))) == found


@pytest.mark.parametrize(
    "asked",
    ["", "All", "2023-H1", "2025-H2..2025-H1", "2025-H1..2026-H2", "2024..2026", "2025-H1..", ","],
)
def test_words_that_mean_none_are_refused(asked: str) -> None:
    with pytest.raises(NoSuchBlock):
        chosen(Every.HALF_YEAR, asked, NAMES)


def test_at_most_so_many_are_read_at_once() -> None:
    months = [f"{year}-{month:02d}" for year in range(2020, 2026) for month in range(1, 13)]
    assert len(chosen(Every.MONTH, f"{months[0]}..{months[MOST - 1]}", months)) == MOST
    for asked in ("all", f"{months[0]}..{months[MOST]}"):
        with pytest.raises(NoSuchBlock):
            chosen(Every.MONTH, asked, months)
