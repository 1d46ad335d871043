"""Scores of candidates: how far rows move them, and how many rows they are exact for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from queries.enclave.selection import scores
from queries.language.refusals import RangeTooLarge
from queries.plan.bins import Bins, equal
from queries.plan.bounding import Sensitivity
from queries.plan.model import Distribution, Mechanism, Target
from queries.plan.price import Price
from queries.plan.quantiles import Sketch, priced, repriced

PRICE = Price(rho=10**12)
PURE = Price(rho=10**12, epsilon=10**12)
MILLION = 10**6


def sketch(*shares: tuple[int, int]) -> Sketch:
    """Selections of these quantiles among three bins, of units of one row."""
    targets = tuple(
        Target(f"q{place}", numerator, denominator, int(not numerator), False, "BIGINT")
        for place, (numerator, denominator) in enumerate(shares)
    )
    return Sketch("", Bins(3, equal(0, 2, 3), 0, 2), targets, Sensitivity(1, 1), 0, 0, 0, True)


@pytest.mark.parametrize("share", [(1, 2), (1, MILLION), (MILLION - 1, MILLION), (0, 1)])
def test_ranks_are_exact_for_as_many_rows_as_are_admitted(share: tuple[int, int]) -> None:
    """And no more rows are admitted than 61 bits hold the ranks of."""
    _, denominator = share
    most = 2**61 // max(2, denominator)
    made = priced("d0", sketch(share), PRICE, most)
    with pytest.raises(RangeTooLarge):
        priced("d0", sketch((1, 2), share), PRICE, 2 * most)
    with pytest.raises(RangeTooLarge):
        priced("d0", sketch(share), PRICE, most + 1)
    (target,) = made.targets
    for histogram in ([most, 0, 0], [0, 0, most], [1, most - 2, 1], [most // 2, 0, most // 2]):
        found = scores(target, np.array(histogram, dtype=np.int64)).tolist()
        assert found == _exactly(target, histogram)


def _exactly(target: Target, histogram: list[int]) -> list[int]:
    """The same in whole numbers without end."""
    total, below, found = sum(histogram), 0, []
    rows = target.rows if target.numerator else min(target.rows, max(1, (total + 1) // 2))
    rank = target.numerator * total + target.denominator * rows
    for count in histogram:
        above = below + target.denominator * count
        found.append(-max(0, below + 1 - rank, rank - above))
        below = above
    return found


def _spent(made: Distribution, price: Price) -> float:
    """Which part of a price the noises of a distribution cost together."""
    noises = [made.noise] if made.around is None else [made.noise, made.around]
    if price.epsilon is None:
        return sum(noise.rho for noise in noises) / price.rho
    return sum(noise.epsilon or 0 for noise in noises) / price.epsilon


@pytest.mark.parametrize("share", [1, 9])
@pytest.mark.parametrize("selected", [True, False])
@pytest.mark.parametrize(
    ("price", "choosing", "counting"),
    [
        (PRICE, Mechanism.EXPONENTIAL, Mechanism.GAUSSIAN),
        (PURE, Mechanism.PERMUTE_AND_FLIP, Mechanism.LAPLACE),
    ],
    ids=["rho", "pure"],
)
def test_what_is_chosen_and_the_tree_beside_it_cost_one_price(
    price: Price, choosing: Mechanism, counting: Mechanism, selected: bool, share: int
) -> None:
    """Priced at once, or at another price before."""
    found = replace(sketch((1, 4), (1, 2)), branching=2, levels=2, selected=selected)
    whole = None if price.epsilon is None else price.epsilon * share
    before = Price(rho=price.rho * share, epsilon=whole)
    made = priced("d0", found, before, 100)
    made = repriced(made, price) if share > 1 else made
    assert 0.999 < _spent(made, price) <= 1
    assert (made.noise.sensitivity, made.noise.mechanism) == (
        (Sensitivity(3 + 1, 9 + 1), choosing) if selected else (Sensitivity(2, 2), counting)
    )
    assert (made.around is not None) is selected
    if made.around is not None:
        assert (made.around.sensitivity, made.around.mechanism) == (Sensitivity(2, 2), counting)
