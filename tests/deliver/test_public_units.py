"""Public tables about units: one row a unit, by the id that joins will meet."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from queries.deliver.faults import RegistrationFailed
from queries.deliver.pseudonym import PseudonymKeys
from queries.deliver.register import register

KEYS = PseudonymKeys(unit=bytes(range(32)), cap=bytes(range(32, 64)))
MANIFEST = """
dataset: flights
title: Flights and a register of aircraft
unit: {name: aircraft, at_most: 10}
ceiling: {epsilon: 8, delta: 1e-7}
tables:
  flights:
    source: flights.csv
    unit_key: aircraft
    rows_per_unit: 5
    columns: {aircraft: {type: text}, miles: {type: integer, lower: 0, upper: 9}}
  register:
    public: true
    origin: the registry
    source: register.csv
    unit_key: aircraft
    key: [aircraft]
    columns: {aircraft: {type: text}, maker: {type: text}}
"""


def _registered(folder: Path, register_rows: str) -> Path:
    (folder / "m.yaml").write_text(MANIFEST)
    (folder / "flights.csv").write_text("aircraft,miles\nN1,3\nN2,4\n")
    (folder / "register.csv").write_text("aircraft,maker\n" + register_rows)
    return register(folder / "m.yaml", folder / "deliveries", KEYS).directory


def test_a_row_of_a_register_meets_its_unit_however_the_id_is_spaced(tmp_path: Path) -> None:
    directory = _registered(tmp_path, '" N1",red\nN3,blue\n')
    with duckdb.connect(str(directory / "private.duckdb"), read_only=True) as engine:
        found = engine.execute(
            "SELECT maker, miles FROM flights JOIN register USING (_unit)"
        ).fetchall()
        order = engine.execute("SELECT _unit FROM register").fetchall()
    assert found == [("red", 3)]
    assert order == sorted(order)


def test_two_rows_of_one_unit_are_refused_though_their_ids_are_written_differently(
    tmp_path: Path,
) -> None:
    with pytest.raises(RegistrationFailed) as failed:
        _registered(tmp_path, 'N1,red\n" N1",blue\n')
    assert "keys stand more than once" in str(failed.value.faults)
