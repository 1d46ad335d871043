"""Plans go in; noisy integers or one constant fault come out."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from queries import codec
from queries.enclave.client import Enclave
from queries.enclave.words import RUN, Job
from queries.enclave.worker import prepare
from queries.faults import Fault, WorkersUnavailable
from queries.plan.model import Key, Plan, Threshold
from queries.workers.pool import WorkerFault
from queries.workers.settings import Settings
from tests.enclave.conftest import MakeEnclave
from tests.enclave.stages import (
    DELIVERY,
    MEMORY,
    column,
    deliver,
    gaussian,
    laplace,
    plan,
    stage,
)
from tests.workers.processes import eventually, is_gone

AREA = Key("k0", "VARCHAR")
COUNT = column("m0", gaussian(0.05))
NEARLY_EXACT = "SELECT area AS k0, count(*) AS m0 FROM visits GROUP BY area"
ENDLESS = "SELECT count(*) AS m0 FROM visits, range(100000000000), range(1000)"
LISTED = (("east",), ("south",), ("north",))


def by_area() -> Plan:
    """With noise so small that it is almost surely zero (and a loss of rho 200 to match)."""
    return plan(stage(NEARLY_EXACT, [COUNT], [AREA], LISTED))


def test_noisy_tables_come_back_in_the_plans_order(make_enclave: MakeEnclave) -> None:
    enclave = make_enclave()
    total = stage("SELECT count(*) AS m0 FROM visits", [COUNT], name="s1")
    first, second = enclave.run(plan(by_area().stages[0], total), 30)
    assert (first.name, first.keys, first.values) == ("s0", LISTED, ((0,), (500,), (500,)))
    assert (second.name, second.keys, second.values) == ("s1", ((),), ((1000,),))


def test_a_plan_without_stages_needs_no_worker(make_enclave: MakeEnclave) -> None:
    assert make_enclave().run(dataclasses.replace(by_area(), stages=()), 30) == ()


def test_thresholded_keys_leave_in_their_own_order(make_enclave: MakeEnclave) -> None:
    sql = """SELECT k AS k0, n AS m0, n * 2 AS m1 FROM (VALUES (NULL, 90), ('b', 80), ('d', 3),
             ('a', 70), ('c', 60)) AS t(k, n)"""
    counts = laplace(0.05, 1, 1)
    columns = [column("m0", counts), column("m1", counts)]
    seen = stage(sql, columns, [AREA], threshold=Threshold("m0", 50, 10**9))
    (table,) = make_enclave().run(plan(seen), 30)
    assert table.keys == (("a",), ("b",), ("c",), (None,))
    assert table.values == ((70, 140), (80, 160), (60, 120), (90, 180))


def test_no_key_reaches_the_threshold(make_enclave: MakeEnclave) -> None:
    seen = stage(NEARLY_EXACT, [COUNT], [AREA], threshold=Threshold("m0", 10**6, 10**9))
    (table,) = make_enclave().run(plan(seen), 30)
    assert (table.keys, table.values) == ((), ())


def test_each_run_is_a_fresh_draw_with_a_fresh_seed(make_enclave: MakeEnclave) -> None:
    enclave = make_enclave()
    noisy = plan(stage("SELECT count(*) AS m0 FROM visits", [column("m0", gaussian(1e6))]))
    assert len({enclave.run(noisy, 30)[0].values for _ in range(20)}) == 20
    seeded = plan(stage("SELECT $seed AS m0", [COUNT]))
    assert len({enclave.run(seeded, 30)[0].values for _ in range(20)}) == 20


FAULTS = {
    "an error that names a value": "SELECT count(area::VARCHAR::INTEGER) AS m0 FROM visits",
    "an error of the engine's own": "SELECT error('VICTIM') AS m0 FROM visits",
    "no such table": "SELECT count(*) AS m0 FROM nothing",
    "not SQL": "SELEC",
    "not a SELECT": "COPY visits TO 'stolen.csv'",
    "too many rows": "SELECT cost AS m0 FROM visits",
    "a null": "SELECT NULL AS m0",
    "past 64 bits": "SELECT 9223372036854775808 AS m0",
}


@pytest.mark.parametrize("sql", FAULTS.values(), ids=FAULTS)
def test_every_failure_is_the_same_fault(make_enclave: MakeEnclave, sql: str) -> None:
    enclave = make_enclave()
    enclave.run(by_area(), 30)
    before = enclave.pids()
    with pytest.raises(Fault) as fault:
        enclave.run(plan(stage(sql, [COUNT])), 30)
    assert str(fault.value) == str(Fault())
    assert fault.value.__cause__ is None
    assert fault.value.__suppress_context__
    job = codec.dumps(Job(RUN, DELIVERY, (stage(sql, [COUNT]),)))
    with pytest.raises(WorkerFault) as told:
        enclave._pool.run(job, 30)
    assert told.value.args == ()
    assert enclave.run(by_area(), 30)[0].keys == LISTED
    assert not set(before) & set(enclave.pids())


@pytest.mark.parametrize("name", ["d2", "", ".", "..", "../deliveries/d1", "d1/", "d1\x00"])
def test_another_delivery_is_a_fault(make_enclave: MakeEnclave, name: str) -> None:
    with pytest.raises(Fault):
        make_enclave().run(dataclasses.replace(by_area(), delivery=name), 30)


def test_a_claim_that_does_not_hold_is_not_run(make_enclave: MakeEnclave) -> None:
    """Whoever forgot to check finds the noise undrawn."""
    short = dataclasses.replace(COUNT, noise=dataclasses.replace(COUNT.noise, rho=1))
    with pytest.raises(Fault):
        make_enclave().run(plan(stage("SELECT 1 AS m0", [short])), 30)


def test_a_worker_killed_in_the_middle_is_a_fault(make_enclave: MakeEnclave) -> None:
    enclave = make_enclave()
    enclave.run(by_area(), 30)
    (victim,) = enclave.pids()
    threading.Timer(0.3, os.kill, (victim, signal.SIGKILL)).start()
    with pytest.raises(Fault):
        enclave.run(plan(stage(ENDLESS, [COUNT])), 30)
    assert enclave.run(by_area(), 30)[0].keys == LISTED


def test_a_deadline_is_a_fault_and_ends_the_query(make_enclave: MakeEnclave) -> None:
    enclave = make_enclave()
    enclave.run(by_area(), 30)
    (victim,) = enclave.pids()
    taken: list[float] = []
    with pytest.raises(Fault):
        enclave.run(
            plan(stage(ENDLESS, [COUNT])), 0.5, taken=lambda: taken.append(time.monotonic())
        )
    assert 0.5 <= time.monotonic() - taken[0] < 5
    assert eventually(lambda: is_gone(victim))
    assert enclave.run(by_area(), 30)[0].keys == LISTED


def test_a_blow_up_of_one_row_ends_the_worker_alone(make_enclave: MakeEnclave) -> None:
    enclave = make_enclave()
    with pytest.raises(Fault):
        enclave.run(plan(stage("SELECT len(range(1000000000)) AS m0", [COUNT])), 60)
    assert enclave.run(by_area(), 30)[0].keys == LISTED


def test_two_callers_run_at_once(make_enclave: MakeEnclave) -> None:
    enclave = make_enclave(workers=2)
    assert eventually(lambda: len(enclave.pids()) == 2)
    faults: list[Fault] = []

    def wait_in_vain() -> None:
        try:
            enclave.run(plan(stage(ENDLESS, [COUNT])), 4)
        except Fault as fault:
            faults.append(fault)

    slow = threading.Thread(target=wait_in_vain)
    slow.start()
    assert eventually(lambda: bool(enclave._pool._busy))
    assert enclave.run(by_area(), 30)[0].keys == LISTED
    assert slow.is_alive()
    slow.join()
    assert len(faults) == 1


def test_a_closed_enclave_says_so_before_anybody_pays(make_enclave: MakeEnclave) -> None:
    enclave = make_enclave()
    enclave.close()
    with pytest.raises(WorkersUnavailable):
        enclave.check(by_area())
    with pytest.raises(Fault):
        enclave.run(by_area(), 30)


def test_no_exact_value_stands_in_a_reply(tmp_path: Path) -> None:
    """The very bytes that leave the process, for values wide enough to be recognised."""
    secrets = [987_654_321_012_345, -123_456_789_876_543, 555_666_777_888_999]
    rows = ", ".join(f"('{key}', {value})" for key, value in zip("abc", secrets, strict=True))
    deliveries = deliver(tmp_path, f"CREATE TABLE t AS SELECT * FROM (VALUES {rows}) AS v(k, n)")
    (tmp_path / "spill").mkdir()
    world = Settings(str(deliveries), MEMORY, 1, 1 << 30, spill=str(tmp_path / "spill"))
    wide = column("m0", gaussian(1e5))
    listed = stage("SELECT k AS k0, n AS m0 FROM t", [wide], [AREA], [("a",), ("b",), ("c",)])
    seen = dataclasses.replace(listed, listed=None, threshold=Threshold("m0", 10**7, 10**9))
    reply = prepare(world)
    for some in (listed, seen):
        body = reply(codec.dumps(Job(RUN, DELIVERY, (some,))))
        assert not [secret for secret in secrets if str(secret).encode() in body]
        assert b'"a"' in body


def test_two_deliveries_take_turns(tmp_path: Path) -> None:
    deliver(tmp_path, "CREATE TABLE t AS SELECT 1 AS x", name="one")
    deliveries = deliver(tmp_path, "CREATE TABLE t AS SELECT 2 AS x", name="two")
    enclave = Enclave(deliveries, workers=1, memory=MEMORY, threads=1)
    try:
        shown = plan(stage("SELECT sum(x)::BIGINT AS m0 FROM t", [COUNT]))
        found = [
            enclave.run(dataclasses.replace(shown, delivery=name), 30)[0].values
            for name in ("one", "two", "one", "two")
        ]
    finally:
        enclave.close()
    assert found == [((1,),), ((2,),), ((1,),), ((2,),)]


def test_nothing_turns_the_noise_off(
    make_enclave: MakeEnclave, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither an environment, nor a field of a job beside those of the plan."""
    for name in ("SLUIS_NOISE", "SLUIS_DEBUG", "SLUIS_EXACT", "OPENDP_TEST", "PYTHONOPTIMIZE"):
        monkeypatch.setenv(name, "1")
    enclave = make_enclave()
    noisy = stage("SELECT count(*) AS m0 FROM visits", [column("m0", gaussian(1e6))])
    assert {enclave.run(plan(noisy), 30)[0].values for _ in range(3)} != {((1000,),)}
    assert {field.name for field in dataclasses.fields(Job)} == {
        "together",
        "verb",
        "delivery",
        "stages",
        "given",
    }
