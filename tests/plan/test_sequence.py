"""Stages one after another: which are asked, in what order, and what a stored one may serve."""

from __future__ import annotations

from queries.plan.model import Plan
from queries.plan.price import Options, Price
from tests.parity import PRICE
from tests.plan.benches import bench

LATE = "SELECT COUNT(*) FROM flights WHERE dep_delay > (SELECT AVG(dep_delay) FROM flights)"
CHAIN = """WITH a AS (SELECT month, COUNT(*) AS n FROM flights GROUP BY month),
    b AS (SELECT AVG(distance) AS d FROM flights WHERE month IN (SELECT month FROM a WHERE n > 9))
    SELECT COUNT(*) FROM flights WHERE distance > (SELECT d FROM b)"""
DEARER = Price(rho=2 * PRICE.rho, delta=PRICE.delta)


def digests(plan: Plan) -> list[str]:
    return [stage.digest for stage in plan.stages]


def test_stages_stand_after_those_that_they_read() -> None:
    found = bench().plan(CHAIN)
    assert [len(stage.needs) for stage in found.stages] == [0, 1, 1]
    seen: set[str] = set()
    for stage in found.stages:
        assert stage.needs <= seen
        seen.add(stage.name)


def test_the_same_question_at_the_same_price_is_the_same_stages() -> None:
    assert digests(bench().plan(CHAIN)) == digests(bench().plan(CHAIN.replace(" b ", "  b ")))


def test_a_stage_that_is_read_is_one_draw_at_one_scale() -> None:
    """At another price both stages are others; alone, the first one is a third."""
    mine, dearer = bench().plan(LATE), bench().plan(LATE, price=DEARER)
    alone = bench().plan("SELECT AVG(dep_delay) FROM flights")
    assert not {*digests(mine)} & {*digests(dearer)}
    assert not {*digests(alone)} & {*digests(mine), *digests(dearer)}
    assert alone.stages[0].sql == mine.stages[0].sql


def test_a_stage_that_nothing_reads_is_named_without_its_price() -> None:
    one = "SELECT COUNT(*) FROM flights"
    assert digests(bench().plan(one)) == digests(bench().plan(one, price=DEARER))


def test_another_input_makes_another_stage() -> None:
    later = LATE.replace("AVG(dep_delay)", "AVG(arr_delay)")
    (_, mine), (_, other) = digests(bench().plan(LATE)), digests(bench().plan(later))
    assert mine != other


def test_what_is_measured_twice_is_one_stage() -> None:
    sql = f"SELECT ({LATE}) AS a, ({LATE}) AS b, (SELECT AVG(dep_delay) FROM flights) AS m"
    found = bench().plan(sql)
    assert len(found.stages) == 2


def test_the_loss_of_all_stages_stands_in_the_plan() -> None:
    found = bench().plan(CHAIN)
    assert PRICE.rho * 0.99 < sum(stage.rho for stage in found.stages) <= PRICE.rho
    assert any("Step 3 reads what step 2 released." in note for note in found.notes)
    assert found.stages[0].about == "1 noisy number in each of 12 groups, from flights"


def test_the_deadline_has_room_for_all_waves() -> None:
    """Each stage adds what it needs to the one slot of the plan (P22)."""
    found = bench("mobility")
    one = "SELECT COUNT(*) FROM pings"
    later = f"{one} WHERE fee > (SELECT AVG(fee) FROM pings)"
    assert found.plan(later).slot >= found.plan(one).slot > 0


def test_a_released_list_of_keys_is_read_as_it_is_shown() -> None:
    """From which count a key occurs follows from the noise, which is known by then."""
    sql = """SELECT COUNT(*) FROM flights WHERE carrier IN
        (SELECT DISTINCT carrier FROM flights WHERE month = 1 AND distance > 2000)"""
    found = bench().plan(sql)
    assert (
        found.stages[-1].inputs[0].sql != bench().plan(sql, price=DEARER).stages[-1].inputs[0].sql
    )
    assert "occurs" not in found.stages[-1].inputs[0].sql


def test_what_is_held_back_makes_another_stage() -> None:
    sql = """WITH m AS (SELECT month, COUNT(*) AS n FROM flights GROUP BY month)
        SELECT COUNT(*) FROM flights f JOIN m ON m.month = f.month"""
    kept = bench().plan(sql, Options(minimum_frequency=5)).stages[-1]
    positive = bench().plan(sql, Options(non_negative=True)).stages[-1]
    assert len({bench().plan(sql).stages[-1].digest, kept.digest, positive.digest}) == 3
