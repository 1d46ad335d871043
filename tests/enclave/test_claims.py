"""OpenDP's own maps decide whether a plan's claims hold; an understated one is found."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from budgets.amounts import ATTO, PICO
from queries.enclave import claims
from queries.enclave.claims import distance, least_threshold, verify
from queries.faults import ClaimMismatch
from queries.plan.model import Key, Mechanism, Noise, Stage, Threshold
from tests.enclave.conftest import MakeEnclave
from tests.enclave.stages import NOISES, column, gaussian, laplace, plan, stage

KEY = Key("k0", "VARCHAR")
scales = st.floats(0.01, 1e6)
sensitivities = st.integers(0, 10**6)


def of(noise: Noise) -> list[Stage]:
    return [stage("SELECT 1 AS m0", [column("m0", noise)])]


@given(scales, sensitivities, sensitivities)
def test_the_closed_form_passes(scale: float, l1: int, l2: int) -> None:
    verify(of(gaussian(scale, l1, min(l2, l1**2))))
    verify(of(laplace(scale, l1, min(l2, l1**2))))


@given(scales, st.integers(1, 10**6))
def test_a_loss_understated_by_a_millionth_is_found(scale: float, l1: int) -> None:
    for noise in (gaussian(scale, l1, l1), laplace(scale, l1, l1)):
        for field in ("rho", "epsilon"):
            charged = getattr(noise, field)
            if charged is None or charged < 10**7:
                continue
            short = dataclasses.replace(noise, **{field: charged - charged // 10**6})
            with pytest.raises(ClaimMismatch):
                verify(of(short))


def test_the_enclave_counts_in_the_units_of_the_ledger() -> None:
    """Written apart, since the enclave trusts no number of the plan's: 1e-12 and 1e-18."""
    assert (claims.UNITS, claims.DELTA_UNITS) == (PICO, ATTO) == (10**12, 10**18)


GOOD = gaussian(10.0, 3, 9)


@pytest.mark.parametrize(
    "wrong",
    [
        {"scale": 0.0},
        {"scale": -1.0},
        {"scale": 1e300},
        {"scale": 1e-300},
        {"l1": -1},
        {"l2_squared": -1},
        {"l1": 2},
        {"rho": -1},
        {"rho": 0},
        {"epsilon": 10**15},
    ],
)
def test_noise_that_makes_no_sense_is_found(wrong: dict[str, object]) -> None:
    verify(of(GOOD))
    with pytest.raises(ClaimMismatch):
        verify(of(dataclasses.replace(GOOD, **wrong)))  # type: ignore[arg-type]


@given(st.integers(0, 10**30))
def test_a_distance_is_never_rounded_down(squared: int) -> None:
    root = distance(squared)
    assert Fraction(root) ** 2 >= squared
    assert math.isclose(root**2, squared)


def counted(noise: Noise, at_least: int, delta: int, **wrong: object) -> list[Stage]:
    count = dataclasses.replace(column("m0", noise), **wrong)  # type: ignore[arg-type]
    return [stage("", [count], [KEY], threshold=Threshold("m0", at_least, delta))]


@given(st.floats(0.5, 500), st.integers(1, 50), st.floats(1e-15, 0.1), st.sampled_from(NOISES))
def test_thresholds_are_those_of_the_rule(
    scale: float, groups: int, delta: float, mechanism: Mechanism
) -> None:
    make = laplace if mechanism is Mechanism.LAPLACE else gaussian
    noise = make(scale, groups, groups)
    charged = math.ceil(delta * 10**18)
    least = least_threshold(mechanism, scale, groups, charged / 10**18)
    verify(counted(noise, least, charged))
    with pytest.raises(ClaimMismatch):
        verify(counted(noise, least - 1, charged))


@pytest.mark.parametrize("scale", [0.7, 2.0, 10.0, 40.0])
@pytest.mark.parametrize("delta", [0.2, 1e-3, 1e-9])
def test_a_lone_unit_stays_below_delta(scale: float, delta: float) -> None:
    """The exact tails of both laws, summed term by term, at a true count of one."""
    t = least_threshold(Mechanism.LAPLACE, scale, 1, delta)
    assert stats.dlaplace(1 / scale).sf(t - 2) <= delta
    t = least_threshold(Mechanism.GAUSSIAN, scale, 1, delta)
    reach = range(-math.ceil(20 * scale) - 20, math.ceil(20 * scale) + 20)
    weights = {k: math.exp(-(k**2) / (2 * scale**2)) for k in reach}
    tail = math.fsum(w for k, w in weights.items() if 1 + k >= t) / math.fsum(weights.values())
    assert tail <= delta


@pytest.mark.parametrize(
    "stages",
    [
        counted(laplace(2.0, 3, 9), 10**6, 10**9),
        counted(laplace(2.0), 10**6, 0),
        counted(laplace(2.0), 10**6, 10**18),
        counted(laplace(2.0), 10**6, 10**9, shift=1),
        counted(laplace(2.0), 10**6, 10**9, name="m1"),
        [stage("", [column("m0", GOOD)], [KEY])],
        [stage("", [column("m0", GOOD)], [], listed=[()])],
        [stage("", [column("m0", GOOD)], [KEY], listed=[("a", "b")])],
        [stage("", [column("m0", GOOD), column("m0", GOOD)])],
        [stage("", [column("m0", GOOD)], most_rows=0)],
        [dataclasses.replace(counted(laplace(2.0), 10**6, 10**9)[0], listed=(("a",),))],
        [dataclasses.replace(counted(laplace(2.0), 10**6, 10**9)[0], listing="SELECT 1 AS k0")],
        [stage("", [column("m0", GOOD)], [KEY], listed=[("a",)], listing="SELECT 1 AS k0")],
        [stage("", [column("m0", GOOD)], listing="SELECT 1")],
    ],
)
def test_a_stage_of_the_wrong_shape_is_found(stages: list[Stage]) -> None:
    with pytest.raises(ClaimMismatch):
        verify(stages)


def test_the_enclave_checks_before_anybody_pays(make_enclave: MakeEnclave) -> None:
    enclave = make_enclave()
    good = plan(stage("not even SQL", [column("m0", GOOD)]))
    enclave.check(good)
    short = dataclasses.replace(GOOD, rho=GOOD.rho // 2)
    bad = plan(good.stages[0], stage("", [column("m0", short)], name="s1"))
    for _ in range(2):
        with pytest.raises(ClaimMismatch):
            enclave.check(bad)
    enclave.check(good)
