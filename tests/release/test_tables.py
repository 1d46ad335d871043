"""Noisy integers become values of the announced type, exactly where the type allows it."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queries.catalog.view import Value
from queries.plan.model import Key, NoisyColumn
from queries.plan.noisy import NoisyStage
from queries.release.tables import create, decimal_text, rounded
from tests.enclave.stages import gaussian, stage

NOISE = gaussian(1.0)


def stored(
    bare: duckdb.DuckDBPyConnection,
    keys: list[Key],
    columns: list[NoisyColumn],
    rows: list[tuple[tuple[Value, ...], tuple[int, ...]]],
) -> list[tuple[object, ...]]:
    noisy = NoisyStage("s0", tuple(key for key, _ in rows), tuple(value for _, value in rows))
    bare.execute("BEGIN")
    try:
        create(bare, stage("", columns, keys), noisy)
        return bare.execute("SELECT * FROM s0 ORDER BY _row").fetchall()
    finally:
        bare.execute("ROLLBACK")


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20),
    st.integers(0, 40),
    st.sampled_from([1, 10, 100]),
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_values_are_exact_in_decimal_and_hugeint(
    bare: duckdb.DuckDBPyConnection, noisy: list[int], shift: int, denominator: int
) -> None:
    columns = [
        NoisyColumn("m0", NOISE, shift, 3, denominator, "DECIMAL(38,2)"),
        NoisyColumn("m1", NOISE, shift, 3, 1, "HUGEINT"),
        NoisyColumn("m2", NOISE, shift, 3, denominator, "DOUBLE"),
    ]
    found = stored(bare, [], columns, [((), (value,) * 3) for value in noisy])
    for row, value in zip(found, noisy, strict=True):
        exact = Fraction((value << shift) * 3, denominator)
        assert Fraction(row[1]) == exact  # type: ignore[arg-type]
        assert row[2] == (value << shift) * 3
        assert row[3] == float(exact)


def test_what_passes_a_type_stops_at_its_end(bare: duckdb.DuckDBPyConnection) -> None:
    columns = [
        NoisyColumn("m0", NOISE, 10, 1, 1, "BIGINT"),
        NoisyColumn("m1", NOISE, 62, 2**60, 1, "HUGEINT"),
        NoisyColumn("m2", NOISE, 0, 1, 1, "INTEGER"),
        NoisyColumn("m3", NOISE, 0, 1, 1, "DECIMAL(4,2)"),
    ]
    most = 2**63 - 1
    found = stored(bare, [], columns, [((), (most,) * 4), ((), (-most,) * 4)])
    ends = [(2**63 - 1), 2**127 - 1, 2**31 - 1, Decimal("99.99")]
    assert [list(row[1:]) for row in found] == [ends, [-end for end in ends]]


def test_keys_take_their_types(bare: duckdb.DuckDBPyConnection) -> None:
    types = ["BIGINT", "VARCHAR", "BOOLEAN", "DATE", "TIMESTAMP", "HUGEINT", "DOUBLE"]
    keys = [Key(f"k{n}", one) for n, one in enumerate(types)] + [Key("k7", "DECIMAL(18,2)", 2)]
    texts = (7, "it's", True, "2026-03-01", "2026-03-01T10:00:00", 2**100, 0.1, -205)
    rows = [(texts, ()), ((None,) * 8, ())]
    found = stored(bare, keys, [], rows)  # type: ignore[arg-type]
    assert [str(value) for value in found[0][1:]] == [
        "7", "it's", "True", "2026-03-01", "2026-03-01 10:00:00", str(2**100), "0.1", "-2.05",
    ]  # fmt: skip
    assert found[1][1:] == (None,) * 8


def test_an_empty_table_is_typed_all_the_same(bare: duckdb.DuckDBPyConnection) -> None:
    column = NoisyColumn("m0", NOISE, 0, 1, 1, "DECIMAL(38,2)")
    bare.execute("BEGIN")
    create(bare, stage("", [column], [Key("k0", "DATE")]), NoisyStage("s0", (), ()))
    types = bare.execute("DESCRIBE s0").fetchall()
    bare.execute("ROLLBACK")
    assert [(row[0], row[1]) for row in types] == [
        ("_row", "BIGINT"), ("k0", "DATE"), ("m0", "DECIMAL(38,2)"),
    ]  # fmt: skip


@given(st.integers(), st.integers(1, 10**9))
def test_rounding_is_to_the_nearest_even(numerator: int, denominator: int) -> None:
    assert rounded(numerator, denominator) == round(Fraction(numerator, denominator))


@given(st.integers(), st.integers(0, 12))
def test_decimal_text_says_the_steps(steps: int, scale: int) -> None:
    assert Fraction(decimal_text(steps, scale)) == Fraction(steps, 10**scale)


def test_a_noisy_table_has_as_many_keys_as_values() -> None:
    with pytest.raises(ValueError):
        NoisyStage("s0", ((1,),), ())
