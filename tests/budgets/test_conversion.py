"""Conversion between rho and (epsilon, delta): known values, and what rounding must not do."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from budgets.amounts import PICO, charged
from budgets.conversion import epsilon_of, rho_of

TINY = Fraction(1, 10**9)
rhos = st.integers(1, 10**15)
deltas = st.integers(2, 18).map(lambda digits: Fraction(1, 10**digits))


@pytest.mark.parametrize(
    ("rho", "epsilon"),
    [("0.005", 0.5648932843), ("0.05", 1.8816602911), ("0.5", 6.4740700207), ("5", 24.405987557)],
)
def test_known_values(rho: str, epsilon: float) -> None:
    assert epsilon_of(charged(Fraction(rho)), TINY) == pytest.approx(epsilon, abs=1e-9)


def exactly(rho: int, delta: Fraction) -> float:
    """The bound minimised by another method, over the logarithm of the order less one."""

    def bound(log_x: float) -> float:
        x = math.exp(log_x)
        rest = math.log(x) - math.log1p(x) - (math.log(delta) + math.log1p(x)) / x
        return (1 + x) * rho / PICO + rest

    best = minimize_scalar(bound, bounds=(-12, 60), method="bounded", options={"xatol": 1e-12})
    return max(0.0, float(best.fun))


@given(rhos, deltas)
def test_it_is_the_least_bound_over_all_orders(rho: int, delta: Fraction) -> None:
    other = exactly(rho, delta)
    assert epsilon_of(rho, delta) <= other + 1e-9 * max(1.0, other)


@given(rhos, deltas)
def test_it_is_above_what_any_gaussian_of_that_rho_really_loses(rho: int, delta: Fraction) -> None:
    """A Gaussian of that rho exceeds epsilon with at least the delta of its exact trade-off."""
    epsilon = epsilon_of(rho, delta)
    shift = math.sqrt(2 * rho / PICO)
    upper = math.erfc((epsilon / shift - shift / 2) / math.sqrt(2)) / 2
    lower = math.erfc((epsilon / shift + shift / 2) / math.sqrt(2)) / 2
    exact = upper - (math.exp(epsilon) * lower if lower else 0.0)
    assert exact <= float(delta) * (1 + 1e-6)


def in_60_digits(rho: int, delta: Fraction) -> Decimal:
    """The least bound over all orders, found where its derivative changes sign."""
    with localcontext(prec=60):
        loss = Decimal(rho) / PICO
        distance = -(Decimal(delta.numerator) / delta.denominator).ln()
        low, high = Decimal(0), distance.exp()
        while high - low > high / 10**25:
            middle = (low + high) / 2 if high < 4 * low or not low else (low * high).sqrt()
            if loss * middle**2 + (1 + middle).ln() < distance:
                low = middle
            else:
                high = middle
            if not low and high < Decimal("1e-40"):
                break
        grown = (1 + high).ln()
        return (1 + high) * loss + high.ln() - grown + (distance - grown) / high


@given(
    st.integers(1, 10**15) | st.integers(0, 18).map(lambda digits: 10**digits),
    st.integers(2, 10**6).map(lambda whole: Fraction(1, whole))
    | st.integers(7, 100).map(lambda digits: Fraction(1, 10**digits)),
)
def test_no_last_place_is_lost_to_floats(rho: int, delta: Fraction) -> None:
    """What is stated is never below the exact bound, not even by rounding, and hardly above it."""
    exact, stated = in_60_digits(rho, delta), Decimal(epsilon_of(rho, delta))
    assert stated >= max(exact, 0)
    assert stated <= max(exact, 0) + Decimal("1e-11") * (1 + abs(exact)) + Decimal("1e-9")


@given(st.integers(1, 10**9), deltas)
@settings(max_examples=50)
def test_a_budget_is_the_largest_rho_that_fits(thousandths: int, delta: Fraction) -> None:
    epsilon = Fraction(thousandths, 10**6)
    rho = rho_of(epsilon, delta)
    assert Fraction(epsilon_of(rho, delta)) <= epsilon
    assert epsilon_of(rho + 1 + rho // 10**9, delta) > epsilon


def test_more_rho_or_less_delta_is_more_epsilon() -> None:
    assert epsilon_of(2 * 10**9, TINY) > epsilon_of(10**9, TINY) > epsilon_of(10**9, TINY * 10)


def test_nothing_costs_nothing() -> None:
    assert epsilon_of(0, TINY) == 0.0
    assert rho_of(Fraction(0), TINY) == 0


@pytest.mark.parametrize("delta", [Fraction(0), Fraction(1), Fraction(-1), Fraction(1, 10**101)])
def test_a_delta_is_a_small_probability(delta: Fraction) -> None:
    with pytest.raises(ValueError, match="delta"):
        epsilon_of(1, delta)


def test_negative_amounts_are_refused() -> None:
    with pytest.raises(ValueError, match="rho"):
        epsilon_of(-1, TINY)
    with pytest.raises(ValueError, match="epsilon"):
        rho_of(Fraction(-1), TINY)
