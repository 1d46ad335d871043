"""Plans: whole, the same for the same question, different for another, and made for their price."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from queries import codec
from queries.enclave.claims import verify
from queries.plan.model import Mechanism, Plan
from queries.plan.planner import plan
from queries.plan.price import ColumnBound, Options, Price
from tests.parity import PRICE
from tests.plan.benches import bench
from tests.plan.cases import Case, cases

SAME = [
    (
        "SELECT origin, SUM(dep_delay + 1) FROM flights WHERE month < 7 AND dest='LAX' GROUP BY 1",
        """SELECT f.origin AS o, SUM(1 + f.dep_delay) FROM flights f
        WHERE 'LAX' = f.dest AND (7 > month) GROUP BY f.origin ORDER BY 2 DESC LIMIT 2""",
    ),
    ("SELECT COUNT(*) FROM flights", "select count(*) as n from FLIGHTS having count(*) > 5"),
    (
        "SELECT COUNT(*) FROM (SELECT origin FROM flights WHERE month = 1)",
        "WITH f AS (SELECT * FROM flights) SELECT COUNT(*) FROM f WHERE 1 = month",
    ),
    (
        "SELECT COUNT(*) FROM flights WHERE origin IN ('EWR', 'JFK')",
        "SELECT COUNT(*) FROM flights WHERE origin IN ('JFK', 'EWR', 'EWR')",
    ),
]
BASE = "SELECT origin, SUM(dep_delay) FROM flights GROUP BY origin"
OTHERS = [
    "SELECT origin, SUM(arr_delay) FROM flights GROUP BY origin",
    "SELECT dest, SUM(dep_delay) FROM flights GROUP BY dest",
    "SELECT origin, SUM(dep_delay) FROM flights WHERE month = 1 GROUP BY origin",
    "SELECT origin, SUM(dep_delay) FROM flights WHERE month = 2 GROUP BY origin",
    "SELECT origin, SUM(dep_delay) FILTER (WHERE month = 1) FROM flights GROUP BY origin",
    "SELECT origin, SUM(dep_delay), COUNT(*) FROM flights GROUP BY origin",
    "SELECT SUM(dep_delay) FROM flights",
]
BOUNDS = [
    Options(rows_per_group=10),
    Options(groups_per_unit=2),
    Options(columns=(ColumnBound("dep_delay", Fraction(0), Fraction(60)),)),
    Options(columns=(ColumnBound("dep_delay", Fraction(0), Fraction(61)),)),
]


def digest(sql: str, options: Options = Options(), price: Price = PRICE) -> str:
    (stage,) = bench().plan(sql, options, price).stages
    return stage.digest


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_question_has_the_same_digest(one: str, other: str) -> None:
    assert digest(one) == digest(other)


def test_another_question_or_bound_has_another_digest() -> None:
    found = [digest(sql) for sql in (BASE, *OTHERS)] + [digest(BASE, o) for o in BOUNDS]
    assert len(set(found)) == len(found)


def test_the_price_is_not_in_the_digest() -> None:
    cheap = Price(10**6, 10**6)
    assert digest(BASE, price=cheap) == digest(BASE) == digest(BASE, price=Price(1, 0, 10**12))


def test_another_delivery_has_another_digest() -> None:
    view = replace(bench().view, delivery="another")
    (stage,) = plan(BASE, view, bench(), PRICE, Options()).stages
    assert stage.digest != digest(BASE)


def test_the_digest_tells_nothing_of_what_the_manifest_says_elsewhere() -> None:
    """A delivery has one manifest; its hash in a digest would let hidden names be guessed."""
    view = replace(bench().view, manifest_hash="0" * 64)
    (stage,) = plan(BASE, view, bench(), PRICE, Options()).stages
    assert stage.digest == digest(BASE)


def test_a_measure_used_twice_is_one_stage() -> None:
    sql = (
        "WITH m AS (SELECT origin, COUNT(*) AS n FROM flights GROUP BY origin) "
        "SELECT a.origin, a.n / b.t FROM m a, (SELECT SUM(n) AS t FROM m) b"
    )
    assert len(bench().plan(sql).stages) == 1


def test_a_statistic_used_twice_is_one_column() -> None:
    sql = "SELECT COUNT(*), COUNT(*) + 1, AVG(distance), SUM(distance) FROM flights"
    (stage,) = bench().plan(sql).stages
    assert len(stage.columns) == 2


def plans() -> list[Case]:
    return cases("plans")


def planned(case: Case, price: Price) -> Plan:
    return bench(case.dataset).plan(case.sql.split(";\n")[0], case.options, price)


@pytest.mark.parametrize("case", plans(), ids=str)
def test_a_plan_is_whole(case: Case) -> None:
    found = planned(case, PRICE)
    assert codec.loads(Plan, codec.dumps(found)) == found
    assert planned(case, PRICE) == found
    verify(found.stages)
    assert sum(stage.rho for stage in found.stages) <= PRICE.rho
    assert sum(stage.delta for stage in found.stages) <= PRICE.delta
    assert found.notes
    assert found.slot == 0


@pytest.mark.parametrize("case", [c for c in plans() if "threshold" not in c.title], ids=str)
def test_a_pure_plan_is_pure_and_has_no_delta(case: Case) -> None:
    found = planned(case, Price(10**12, 0, 10**12))
    verify(found.stages)
    noises = [noise for stage in found.stages for noise in stage.noises]
    assert {noise.mechanism for noise in noises} <= {Mechanism.LAPLACE, Mechanism.PERMUTE_AND_FLIP}
    assert sum(noise.epsilon or 0 for noise in noises) <= 10**12
    assert all(stage.delta == 0 for stage in found.stages)


@pytest.mark.parametrize("name", ["groups_per_unit", "rows_per_group", "minimum_frequency"])
@pytest.mark.parametrize("count", [0, -1])
def test_a_bound_below_one_is_no_option(name: str, count: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        Options(**{name: count})  # type: ignore[arg-type]
