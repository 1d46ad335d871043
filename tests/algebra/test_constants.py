"""Rows of constants come back from the engine as they were given."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.algebra.constants import SEPARATORS, NoSeparator, selected

TEXTS = st.none() | st.text(st.sampled_from("a='|,\" \ue000é") | st.characters(codec="utf-8"))
WIDE = (("a", "VARCHAR"), ('b "c"', "VARCHAR"))


@pytest.mark.slow
@given(rows=st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_texts_come_back_as_they_are(rows: list[tuple[str | None, str | None]]) -> None:
    rows = [row for row in rows if "\x00" not in "".join(value or "" for value in row)]
    with duckdb.connect() as engine:
        found = engine.execute(selected(WIDE, rows))
        assert [column[0] for column in found.description or ()] == ["a", 'b "c"']
        assert found.fetchall() == rows


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("BIGINT", "-7"),
        ("DECIMAL(18,2)", "1.25"),
        ("DATE", "2020-02-29"),
        ("TIMESTAMP", "2020-02-29 12:00:00.000001"),
        ("BOOLEAN", "true"),
        ("DOUBLE", "0.1"),
    ],
)
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_values_have_their_type_with_null_or_without(kind: str, value: str, rows: int) -> None:
    with duckdb.connect() as engine:
        for own in ([(value,)] * rows, [(value,), (None,)][:rows]):
            asked = f"SELECT CAST(x AS VARCHAR) FROM ({selected([('x', kind)], own)}) AS q"
            assert engine.execute(asked).fetchall() == own
            described = engine.execute(f"DESCRIBE {selected([('x', kind)], own)}").fetchall()
            assert [row[1] for row in described] == [kind]


def test_values_that_hold_every_separator_are_not_written() -> None:
    with pytest.raises(NoSeparator):
        selected([("x", "VARCHAR")], [("".join(SEPARATORS),)])
