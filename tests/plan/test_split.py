"""Noise in closed form, against OpenDP's own maps and against exact tails computed here."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from budgets.amounts import ATTO, PICO
from queries.enclave.claims import least_threshold
from queries.enclave.mechanisms import measurement, selector
from queries.language.refusals import KeysNeedDelta, PriceTooSmall
from queries.plan.bounding import Sensitivity
from queries.plan.model import Mechanism, Noise
from queries.plan.price import Price
from queries.plan.split import WIDEST, noise, portion, selection, share, threshold
from tests.enclave.stages import NOISES

amounts = st.integers(10**5, 10**14)


@st.composite
def sensitivities(draw: st.DrawFn) -> Sensitivity:
    groups, most = draw(st.integers(1, 10_000)), draw(st.integers(1, 10**9))
    return Sensitivity(groups * most, groups * most**2)


def root(squared: int) -> float:
    """Never less than the root."""
    return math.nextafter(math.sqrt(squared), math.inf)


@given(sensitivity=sensitivities(), rho=amounts)
def test_gaussian_noise_loses_what_is_charged_and_hardly_less(
    sensitivity: Sensitivity, rho: int
) -> None:
    assume(sensitivity.l2_squared * PICO < 2**100 * rho)
    found = noise(sensitivity, Price(rho))
    loss = Fraction(measurement(found.mechanism, found.scale).map(root(sensitivity.l2_squared)))
    assert loss * PICO <= rho
    assert loss * PICO >= rho * (1 - Fraction(1, 10**9))


@given(sensitivity=sensitivities(), epsilon=amounts)
def test_laplace_noise_loses_what_is_charged_and_hardly_less(
    sensitivity: Sensitivity, epsilon: int
) -> None:
    assume(sensitivity.l1 * PICO < 2**50 * epsilon)
    found = noise(sensitivity, Price(1, epsilon=epsilon))
    loss = Fraction(measurement(found.mechanism, found.scale).map(sensitivity.l1))
    assert loss * PICO <= epsilon
    assert loss * PICO >= epsilon * (1 - Fraction(1, 10**9))
    assert 0 <= found.rho * 2 * PICO - epsilon**2 < 2 * PICO


@given(rho=amounts, columns=st.integers(1, 100))
def test_shares_never_add_up_to_more_than_the_price(rho: int, columns: int) -> None:
    part = share(Price(rho, epsilon=rho), columns)
    assert columns * part.rho <= rho < columns * (part.rho + 1)
    assert part.epsilon == part.rho


@given(
    rho=amounts,
    epsilon=st.none() | amounts,
    weights=st.lists(st.integers(1, 2**40), min_size=1, max_size=8),
)
def test_portions_never_add_up_to_more_than_the_part(
    rho: int, epsilon: int | None, weights: list[int]
) -> None:
    """Each is its share of the whole, rounded down: to nothing it is refused."""
    whole, total = Price(rho, 7, epsilon), sum(weights)
    got: list[Price] = []
    for weight in weights:
        if min(rho, rho if epsilon is None else epsilon) * weight < total:
            with pytest.raises(PriceTooSmall):
                portion(whole, weight, total)
            continue
        got.append(portion(whole, weight, total))
        assert 0 <= Fraction(rho * weight, total) - got[-1].rho < 1
        assert (got[-1].epsilon is None) == (epsilon is None)
        assert 0 <= Fraction((epsilon or 0) * weight, total) - (got[-1].epsilon or 0) < 1
        assert got[-1].delta == 7
    assert sum(one.rho for one in got) <= rho
    assert sum(one.epsilon or 0 for one in got) <= (epsilon or 0)


@given(sensitivity=sensitivities(), price=amounts, pure=st.booleans())
def test_a_selection_loses_what_is_charged_and_hardly_less(
    sensitivity: Sensitivity, price: int, pure: bool
) -> None:
    """By OpenDP's map of scores that move by one either way, times the norm in which losses add."""
    assume(sensitivity.l1**2 * PICO < 2**50 * price)
    found = selection(sensitivity, Price(price, epsilon=price if pure else None))
    once = Fraction(selector(found.mechanism, found.scale, one_way=False).map(1))
    loss = once * (sensitivity.l1 if pure else sensitivity.l2_squared) * PICO
    assert price * (1 - Fraction(1, 10**9)) <= loss <= price
    if pure:
        assert found.mechanism is Mechanism.PERMUTE_AND_FLIP
        assert found.epsilon == price
        assert 0 <= found.rho * 2 * PICO - price**2 < 2 * PICO
    else:
        assert (found.mechanism, found.epsilon, found.rho) == (Mechanism.EXPONENTIAL, None, price)


@pytest.mark.parametrize("make", [noise, selection])
@pytest.mark.parametrize("epsilon", [None, 1])
def test_noise_wider_than_64_bits_hold_is_refused(
    make: Callable[[Sensitivity, Price], Noise], epsilon: int | None
) -> None:
    narrow, wide = Sensitivity(1, 1), Sensitivity(2**60, 2**120)
    assert make(narrow, Price(1, epsilon=epsilon)).scale <= WIDEST
    with pytest.raises(PriceTooSmall):
        make(wide, Price(1, epsilon=epsilon))


def test_a_price_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(PriceTooSmall):
        share(Price(3), 4)
    with pytest.raises(PriceTooSmall):
        share(Price(3, epsilon=3), 4)
    with pytest.raises(PriceTooSmall):
        noise(Sensitivity(2**60, 2**120), Price(1))


def gaussian_tail(scale: float, least: int) -> float:
    """P(X >= least) of a discrete Gaussian, summed term by term."""
    reach = math.ceil(40 * scale) + abs(least) + 1
    weights = {x: math.exp(-(x**2) / (2 * scale**2)) for x in range(-reach, reach + 1)}
    return math.fsum(w for x, w in weights.items() if x >= least) / math.fsum(weights.values())


def laplace_tail(scale: float, least: int) -> float:
    """P(X >= least), least >= 1, of a discrete Laplace."""
    return math.exp(-least / scale) / (1 + math.exp(-1 / scale))


TAILS = {Mechanism.GAUSSIAN: gaussian_tail, Mechanism.LAPLACE: laplace_tail}


@pytest.mark.parametrize("mechanism", NOISES)
@pytest.mark.parametrize("scale", [0.3, 1.0, 2.5, 7.7, 31.0])
@pytest.mark.parametrize("groups", [1, 3, 50])
@pytest.mark.parametrize("delta", [10**6, 10**9, 10**12])
def test_a_key_of_one_unit_leaves_with_at_most_its_delta(
    mechanism: Mechanism, scale: float, groups: int, delta: int
) -> None:
    """Each of a unit's own keys counts one: all of them together leave with at most delta (P11)."""
    drawn = Noise(mechanism, groups, groups, scale, 1)
    found = threshold("m0", drawn, groups, delta, 1, None)
    one = TAILS[mechanism](scale, found.at_least - 1)
    assert groups * one <= delta / ATTO
    sooner = TAILS[mechanism](scale, found.at_least - 4)
    assert groups * sooner > delta / ATTO, "the threshold could be lower"


@given(
    mechanism=st.sampled_from(NOISES),
    scale=st.floats(0.05, 10**6),
    groups=st.integers(1, 10_000),
    delta=st.integers(1, ATTO // 2),
    floor=st.integers(1, 1000),
)
def test_no_threshold_is_below_what_the_enclave_asks_for(
    mechanism: Mechanism, scale: float, groups: int, delta: int, floor: int
) -> None:
    """The plan's formula and the enclave's are written apart; the plan's is never the lower."""
    drawn = Noise(mechanism, groups, groups, scale, 1)
    least = least_threshold(mechanism, scale, groups, delta / ATTO)
    assert threshold("m0", drawn, groups, delta, floor, None).at_least >= least + floor - 1


@pytest.mark.parametrize("groups", [1, 7])
@pytest.mark.parametrize("whole", [9, 50, 333, 4_000])
def test_a_threshold_hardly_above_a_whole_number_is_rounded_up(groups: int, whole: int) -> None:
    """The formula of P11 in 50 digits, at the least scale for which it passes a whole number."""
    delta = 10**9

    def exact(scale: float) -> Decimal:
        with localcontext(prec=50):
            spread = 1 + (-1 / Decimal(scale)).exp()
            return 1 + Decimal(scale) * (Decimal(ATTO) * groups / (delta * spread)).ln()

    low, high = 0.01, 1e6
    while math.nextafter(low, high) < high:
        middle = (low + high) / 2
        low, high = (middle, high) if exact(middle) <= whole else (low, middle)
    assert whole < exact(high) < whole + Decimal("1e-9")
    drawn = Noise(Mechanism.LAPLACE, groups, groups, high, 1)
    assert threshold("m0", drawn, groups, delta, 1, None).at_least == whole + 1


@given(floor=st.integers(1, 1000), frequency=st.none() | st.integers(1, 10_000))
def test_what_was_dropped_before_raises_the_threshold(floor: int, frequency: int | None) -> None:
    drawn = Noise(Mechanism.GAUSSIAN, 2, 2, 5.0, 1)
    plain = threshold("m0", drawn, 2, 10**9, 1, None).at_least
    found = threshold("m0", drawn, 2, 10**9, floor, frequency).at_least
    assert found == max(plain + floor - 1, frequency or 0)


def test_no_delta_means_no_threshold() -> None:
    with pytest.raises(KeysNeedDelta):
        threshold("m0", Noise(Mechanism.LAPLACE, 1, 1, 1.0, 1), 1, 0, 1, None)
