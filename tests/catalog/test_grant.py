"""A narrowed view: what is left out is nowhere in it, and what stays is proved as before."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from queries.catalog.grant import EVERYTHING, Grant, narrowed, together, unknown
from queries.catalog.manifest import Manifest, OnViolation, Table
from queries.catalog.reading import parse
from queries.catalog.view import PublicColumn, PublicTable, View

TEXT = b"""\
dataset: d
title: t
unit: {name: person, at_most: 10}
ceiling: {epsilon: 1, delta: 1e-7}
record: {provider: p, received: 2026-01-01}
tables:
  people:
    source: people.csv
    unit_key: ssn
    key: [ssn]
    columns: {ssn: {type: integer}, town: {type: text, references: towns.town}}
  stays:
    source: stays.csv
    unit_key: ssn
    key: [stay]
    rows_per_unit: 5
    other_party: host
    columns:
      ssn: {type: integer}
      stay: {type: integer}
      host: {type: text}
      cost: {type: decimal, lower: 0, upper: 10, step: 0.5}
  bills:
    source: bills.csv
    unit_via: [stay -> stays.stay]
    key: [stay, line]
    rows_per_unit: 9
    columns:
      stay: {type: integer}
      line: {type: integer, lower: 1, upper: 3}
      paid: {type: boolean}
  notes:
    source: notes.csv
    unit_via: [stay -> stays.stay]
    rows_per_unit: 9
    columns: {stay: {type: integer}, kind: {type: text}}
  towns:
    public: true
    source: towns.csv
    origin: made up
    key: [town]
    columns: {town: {type: text}, mayor: {type: text}}
"""


@pytest.fixture(scope="module")
def view() -> View:
    facts = PublicTable(3, {"town": PublicColumn(False), "mayor": PublicColumn(True)})
    return View(parse(TEXT).manifest, "f" * 64, "d1", {"towns": facts})


def seen(view: View, **tables: list[str] | None) -> Manifest:
    return narrowed(view, Grant.of(tables)).manifest


def one(manifest: Manifest, name: str) -> Table:
    found = manifest.table(name)
    assert found is not None
    return found


def test_whoever_may_name_everything_has_the_view_itself(view: View) -> None:
    assert narrowed(view, EVERYTHING) is view
    every = {table.name.upper(): None for table in view.manifest.tables}
    assert narrowed(view, Grant.of(every)) is view


def test_what_is_left_out_is_nowhere(view: View) -> None:
    """Not one name of it stands in the view, however deep, its files' names included."""
    found = narrowed(view, Grant.of({"bills": ["STAY", "paid"], "people": ["town"]}))
    words = ("ssn", "host", "cost", "line", "towns", "mayor", "stays", "notes",
             "csv", "provider")  # fmt: skip
    assert not [word for word in words if word in repr(replace(found, manifest_hash=""))]
    assert found.public == {}
    assert found.scope == ()


@pytest.mark.parametrize("table", ["people", "stays", "bills", "notes", "towns"])
def test_of_one_table_nothing_stands_but_the_columns_that_are_granted(
    view: View, table: str
) -> None:
    """Not as its key, grain, path, block or second person, nor as what another one refers to."""
    tables = [
        replace(one, grain=tuple(c.name for c in one.columns), block_column=one.columns[-1].name)
        for one in view.manifest.tables
    ]
    whole = replace(view, manifest=replace(view.manifest, tables=tuple(tables)))
    named = {c.name for one_ in tables for c in one_.columns}
    own = [c.name for c in one(whole.manifest, table).columns]
    for few in (few for size in (1, 2) for few in combinations(own, size)):
        found = seen(whole, **{table: list(few)})
        assert not [w for w in named - set(few) if re.search(rf"'{w}'|\b{w}\.", repr(found.tables))]
        (only,) = found.tables
        assert only.on_violation == OnViolation()
        assert only.block_column == (own[-1] if own[-1] in few else None)
        assert only.unit_key == ("ssn" if "ssn" in few else None)
        assert only.other_party == ("host" if "host" in few else None)


def test_a_path_or_a_reference_to_a_hidden_column_does_not_name_it(view: View) -> None:
    """The table at its end may be seen for other columns."""
    found = seen(view, bills=["stay"], stays=["cost"], people=["town"], towns=["mayor"])
    way = one(found, "bills").unit_via
    assert way is not None
    assert way.table.startswith("_")
    assert way.key == way.table
    town = one(found, "people").column("town")
    assert town is not None
    assert town.references is None
    assert one(seen(view, bills=["line"], stays=["stay"]), "bills").unit_via is None


def test_a_key_that_is_seen_in_part_is_no_key(view: View) -> None:
    """(stay, line) is unique, stay alone is not."""
    assert one(seen(view, bills=["stay"]), "bills").key == ()
    assert one(seen(view, bills=["stay", "line"]), "bills").key == ("stay", "line")


def test_a_hidden_unit_leaves_the_most_rows_of_one(view: View) -> None:
    people = one(seen(view, people=["town"]), "people")
    assert (people.unit_key, people.key, people.rows_per_unit) == (None, (), 1)


def test_a_reference_to_a_hidden_table_is_none(view: View) -> None:
    town = one(seen(view, people=["town"]), "people").column("town")
    assert town is not None
    assert town.references is None
    kept = one(seen(view, people=["town"], towns=["town"]), "people").column("town")
    assert kept is not None
    assert kept.references is not None


def test_paths_to_one_hidden_table_still_end_at_the_same_place(view: View) -> None:
    hidden = seen(view, bills=["stay"], notes=["stay"])
    ways = [table.unit_via for table in hidden.tables]
    assert ways[0] == ways[1] is not None
    assert ways[0].table.startswith("_")
    open_ = one(seen(view, bills=["stay"], stays=["stay"]), "bills").unit_via
    assert open_ is not None
    assert open_.table == "stays"


def test_facts_of_public_tables_are_those_of_columns_that_are_seen(view: View) -> None:
    found = narrowed(view, Grant.of({"towns": ["town"], "people": None}))
    assert set(found.public["towns"].columns) == {"town"}
    assert found.scope == (("towns", ("town",)),)


def test_the_hash_follows_from_what_is_seen_alone(view: View) -> None:
    """Whoever guesses a hidden name has nothing to try the guess on."""
    grant = Grant.of({"bills": ["paid"]})
    other = replace(view, manifest_hash="0" * 64, manifest=replace(view.manifest, record=()))
    other = replace(other, manifest=replace(other.manifest, tables=other.manifest.tables[1:]))
    assert narrowed(view, grant).manifest_hash == narrowed(other, grant).manifest_hash
    assert narrowed(view, grant).manifest_hash != view.manifest_hash
    wider = narrowed(view, Grant.of({"bills": ["paid", "line"]}))
    assert wider.manifest_hash != narrowed(view, grant).manifest_hash


def test_two_grants_together_are_what_one_of_them_names() -> None:
    one_, two = Grant.of({"a": ["x"], "b": None}), Grant.of({"A": ["Y"], "c": []})
    both = together([one_, two])
    assert both.written() == {"a": ["x", "y"], "b": None, "c": []}
    assert together([one_, EVERYTHING]) is EVERYTHING
    assert together([]).written() == {}


def test_names_that_the_manifest_lacks_are_told(view: View) -> None:
    grant = Grant.of({"bills": ["paid", "nothing"], "nowhere": None})
    assert unknown(grant, view.manifest) == ["bills.nothing", "nowhere"]


def test_a_grant_outlives_a_delivery_that_lacks_what_it_names(view: View) -> None:
    assert [t.name for t in seen(view, bills=["paid", "gone"], former=None).tables] == ["bills"]
    assert seen(view, former=None).tables == ()


def test_the_fixture_is_a_manifest_without_faults(tmp_path: Path) -> None:
    assert [table.name for table in parse(TEXT).manifest.tables][-1] == "towns"
