"""Whole-number functions take every value that their range allows for, and none outside of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import pytest

from queries.algebra import wholes
from queries.algebra.facts import Facts, stored
from queries.algebra.operations import known, number
from queries.algebra.scalars import Column, Scalar
from queries.catalog.manifest import Type
from tests.properties.hostile import engine, writer

Binary = Callable[[Scalar, Scalar], Scalar]
SPANS = [(-9, 4), (-4, 9), (-9, -4), (4, 9), (0, 9), (-9, 0), (0, 0), (-1, 0), (0, 1), (-8, 7)]
"""Ranges on either side of zero, ending at it, and at powers of two."""


def column(low: int, high: int, *, null: bool = False, source: int = 0) -> Column:
    return Column(source, "x", Facts(Type.INTEGER, null, 0, low, high))


def bits(word: str) -> Binary:
    return lambda left, right: wholes.bits(word, left, right)


TWO: list[tuple[Binary, Callable[[int, int], int]]] = [
    (wholes.divisor, math.gcd),
    (wholes.multiple, math.lcm),
    (bits("bitand"), int.__and__),
    (bits("bitor"), int.__or__),
    (bits("bitxor"), int.__xor__),
]
WAYS = ["gcd", "lcm", "and", "or", "xor"]


@pytest.mark.parametrize(("make", "exact"), TWO, ids=WAYS)
def test_two_numbers_make_one_in_the_range(make: Binary, exact: Callable[[int, int], int]) -> None:
    for (low, high), (least, most) in product(SPANS, SPANS):
        pairs = product(range(low, high + 1), range(least, most + 1))
        images = [exact(a, b) for a, b in pairs]
        below, above = make(column(low, high), column(least, most, source=1)).facts.span()
        assert below <= min(images) <= max(images) <= above


@pytest.mark.parametrize("make", [make for make, _ in TWO], ids=WAYS)
@pytest.mark.parametrize("null", list(product([True, False], repeat=2)), ids=str)
def test_what_two_numbers_make_is_null_and_undeclared_where_one_is(
    make: Binary, null: tuple[bool, bool]
) -> None:
    left, right = (column(1, 5, null=one, source=n) for n, one in enumerate(null))
    loose = Column(2, "y", stored(Type.INTEGER))
    assert make(left, right).facts.nullable == any(null)
    assert make(left, right).facts.scale == 0
    assert make(left, right).facts.bounded
    assert not make(left, loose).facts.bounded
    assert not make(loose, right).facts.bounded


@pytest.mark.parametrize(("low", "high"), SPANS)
def test_a_sign_and_an_inversion_have_the_range_that_they_take(low: int, high: int) -> None:
    given = column(low, high)
    signs = [(x > 0) - (x < 0) for x in range(low, high + 1)]
    below, above = wholes.sign(given).facts.span()
    assert below <= min(signs) <= max(signs) <= above
    assert below >= -1
    assert above <= 1
    assert wholes.inverted(given).facts.span() == (~high, ~low)


def test_a_sign_of_what_has_no_range_is_any() -> None:
    ratio = Column(0, "r", Facts(Type.REAL, True))
    assert wholes.sign(ratio).facts.span() == (-1, 1)
    assert wholes.sign(ratio).facts.nullable
    assert not wholes.sign(column(1, 2)).facts.nullable


@pytest.mark.parametrize("by", [0, 1, 3, wholes.MOST_SHIFTED])
def test_a_shift_is_the_power_of_two_that_is_written(by: int) -> None:
    given = column(5, 100)
    left, right = wholes.shifted(given, by, left=True), wholes.shifted(given, by, left=False)
    assert left.facts.span() == (5 << by, 100 << by)
    assert right.facts.span() == (5 >> by, 100 >> by)
    assert not left.facts.nullable
    for value in (5, 100):
        shown = ", ".join(f"CAST({writer().write(one)} AS HUGEINT)" for one in (left, right))
        rows = f"(SELECT {value} AS x) AS t0"
        found = engine().execute(f"SELECT {shown} FROM {rows}").fetchall()
        assert found == [(value << by, value >> by)]
    assert wholes.shifted(column(0, 1, null=True), by, left=False).facts.nullable
    assert not wholes.shifted(Column(0, "y", stored(Type.INTEGER)), 1, left=False).facts.bounded


@pytest.mark.parametrize(("low", "high"), [(-9, 30), (0, 9), (12, 14), (-9, -3), (-40, 90)])
@pytest.mark.parametrize(("least", "most"), [(0, 10), (-5, 12), (-8, -2), (3, 4)])
@pytest.mark.parametrize("count", [1, 3, 7])
def test_a_bucket_and_every_step_on_the_way_to_it_stay_in_their_ranges(
    low: int, high: int, least: int, most: int, count: int
) -> None:
    """What is divided is cast to a width that its range asks for: too narrow a one would raise."""
    found = wholes.bucket(column(low, high), number(least), number(most), count)
    assert found.facts.span() == (0, count + 1)
    inside = found.args[-1]
    quotients = [(x - least) * count / (most - least) for x in (low, high)]
    assert inside.facts.span()[0] <= min(map(int, quotients)) + 1
    assert max(map(int, quotients)) + 1 <= inside.facts.span()[1]
    assert inside.facts.span()[1] <= max(map(abs, quotients)) + 1
    rows = f"(SELECT CAST(unnest(range({low}, {high + 1})) AS BIGINT) AS x) AS t0"
    exact = {x: 1 + (x - least) * count // (most - least) for x in range(low, high + 1)}
    expected = [(x, min(max(place, 0), count + 1)) for x, place in exact.items()]
    assert engine().execute(f"SELECT x, {writer().write(found)} FROM {rows}").fetchall() == expected


def test_a_bucket_of_a_real_is_null_where_the_value_may_be() -> None:
    ends = [Column(n, "e", Facts(Type.REAL, False, 0, n, n)) for n in (1, 2)]
    for null in (True, False):
        found = wholes.bucket(Column(0, "r", Facts(Type.REAL, null)), *ends, 4)
        assert known(found) == (0, 5)
        assert found.facts.nullable == null
        assert (
            wholes.bucket(column(0, 9, null=null), number(1), number(2), 4).facts.nullable == null
        )
