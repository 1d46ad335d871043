"""What each unit adds to each group, bounded in the engine: exactly what the claim was made of."""

from __future__ import annotations

from fractions import Fraction

import duckdb
import pytest

from queries.algebra import operations as op
from queries.algebra.facts import Facts
from queries.algebra.measures import Centred, Distinct, Statistic, Total
from queries.algebra.scalars import Call, Column, Scalar
from queries.catalog.manifest import Type
from queries.plan.lower.relations import Relations
from queries.plan.lower.statistics import row
from queries.plan.price import Options
from tests.plan.benches import bench

HIGH = "CASE WHEN score > 0 THEN 10 ELSE 9 END"
ADDED = [
    ("SUM", HIGH, 0, 10),
    ("SUM", f"-({HIGH})", -10, 0),
    ("SUM", "score", -5, 5),
    ("SUM", "score + 5", 0, 10),
    ("COUNT", "note", 0, 1),
]
"""What is added up, and what one row adds to it at least and at most, or no row."""


@pytest.mark.parametrize("cap", [1, 3, 8])
@pytest.mark.parametrize("where", ["", " FILTER (WHERE urgent)"])
@pytest.mark.parametrize(("name", "value", "low", "high"), ADDED)
def test_a_unit_adds_what_its_rows_do_up_to_the_bound(
    name: str, value: str, low: int, high: int, where: str, cap: int
) -> None:
    """Never more than `cap` rows can, nothing where it has none that count, and else its own."""
    clinic = bench("clinic")
    added = f"{name}({value}){where}"
    plan = clinic.plan(f"SELECT kind, {added} FROM visits GROUP BY kind", Options(None, cap))
    (stage,) = plan.stages
    exact = clinic.answers(plan)[stage.name]
    got = {key: n for key, (n,) in zip(exact.keys, exact.values, strict=True) if n}
    own = f"SELECT kind, COALESCE({added}, 0) AS n FROM visits GROUP BY person, kind"
    bounded = f"LEAST(GREATEST(n, {low * cap}), {high * cap})"
    _, expected = clinic.expected(f"SELECT kind, SUM({bounded}) FROM ({own}) GROUP BY kind")
    assert got == {(kind,): int(total) for kind, total in expected if total}


@pytest.mark.parametrize("cap", [1, 2, 7])
@pytest.mark.parametrize("by", ["kind", "score", "ROLLUP (kind)", "ROLLUP (score, kind)"])
def test_a_unit_is_counted_where_one_of_its_rows_counts(by: str, cap: int) -> None:
    """Once in each group, and once in groups that are added up of finer ones."""
    clinic = bench("clinic")
    counted = "COUNT(DISTINCT person) FILTER (WHERE urgent AND score > 0)"
    keys = by.removeprefix("ROLLUP (").removesuffix(")")
    sql = f"SELECT {keys}, {counted} FROM visits GROUP BY {by}"
    _, rows = clinic.expected(sql)
    _, got = clinic.answered(clinic.plan(sql, Options(None, cap)))
    assert {row for row in got if row[-1]} == {row for row in rows if row[-1]}


OF_UNITS = [
    ("people p", 1),
    ("people p JOIN bands b ON b.score = 0", 2),
    ("(SELECT * FROM visits QUALIFY ROW_NUMBER() OVER (PARTITION BY person) <= 2) p", 2),
    ("visits p", 8),
]
"""Relations, with the most rows of one unit in each."""


@pytest.mark.parametrize(("relation", "rows"), OF_UNITS)
@pytest.mark.parametrize("beside", [[], ["COUNT(*)"], ["COUNT(*)", "SUM(3)"]], ids=len)
def test_a_unit_is_counted_once_whatever_its_rows_and_what_is_asked_beside(
    relation: str, rows: int, beside: list[str]
) -> None:
    clinic = bench("clinic")
    sql = f"SELECT {', '.join(['COUNT(DISTINCT p.person)', *beside])} FROM {relation}"
    plan = clinic.plan(sql)
    (stage,) = plan.stages
    claims = sorted(column.noise.l1 for column in stage.columns)
    assert claims == sorted([1, rows, 3 * rows][: 1 + len(beside)])
    assert clinic.answered(plan)[1] == clinic.expected(sql)[1]


WIDE = [(-9, 4), (5, 9), (2**40, 2**41), (-(2**62), 2**62), (-(2**70), 2**70), (2**69, 2**70)]


@pytest.mark.parametrize(("low", "high"), WIDE)
def test_a_centred_row_is_its_distance_from_the_middle(low: int, high: int) -> None:
    """In a type that holds it: what does not fit would fail on that row alone."""
    facts = Facts(Type.INTEGER, False, 0, low, high)
    middle = (low + high) // 2
    for value in (low, middle, high):
        (found,) = _computed(Centred(Column(0, "x", facts), None), value)
        assert found == value - middle


@pytest.mark.parametrize(
    ("value", "counted"), [("2.4", 2), ("2.6", 3), ("-1e300", -5), ("1e300", 9), ("nan", None)]
)
@pytest.mark.parametrize("centred", [False, True])
def test_a_real_is_counted_in_steps_of_its_grid_and_kept_in_its_range(
    value: str, counted: int | None, centred: bool
) -> None:
    """Whatever is computed of it afterwards in whole numbers (P9)."""
    real = Column(0, "x", Facts(Type.REAL, True, 0, Fraction(-5), Fraction(9)))
    whole = op.quantised(real, Fraction(1), -5, 9)
    kind = Centred if centred else Total
    for scalar, factor in ((whole, 1), (op.multiply(whole, op.number(3)), 3)):
        (found,) = _computed(kind(scalar, None), value, "DOUBLE")
        middle = (factor * -5 + factor * 9) // 2 if centred else 0
        assert found == (None if counted is None else factor * counted - middle)


def _computed(statistic: Statistic, value: object, kind: str = "HUGEINT") -> tuple[object, ...]:
    """What one row adds, as the engine computes it of a stored value."""
    to = Relations()
    to.scalars.alias(0)
    made = row(statistic, to)
    source = f"(SELECT CAST('{value}' AS {kind}) AS x) AS t0"
    with duckdb.connect() as engine:
        found = engine.execute(f"SELECT {made.value} FROM {source}").fetchall()
    return tuple(found[0])


def lying(name: str) -> Scalar:
    """A whole number whose text may leave the range that its facts state, as casts may."""
    x = Column(0, "x", Facts(Type.INTEGER, False, 0, -5, 9))
    return Call(name, (x,), Facts(Type.INTEGER, False, 0, -5, 9))


@pytest.mark.parametrize("inexact", ["floor:1:1", "try:integer", "fit:BIGINT", "whole"])
def test_what_was_rounded_or_cast_is_kept_in_its_range_also_beside_exact_parts(
    inexact: str,
) -> None:
    """A cast of 100 to the range of 9 is taken for the 9 that the claim is made of (P9)."""
    exact = Column(0, "x", Facts(Type.INTEGER, False, 0, -5, 9))
    either = (lying(inexact), exact)
    for scalar, least, most in (
        (lying(inexact), -5, 9),
        (op.add(lying(inexact), op.number(1)), -4, 10),
        (op.add(op.number(1), lying(inexact)), -4, 10),
        (op.multiply(op.negate(lying(inexact)), op.number(2)), -18, 10),
        (op.choose("coalesce", either, either, null=False), -5, 9),
    ):
        for statistic in (Total(scalar, None), Distinct((scalar,), None, 15)):
            (found,) = _computed(statistic, 100, "BIGINT")
            assert isinstance(found, int)
            assert least <= found <= most


@pytest.mark.parametrize("cap", [1, 3, 8])
@pytest.mark.parametrize("where", ["", " FILTER (WHERE urgent)"])
@pytest.mark.parametrize("value", [HIGH, "score", "score + 5"])
def test_a_mean_is_of_so_many_rows_of_each_unit_s_own_average(
    value: str, where: str, cap: int
) -> None:
    """Where it has more rows that count: a whole number of steps from the middle, to zero."""
    clinic = bench("clinic")
    _, got = clinic.answer(
        f"SELECT kind, AVG({value}){where} FROM visits GROUP BY kind", Options(None, cap)
    )
    low, high = next((low, high) for _, text, low, high in ADDED if text == value)
    middle = (max(low, 9 if value == HIGH else low) + high) // 2
    n = f"COUNT({value}){where}"
    own = (
        f"SELECT kind, {n} AS n, COALESCE(SUM(({value}) - ({middle})){where}, 0) AS s "
        "FROM visits GROUP BY person, kind"
    )
    part = f"CASE WHEN n > {cap} THEN trunc(s * {cap} / n) ELSE s END"
    mean = f"{middle} + SUM({part}) / NULLIF(SUM(LEAST(n, {cap})), 0)"
    _, expected = clinic.expected(f"SELECT kind, {mean} FROM ({own}) GROUP BY kind")
    known = {key: mean for key, mean in got if mean is not None}
    assert known == pytest.approx({key: mean for key, mean in expected if mean is not None})
