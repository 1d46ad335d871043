"""Frozen values survive the way through JSON, and nothing else comes back as one."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries import codec

Cell = int | str | bool | float | None
cells = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False)
)
rows = st.lists(st.lists(cells, max_size=3).map(tuple), max_size=4).map(tuple)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of any cells, and rows of whole numbers."""

    any: tuple[tuple[Cell, ...], ...]
    whole: tuple[tuple[int, ...], ...] = ()


@given(rows, st.lists(st.lists(st.integers()).map(tuple)).map(tuple))
def test_rows_come_back_as_they_went(
    any: tuple[tuple[Cell, ...], ...], whole: tuple[tuple[int, ...], ...]
) -> None:
    there = codec.loads(Sheet, codec.dumps(Sheet(any, whole)))
    assert there == Sheet(any, whole)
    assert [list(map(type, row)) for row in there.any] == [list(map(type, row)) for row in any]


@pytest.mark.parametrize(
    "whole", ['[["x"]]', "[[true]]", "[[1.5]]", "[[null]]", "[[[1]]]", "[1]", '["ab"]', '[{"a":1}]']
)
def test_rows_of_another_kind_are_refused(whole: str) -> None:
    with pytest.raises(TypeError):
        codec.loads(Sheet, f'{{"any":[],"whole":[[1],{whole[1:-1]}]}}')


def test_what_is_no_number_is_not_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        codec.dumps(Sheet(((float("nan"),),)))
