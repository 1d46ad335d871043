"""The least loss that keeps an error: nothing less does, and no other split is cheaper."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import optimize

from budgets.amounts import PICO
from queries.language.refusals import PriceTooSmall
from queries.plan import split
from queries.plan.bins import Bins
from queries.plan.bounding import Sensitivity
from queries.plan.model import Distribution, Mechanism, Noise, Target
from queries.plan.quantiles import repriced
from queries.plan.ranks import reach
from queries.release.law import half_width, standard_width, variance
from queries.release.least import Limit, OutOfReach, alone, drawn, ranked, together
from tests.release.test_law import inside

confidences = st.sampled_from([0.5, 0.8, 0.95, 0.999])


@st.composite
def sensitivities(draw: st.DrawFn) -> Sensitivity:
    groups, most = draw(st.integers(1, 50)), draw(st.integers(1, 10**6))
    return Sensitivity(groups * most, groups * most**2)


@given(sensitivities(), st.integers(1, 10**7), confidences, st.booleans())
def test_no_smaller_amount_stays_within(
    one: Sensitivity, steps: int, confidence: float, pure: bool
) -> None:
    assume(steps * 200 >= one.l1)
    amount = alone(one, steps, confidence, pure=pure)
    assert half_width(drawn(one, amount, pure=pure), confidence) <= steps
    if amount > 1:
        assert half_width(drawn(one, amount - 1, pure=pure), confidence) > steps


@given(st.integers(1, 300), confidences, st.booleans())
def test_the_tail_is_exact(steps: int, confidence: float, pure: bool) -> None:
    """Against a sum of the law by itself: one part in a hundred less would miss it."""
    one = Sensitivity(3, 3)
    mechanism = Mechanism.LAPLACE if pure else Mechanism.GAUSSIAN
    amount = alone(one, steps, confidence, pure=pure)
    assert inside(mechanism, drawn(one, amount, pure=pure).scale, steps) >= confidence - 1e-9
    scale = drawn(one, math.floor(amount * 0.99), pure=pure).scale
    assert inside(mechanism, scale, steps) < confidence


@pytest.mark.parametrize("pure", [False, True])
def test_what_is_closer_than_a_step_cannot_be_had(pure: bool) -> None:
    with pytest.raises(OutOfReach):
        alone(Sensitivity(1, 1), -1, 0.95, pure=pure)
    with pytest.raises(OutOfReach):
        alone(Sensitivity(10**9, 10**18), 0, 0.95, pure=pure)
    with pytest.raises(OutOfReach):
        together([Sensitivity(1, 1)], [0], [Limit(0.0, {0: 1.0})], 0.95, pure=pure)
    with pytest.raises(OutOfReach):
        together([Sensitivity(1, 1)], [0], [Limit(1e-9, {0: 1e3})], 0.95, pure=pure)


@st.composite
def distributions(draw: st.DrawFn, pure: bool) -> Distribution:
    """A median or an extreme: selected, with a tree beside it or none, or read off a tree."""
    extreme, kind = draw(st.booleans()), draw(st.sampled_from(["both", "selected", "tree"]))
    one = draw(sensitivities())
    noise = Noise(Mechanism.GAUSSIAN, one.l1, one.l2_squared, 1.0, 1)
    share = (0, 1, 1) if extreme else (1, 2, 0)
    target = Target("q0", *share, descending=draw(st.booleans()), sql_type="BIGINT")
    shape = (0, 0) if kind == "selected" else (4, 5)
    around = noise if kind == "both" else None
    made = Distribution("d0", "", Bins(1024), (target,), noise, *shape, 0, around)
    return repriced(made, split.amounting(PICO, pure=pure))


@given(st.data(), st.integers(1, 10**9), confidences, st.booleans())
def test_no_smaller_amount_keeps_a_rank_within(
    data: st.DataObject, rows: int, confidence: float, pure: bool
) -> None:
    found = data.draw(distributions(pure))
    (target,) = found.targets
    try:
        amount = ranked(found, target, rows, confidence, pure=pure)
    except OutOfReach:
        return
    for less, kept in ((0, True), (1, False)):
        if amount > less:
            assert _kept_within(found, amount - less, rows, confidence, pure=pure) == kept


def _kept_within(
    found: Distribution, amount: int, rows: int, confidence: float, *, pure: bool
) -> bool:
    """Whether so much is enough to be within so many rows; too little is for no noise at all."""
    try:
        made = repriced(found, split.amounting(amount, pure=pure))
    except PriceTooSmall:
        return False
    return reach(made, made.targets[0], confidence) <= rows


def spread(amounts: Sequence[int], every: Sequence[Sensitivity], limit: Limit, pure: bool) -> float:
    """The margin that an output has with these amounts, over the one that is asked."""
    found = math.fsum(
        slope**2 * variance(drawn(every[place], amounts[place], pure=pure))
        for place, slope in limit.slopes.items()
    )
    mechanism = Mechanism.LAPLACE if pure else Mechanism.GAUSSIAN
    return standard_width(mechanism, 0.95) * math.sqrt(found) / limit.margin


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Sensitivity], list[int], list[Limit]]:
    every = draw(st.lists(sensitivities(), min_size=2, max_size=4))
    places = range(len(every))
    floors = draw(st.lists(st.integers(0, 10**12), min_size=len(every), max_size=len(every)))
    limits = []
    for _ in range(draw(st.integers(1, 3))):
        some = draw(st.sets(st.sampled_from(places), min_size=1))
        slopes = {n: draw(st.floats(0.01, 10)) / every[n].l1 for n in some}
        limits.append(Limit(draw(st.floats(0.5, 50)), slopes))
    return every, floors, limits


@given(cases(), st.booleans())
def test_amounts_keep_every_limit_and_none_is_wasted(
    case: tuple[list[Sensitivity], list[int], list[Limit]], pure: bool
) -> None:
    """Each column is at its floor, or stands in a limit that is used up."""
    every, floors, limits = case
    amounts = together(every, floors, limits, 0.95, pure=pure)
    used = [spread(amounts, every, limit, pure) for limit in limits]
    assert all(one <= 1 for one in used)
    for place, amount in enumerate(amounts):
        tight = [u for u, limit in zip(used, limits, strict=True) if place in limit.slopes]
        assert amount >= floors[place]
        assert amount == floors[place] or max(tight) > 1 - 1e-4


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_no_other_split_is_cheaper(pure: bool, seed: int) -> None:
    """Against a general solver, from a start of its own."""
    random = np.random.default_rng(seed)
    every = [Sensitivity(int(n), int(n) ** 2) for n in random.integers(1, 1000, 3)]
    limits = [
        Limit(float(random.uniform(1, 9)), {n: random.uniform(0.1, 3) / every[n].l1 for n in some})
        for some in ([0, 1], [1, 2], [0, 1, 2])
    ]
    floors = [0, int(random.integers(0, 10**11)), 0]
    amounts = together(every, floors, limits, 0.95, pure=pure)

    def room(logs: np.ndarray) -> list[float]:
        given_ = [max(1, round(float(one))) for one in np.exp(logs) * PICO]
        return [1 - spread(given_, every, limit, pure) for limit in limits]

    low = [math.log(max(floor, 1) / PICO) for floor in floors]
    found = optimize.minimize(
        lambda logs: float(np.exp(logs).sum()),
        np.log(np.array(amounts) / PICO) + 0.7,
        constraints={"type": "ineq", "fun": room},
        bounds=[(one, None) for one in low],
        method="SLSQP",
        options={"maxiter": 500},
    )
    assert found.success
    assert sum(amounts) / PICO <= found.fun * (1 + 1e-3)


def test_one_limit_is_split_as_lagrange_has_it() -> None:
    """Rho in proportion to slope times sensitivity, epsilon to the 2/3rd power of it."""
    every, limit = [Sensitivity(1, 1), Sensitivity(8, 64)], Limit(1.0, {0: 1.0, 1: 1.0})
    one, two = together(every, [0, 0], [limit], 0.95, pure=False)
    assert two / one == pytest.approx(8, rel=1e-6)
    one, two = together(every, [0, 0], [limit], 0.95, pure=True)
    assert two / one == pytest.approx(4, rel=1e-6)
