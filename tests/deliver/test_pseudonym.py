"""Pseudonyms are HMAC-SHA256 under a secret key; one unit has one, whatever its spelling."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.catalog.reading import parse
from queries.deliver.faults import RegistrationFailed
from queries.deliver.pseudonym import PseudonymKeys, hmac_hex, pseudonym
from queries.deliver.units import UNITS, check_units
from tests.deliver.small import KEYS, Source, delivered, stored

MANIFEST = """\
dataset: ids
title: One table
unit: {{name: device, at_most: 9}}
ceiling: {{epsilon: 1, delta: 0}}
tables:
  t:
    source: t.csv
    unit_key: id
    rows_per_unit: 9
    columns: {{id: {{type: {kind}}}, n: {{type: integer}}}}
"""


def expected(identity: str, key: bytes = KEYS.unit) -> int:
    digest = hmac.new(key, identity.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") >> 1


keys = st.binary(min_size=32, max_size=100)
messages = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=150)


@pytest.mark.slow
@given(unit=keys, message=messages)
def test_the_sql_is_hmac_sha256(unit: bytes, message: str) -> None:
    with duckdb.connect(":memory:") as engine:
        PseudonymKeys(unit, b"another key" * 6).give(engine)
        found = engine.execute(
            f"SELECT {hmac_hex('unit', 'x')}, {pseudonym('x')} FROM (SELECT $1::VARCHAR AS x)",
            [message],
        ).fetchone()
    assert found == (
        hmac.new(unit, message.encode(), hashlib.sha256).hexdigest(),
        expected(message, unit),
    )


@pytest.mark.parametrize(
    ("kind", "spellings", "identity"),
    [
        ("integer", ["7", "007", " 7", "7.0", "+7", "7e0"], "7"),
        ("integer", ["-0", "0", "0.0"], "0"),
        ("text", ["a b", " a b", "a b\t", "\u00a0a b".strip()], "a b"),
        ("text", ["caf\u00e9", "cafe\u0301"], "caf\u00e9"),
        ("text", ["007"], "007"),
    ],
)
def test_one_unit_has_one_pseudonym(
    tmp_path: Path, kind: str, spellings: list[str], identity: str
) -> None:
    rows = [(spelling, place) for place, spelling in enumerate(spellings)]
    source = {"t": Source(("id", "n"), rows)}
    found = stored(delivered(tmp_path, MANIFEST.format(kind=kind), source), "t")
    assert [row[0] for row in found] == [expected(identity)] * len(spellings)


def test_ids_are_nowhere_in_the_delivery(tmp_path: Path) -> None:
    source = {"t": Source(("id", "n"), [(f"person-{n}-of-the-file", n) for n in range(9)])}
    registration = delivered(tmp_path, MANIFEST.format(kind="text"), source)
    for file in registration.directory.iterdir():
        assert b"-of-the-file" not in file.read_bytes(), file.name


def test_two_ids_with_one_pseudonym_fail() -> None:
    """Nobody can make two ids meet in 63 bits, so they are made to meet in the table of units."""
    manifest = parse(MANIFEST.format(kind="text").encode()).manifest
    with duckdb.connect(":memory:") as engine:
        engine.execute(f"CREATE TABLE {UNITS} AS SELECT 'a' AS _id, 5::BIGINT AS _unit")
        check_units(engine, manifest)
        engine.execute(f"INSERT INTO {UNITS} VALUES ('b', 5)")
        with pytest.raises(RegistrationFailed, match="two ids have one pseudonym"):
            check_units(engine, manifest)


@pytest.mark.parametrize(("unit", "cap"), [(b"short", b"c" * 32), (b"k" * 32, b"k" * 32)])
def test_weak_keys_are_no_keys(unit: bytes, cap: bytes) -> None:
    with pytest.raises(ValueError, match="two different keys"):
        PseudonymKeys(unit, cap)


def test_keys_are_not_shown() -> None:
    assert "uuuu" not in repr(KEYS)
