"""The row of what a threshold held back, in a real worker: drawn beside the keys that left."""

from __future__ import annotations

import dataclasses

import pytest

from queries.enclave.claims import verify
from queries.faults import ClaimMismatch, Fault
from queries.plan.model import Key, Noise, Other, Stage, Threshold
from tests.enclave.conftest import MakeEnclave
from tests.enclave.stages import column, gaussian, laplace, plan, stage

GROUPS = "CASE WHEN cost < 500 THEN cost % 10 ELSE cost END"
"""Ten keys of fifty rows each, and five hundred of one."""
SEEN = f"SELECT {GROUPS} AS k0, COUNT(*) AS m0 FROM visits GROUP BY 1"
REST = (
    f"SELECT COUNT(*) AS m0 FROM (SELECT {GROUPS} AS k FROM visits) AS p ANTI JOIN "
    '(SELECT CAST("k0" AS BIGINT) AS e FROM "_kept") AS e ON (k IS NOT DISTINCT FROM e)'
)
PRECISE = gaussian(0.01)


def held(other: Noise = PRECISE, sql: str = REST, name: str = "m0", at_least: int = 40) -> Stage:
    decided = Threshold("m0", at_least, 10**9)
    seen = stage(SEEN, [column("m0", PRECISE)], [Key("k0", "BIGINT")], threshold=decided)
    return dataclasses.replace(seen, other=Other(sql, (column(name, other),)))


def test_the_row_is_what_did_not_leave(make_enclave: MakeEnclave) -> None:
    enclave = make_enclave()
    (table,) = enclave.run(plan(held()), 30)
    assert sorted(key for (key,) in table.keys) == list(range(10))  # type: ignore[type-var]
    assert table.other == (500,)
    nobody = dataclasses.replace(held(at_least=10**6), name="s1")
    (table,) = enclave.run(plan(nobody), 30)
    assert table.keys == ()
    assert table.other == (1000,)


def test_a_worker_remembers_no_keys(make_enclave: MakeEnclave) -> None:
    """The table of the keys that left goes with its stage."""
    enclave = make_enclave()
    enclave.run(plan(held()), 30)
    with pytest.raises(Fault):
        enclave.run(plan(stage('SELECT COUNT(*) AS m0 FROM "_kept"', [column("m0", PRECISE)])), 30)


@pytest.mark.parametrize("make", [gaussian, laplace])
def test_its_claims_are_verified(make_enclave: MakeEnclave, make: object) -> None:
    noise: Noise = make(10.0, 3, 9)  # type: ignore[operator]
    verify([held(noise)])
    make_enclave().check(plan(held(noise)))


WRONG = [
    held(dataclasses.replace(gaussian(10.0, 3, 9), rho=10**10)),
    held(gaussian(10.0, 3, 3)),
    held(name="m1"),
    dataclasses.replace(held(), threshold=None, listed=((1,),)),
]


@pytest.mark.parametrize("wrong", WRONG, ids=["loss", "norms", "column", "no threshold"])
def test_a_claim_that_does_not_hold_is_found(make_enclave: MakeEnclave, wrong: Stage) -> None:
    with pytest.raises(ClaimMismatch):
        verify([wrong])
    enclave = make_enclave()
    with pytest.raises(ClaimMismatch):
        enclave.check(plan(wrong))
    with pytest.raises(Fault):
        enclave.run(plan(wrong), 30)
