"""What a condition proves about a column holds for every value that passes it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.algebra import operations as op
from queries.algebra.calendar import DAY
from queries.algebra.facts import Facts
from queries.algebra.scalars import Call, Column, Literal, Scalar
from queries.bind.narrowing import proved, refined
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


@pytest.mark.parametrize("sign", sorted(TESTS))
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("scale", [0, 1, 2])
def test_one_comparison_proves_the_range_of_what_passes_it(
    sign: str, turned: bool, scale: int
) -> None:
    """At every end, on it and beside it, both ways round: whatever is summed may rest on it."""
    column = replace(COLUMN, facts=replace(COLUMN.facts, lower=-3, upper=3))
    unit = 10**scale
    for end in {whole * unit + beside for whole in range(-4, 5) for beside in (-1, 0, 1)}:
        sides = [op.rescale(column, scale), op.number(end, scale)]
        facts = proved([op.boolean(sign, *(reversed(sides) if turned else sides))])[column]
        passing = [
            value
            for value in range(-3, 4)
            if (TESTS[sign](end, value * unit) if turned else TESTS[sign](value * unit, end))
        ]
        if passing:
            assert facts.span() == (min(passing), max(passing))
        assert not facts.nullable


@pytest.mark.parametrize("end", [-1, 0, 1])
@pytest.mark.parametrize("sign", sorted(TESTS))
def test_a_date_compared_as_a_moment_is_narrowed_to_whole_days(sign: str, end: int) -> None:
    """Around the midnight of the third day."""
    day = Column(0, "d", Facts(Type.DATE, True, 0, -9, 9))
    moment = Call("timestamp", (day,), Facts(Type.TIMESTAMP, True, 0, -9 * DAY, 9 * DAY))
    at = 3 * DAY + end
    fixed = Literal(at, Facts(Type.TIMESTAMP, False, 0, at, at))
    low, high = proved([op.boolean(sign, moment, fixed)])[day].span()
    passing = [n for n in range(-9, 10) if TESTS[sign](n * DAY, at)]
    if passing:
        assert (low, high) == (min(passing), max(passing))


def test_what_is_proved_holds_for_that_column_alone() -> None:
    other = Column(1, "x", Facts(Type.INTEGER, True, 0, 0, 9))
    found = proved([op.boolean(">", COLUMN, op.number(5))])
    assert refined(COLUMN, found).facts.span() == (6, 50)
    assert refined(other, found) is other
    assert refined(op.number(7), found) == op.number(7)


@pytest.mark.parametrize("sign", sorted(TESTS))
def test_a_comparison_of_an_expression_proves_nothing_of_its_column(sign: str) -> None:
    five = op.number(5)
    for value in (
        op.add(COLUMN, op.number(1)),
        op.multiply(COLUMN, COLUMN),
        op.negate(COLUMN),
        op.absolute(COLUMN),
        op.null_if(COLUMN, five),
        op.whole_divide(COLUMN, op.number(2)),
        Call("date", (COLUMN,), COLUMN.facts),
    ):
        assert proved([op.boolean(sign, value, five), op.boolean(sign, five, value)]) == {}


@pytest.mark.parametrize("sign", sorted(TESTS))
def test_a_real_keeps_its_range_since_more_than_whole_numbers_pass(sign: str) -> None:
    real = Column(0, "r", Facts(Type.REAL, True, 0, -9, 9))
    five = Literal(5.0, Facts(Type.REAL, False, 0, 5, 5))
    found = proved([op.boolean(sign, real, five)])[real]
    assert (found.lower, found.upper, found.nullable) == (-9, 9, False)


def test_presence_is_proved_by_what_null_fails_and_by_nothing_else() -> None:
    null = Call("null", (COLUMN,), Facts(Type.BOOLEAN, False))
    other = Column(1, "y", Facts(Type.INTEGER, True, 0, 0, 9))
    assert not proved([Call("not", (null,), null.facts)])[COLUMN].nullable
    for part in (null, Call("true", (null,), null.facts), Call("null", (null,), null.facts)):
        assert proved([part]) == {}
    listed = proved([op.boolean("in", COLUMN, op.number(3), other)])
    assert not listed[COLUMN].nullable
    assert listed[COLUMN].span() == (-50, 50)
    assert other not in listed
    assert not proved([op.boolean("<>", other, COLUMN)])[COLUMN].nullable


def test_several_parts_narrow_one_after_another() -> None:
    parts = [op.boolean(">", COLUMN, op.number(5)), op.boolean("<=", COLUMN, op.number(9))]
    assert proved(parts)[COLUMN].span() == (6, 9)
    assert proved([*parts, op.boolean("in", COLUMN, op.number(2), op.number(7))])[
        COLUMN
    ].span() == (6, 7)
    assert not proved([*parts, op.boolean("=", COLUMN, COLUMN)])[COLUMN].nullable


@pytest.mark.parametrize("value", ["b", "z"])
def test_a_text_outside_of_the_list_leaves_none(value: str) -> None:
    kept = ("b",) if value == "b" else ()
    assert proved([op.boolean("=", TEXT, text_literal(value))])[TEXT].values == kept
    assert proved([op.boolean("=", text_literal(value), TEXT)])[TEXT].values == kept
    loose = replace(TEXT, facts=replace(TEXT.facts, values=None))
    assert proved([op.boolean("=", loose, text_literal(value))])[loose].values == (value,)
    for sign in ("<", ">=", "<>", "like"):
        assert proved([op.boolean(sign, TEXT, text_literal(value))])[TEXT].values == (
            "a",
            "b",
            "c",
        )


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
