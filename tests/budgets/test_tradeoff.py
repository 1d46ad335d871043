"""What a person is told: never less than the best test finds out."""

from __future__ import annotations

import math
from fractions import Fraction
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgets.account import grant, shown
from budgets.loss import NONE, PrivacyLoss
from budgets.tradeoff import found_out

NORMAL = NormalDist()
PICO = 10**12


def of_ceiling(epsilon: str, delta: str) -> PrivacyLoss:
    given = grant(Fraction(epsilon), Fraction(delta))
    return shown(given.capacity, given.accountant)


@pytest.mark.parametrize(
    ("epsilon", "cases", "gaussian"), [("8", 50, 38), ("4", 22, 18), ("2", 12, 11), ("1", 8, 8)]
)
def test_what_ceilings_promise(epsilon: str, cases: int, gaussian: int) -> None:
    """Beside what Gaussian noise alone would give at the same rho."""
    loss = of_ceiling(epsilon, "1e-7")
    mu = math.sqrt(2 * loss.rho / PICO)
    assert math.ceil(100 * NORMAL.cdf(NORMAL.inv_cdf(0.05) + mu)) == gaussian
    assert found_out(loss) == cases


@given(st.floats(1e-6, 20))
def test_a_test_of_gaussian_noise_finds_out_no_more(rho: float) -> None:
    best = NORMAL.cdf(NORMAL.inv_cdf(0.05) + math.sqrt(2 * rho))
    assert found_out(PrivacyLoss(math.ceil(rho * PICO))) >= 100 * best - 1e-6


@pytest.mark.slow
@given(st.floats(1e-4, 6))
def test_a_randomised_response_finds_out_no_more(epsilon: float) -> None:
    """Of a pure epsilon it has the largest share there is; its rho is at most epsilon^2 / 2."""
    low = 1 / (1 + math.exp(epsilon))
    best = 0.05 / low * (1 - low) if low >= 0.05 else 1 - low * (1 - 0.05) / (1 - low)
    whole = math.ceil(epsilon * PICO)
    loss = PrivacyLoss(math.ceil(epsilon * epsilon / 2 * PICO), 0, whole)
    assert found_out(loss) >= 100 * best - 1e-6
    assert found_out(PrivacyLoss(loss.rho)) >= 100 * best - 1e-6
    assert found_out(PrivacyLoss(0, 0, whole)) == found_out(loss)


@pytest.mark.slow
@given(st.integers(0, 10**13), st.integers(0, 10**13), st.integers(1, 4))
def test_more_loss_and_more_units_are_found_out_more(a: int, b: int, units: int) -> None:
    less, more = sorted((a, b))
    assert 5 <= found_out(PrivacyLoss(less)) <= found_out(PrivacyLoss(more)) <= 100
    assert found_out(PrivacyLoss(less), units) == found_out(PrivacyLoss(less * units * units))


def test_nothing_lost_is_a_guess() -> None:
    assert found_out(NONE) == 5
    assert found_out(PrivacyLoss(0, 10**16)) == 6
    with pytest.raises(ValueError, match="share"):
        found_out(NONE, 0)
