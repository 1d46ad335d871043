"""The length of a text is known where the manifest declares it, and of nothing made of the text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from queries.catalog.manifest import Table
from queries.language.refusals import UnboundedColumn
from queries.plan.model import Plan
from queries.plan.planner import plan
from queries.plan.price import Options
from tests.parity import PRICE
from tests.plan.benches import bench

CLINIC = bench("clinic")
LENGTH = 12


def planned(sql: str) -> Plan:
    """A plan where notes have at most so many characters."""
    manifest = CLINIC.view.manifest
    view = replace(
        CLINIC.view, manifest=replace(manifest, tables=tuple(map(_short, manifest.tables)))
    )
    return plan(sql, view, CLINIC, PRICE, Options())


def _short(table: Table) -> Table:
    columns = (replace(c, length=LENGTH) if c.name == "note" else c for c in table.columns)
    return replace(table, columns=tuple(columns))


def test_a_sum_of_lengths_takes_noise_for_the_longest() -> None:
    rows = planned("SELECT COUNT(*) FROM visits").stages[0].columns[0].noise.l1
    for item in ("LENGTH(note)", "len(note)", "COALESCE(LENGTH(note), 0)"):
        assert planned(f"SELECT SUM({item}) FROM visits").stages[0].columns[0].noise.l1 == (
            rows * LENGTH
        )


def test_groups_by_length_are_public() -> None:
    found = planned("SELECT LENGTH(note) AS l, COUNT(*) FROM visits GROUP BY l").stages[0]
    assert found.listed == (*((n,) for n in range(LENGTH + 1)), (None,))


@pytest.mark.parametrize(
    "text",
    [
        "note || note",
        "upper(note)",
        "COALESCE(note, 'a text that is longer than the longest of them')",
        "CASE WHEN urgent THEN note ELSE 'a text that is longer than the longest' END",
    ],
)
def test_what_is_made_of_a_text_may_be_longer(text: str) -> None:
    with pytest.raises(UnboundedColumn):
        planned(f"SELECT SUM(LENGTH({text})) FROM visits")


def test_a_text_in_the_place_of_a_missing_row_may_be_longer() -> None:
    window = "OVER (PARTITION BY person ORDER BY visit)"
    own = f"LAG(note, 1, 'a text that is longer than the longest') {window}"
    with pytest.raises(UnboundedColumn):
        planned(f"SELECT SUM(LENGTH(t)) FROM (SELECT {own} AS t FROM visits) AS s")
