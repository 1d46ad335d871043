"""What a condition proves about a column holds for every value that passes it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.algebra import operations as op
from queries.algebra.facts import Facts
from queries.algebra.scalars import Call, Column, Literal, Scalar
from queries.bind.narrowing import proved
from queries.bind.types import text_literal
from queries.catalog.manifest import Type

COLUMN = Column(0, "x", Facts(Type.INTEGER, True, 0, -50, 50))
TEXT = Column(0, "t", Facts(Type.TEXT, True, values=("a", "b", "c")))
TESTS = {
    "=": lambda x, y: x == y,
    "<": lambda x, y: x < y,
    "<=": lambda x, y: x <= y,
    ">": lambda x, y: x > y,
    ">=": lambda x, y: x >= y,
}
SIGNS = st.sampled_from(sorted(TESTS))
VALUES = st.integers(-60, 60)


def compared(sign: str, value: int, scale: int, *, turned: bool) -> Scalar:
    sides = [op.rescale(COLUMN, scale), op.number(value, scale)]
    return op.boolean(sign, *(reversed(sides) if turned else sides))


@given(
    parts=st.lists(
        st.tuples(SIGNS, st.integers(-600, 600), st.sampled_from([0, 1, 2]), st.booleans()),
        min_size=1,
        max_size=3,
    ),
    value=st.integers(-50, 50),
)
def test_a_value_that_passes_lies_in_the_proved_range(
    parts: list[tuple[str, int, int, bool]], value: int
) -> None:
    found = proved([compared(s, v, scale, turned=turned) for s, v, scale, turned in parts])[COLUMN]
    ends = [(s, Fraction(v, 10**scale), turned) for s, v, scale, turned in parts]
    passes = all(
        TESTS[s](end, value) if turned else TESTS[s](value, end) for s, end, turned in ends
    )
    assert not found.nullable
    if passes:
        low, high = found.span()
        assert low <= value <= high


@given(members=st.lists(VALUES, min_size=1, max_size=5))
def test_members_of_a_list(members: list[int]) -> None:
    found = proved([op.boolean("in", COLUMN, *map(op.number, members))])[COLUMN]
    low, high = found.span()
    assert all(low <= member <= high for member in members if -50 <= member <= 50)


def test_texts_are_narrowed_to_those_compared_with() -> None:
    equal = op.boolean("=", TEXT, text_literal("b"))
    listed = op.boolean("in", TEXT, text_literal("c"), text_literal("z"), text_literal("a"))
    assert proved([equal])[TEXT].values == ("b",)
    assert set(proved([listed])[TEXT].values or ()) == {"a", "c"}


@pytest.mark.parametrize("sign", ["same", "differs"])
def test_what_holds_for_null_proves_nothing(sign: str) -> None:
    part = Call(sign, (COLUMN, op.number(5)), Facts(Type.BOOLEAN, False))
    assert proved([part]) == {}


def test_a_disjunction_or_negation_proves_nothing() -> None:
    less = op.boolean("<", COLUMN, op.number(5))
    more = op.boolean(">", COLUMN, op.number(7))
    assert proved([op.boolean("or", less, more)]) == {}
    assert proved([op.boolean("not", less)]) == {}


def test_a_column_compared_with_a_column_is_not_null_and_no_more() -> None:
    other = Column(1, "y", Facts(Type.INTEGER, True, 0, 0, 9))
    found = proved([op.boolean("<", COLUMN, other)])
    assert found[COLUMN].span() == (-50, 50)
    assert not found[COLUMN].nullable


def test_a_null_constant_lets_nothing_pass() -> None:
    null = Literal(None, Facts(Type.INTEGER, True, 0, 0, 0))
    assert proved([op.boolean("=", COLUMN, null)])[COLUMN].span() == (0, 0)
