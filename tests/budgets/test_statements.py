"""What charges amount to: the least of the statements that hold, and how tight it is."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from fractions import Fraction
from importlib.util import find_spec

import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from budgets import statements, tight
from budgets.charge import StageClaim
from budgets.exporting import lines
from budgets.ledger import Ledger
from budgets.loss import PrivacyLoss
from budgets.mechanisms import Drawn, read, written
from budgets.statements import Statement
from budgets.storage import Storage
from budgets.tight import NoAccountant, epsilon_by_distributions
from tests.budgets.books import BLOCKS, DATASET, PROJECT, answered, ready, reserved
from tests.budgets.places import Place

PICO = 10**12
counted_anew = pytest.mark.skipif(
    find_spec("dp_accounting") is None, reason="the extra `report` is not installed"
)
DELTA = 1e-9


def gaussian(digest: str, rho: int = PICO // 200) -> StageClaim:
    scale = math.sqrt(PICO / (2 * rho))
    drawn = Drawn("discrete-gaussian", 1, 1, scale, rho)
    return StageClaim(digest, PrivacyLoss(rho), (scale,), "discrete-gaussian", (drawn,))


def laplace(digest: str, epsilon: str = "0.1") -> StageClaim:
    whole = int(Fraction(epsilon) * PICO)
    rho = math.ceil(Fraction(whole, PICO) ** 2 / 2 * PICO)
    drawn = Drawn("discrete-laplace", 1, 1, PICO / whole, rho, whole)
    loss = PrivacyLoss(rho, 0, whole)
    return StageClaim(digest, loss, (PICO / whole,), "discrete-laplace", (drawn,))


def told(place: Place) -> dict[tuple[str, str], Statement]:
    storage = Storage.open(place)
    try:
        with storage.read() as tx:
            found = statements.statements(statements.from_ledger(tx), DATASET)
    finally:
        storage.close()
    return {(one.kind, one.name): one for one in found}


@pytest.fixture
def ledger(place: Place) -> Ledger:
    return ready(place, epsilon="7", delta=None, ceiling=("80", "1e-8"))


def test_a_few_large_pure_charges_are_told_by_their_sum(place: Place) -> None:
    ledger = ready(place, epsilon="7", delta="0", ceiling=("80", "2e-9"))
    for number in range(4):
        answered(ledger, laplace(f"s{number}", "0.5"))
    found = told(place)["dataset", DATASET]
    assert found.pure == 2
    assert found.converted is not None
    assert found.converted > 2
    assert found.least == 2
    assert told(place)["project", PROJECT].least == 2


@counted_anew
def test_many_small_pure_charges_are_told_by_their_rho(place: Place) -> None:
    ledger = ready(place, epsilon="7", delta="0", ceiling=("80", "2e-9"))
    for number in range(60):
        reserved(ledger, laplace(f"s{number}"))
    found = told(place)["dataset", DATASET]
    assert found.pure == 6
    assert found.converted is not None
    assert found.least == found.converted < 6
    counted = epsilon_by_distributions(found.charged.draws, float(found.delta))
    assert counted < found.least


def test_one_charge_that_is_not_pure_leaves_the_rho(ledger: Ledger, place: Place) -> None:
    reserved(ledger, laplace("a"))
    assert told(place)["dataset", DATASET].pure == Fraction(1, 10)
    reserved(ledger, gaussian("b"))
    found = told(place)["dataset", DATASET]
    assert found.pure is None
    assert found.least == found.converted


def test_what_was_taken_back_does_not_count_and_all_else_does(ledger: Ledger, place: Place) -> None:
    ledger.void(reserved(ledger, gaussian("void")))
    charge = reserved(ledger, gaussian("fault"))
    ledger.started(charge)
    ledger.fault(charge, "incident")
    reserved(ledger, gaussian("running"), blocks=BLOCKS[:1])
    answered(ledger, gaussian("settled"))
    found = told(place)
    assert found["dataset", DATASET].charged.charges == 3
    assert found["project", PROJECT].charged.loss == found["dataset", DATASET].charged.loss
    assert [found["block", block].charged.charges for block in BLOCKS] == [3, 2]
    whole = ledger.ceiling(DATASET)
    assert found["dataset", DATASET].charged.loss.rho == whole.reserved.rho + whole.spent.rho


def test_an_export_tells_the_same(ledger: Ledger, place: Place) -> None:
    for number in range(3):
        answered(ledger, gaussian(f"s{number}"))
    storage = Storage.open(place)
    text = list(lines(storage))
    storage.close()
    exported = statements.statements(statements.from_export(text), DATASET)
    assert {(one.kind, one.name): one for one in exported} == told(place)


def test_what_was_forfeited_counts_and_has_no_draws(ledger: Ledger, place: Place) -> None:
    answered(ledger, gaussian("a"))
    ledger.forfeit(DATASET, "ada", "restored")
    found = told(place)
    for one in (ledger.ceiling(DATASET), *ledger.blocks(DATASET)):
        statement = found[one.kind.value, one.name]
        assert statement.charged.loss.rho == one.spent.rho == one.allocated.rho
        assert statement.charged.unknown == 1
        assert statement.least <= one.epsilon
    assert found["project", PROJECT].charged.unknown == 0


def test_a_block_is_told_what_it_paid_for_what_is_partial(ledger: Ledger, place: Place) -> None:
    """By loss and by draws alike: what goes with some of a unit's rows moves twice as far."""
    one = replace(gaussian("some"), partial=True)
    answered(ledger, one)
    found = told(place)
    for block in ledger.blocks(DATASET):
        mine = found["block", block.name].charged
        assert mine.loss.rho == block.spent.rho == 4 * one.loss.rho
        assert [each.l2_squared for each in mine.draws] == [4 * one.drawn[0].l2_squared]
    whole = found["dataset", DATASET].charged
    assert (whole.loss.rho, whole.draws) == (one.loss.rho, list(one.drawn))


def test_stages_without_draws_are_counted_as_such(ledger: Ledger, place: Place) -> None:
    reserved(ledger)
    assert told(place)["dataset", DATASET].charged.unknown == 1


@counted_anew
def test_gaussian_draws_compose_exactly() -> None:
    """A hundred of rho 0.005 are one of 0.5: the exact profile of Balle and Wang (2018)."""

    def exceeded(epsilon: float) -> float:
        half, ratio = 0.5 * math.sqrt(2 * 0.5), epsilon / math.sqrt(2 * 0.5)
        return float(norm.cdf(half - ratio) - math.exp(epsilon) * norm.cdf(-half - ratio)) - DELTA

    draws = [gaussian("x").drawn[0]] * 100
    counted = epsilon_by_distributions(draws, DELTA)
    assert counted == pytest.approx(brentq(exceeded, 0.1, 50), abs=5e-3)
    assert counted == pytest.approx(6.174, abs=5e-3)


@counted_anew
def test_pure_draws_are_the_worst_of_their_epsilon() -> None:
    """At 0.1 a hundred come to 5.96 (Kairouz, Oh and Viswanath), of Laplace noise alone to 5.85."""
    draws = [laplace("x").drawn[0]] * 100
    counted = epsilon_by_distributions(draws, DELTA)
    assert counted == pytest.approx(5.96, abs=0.01)
    assert epsilon_by_distributions(draws[:1], 0.0) == pytest.approx(0.1, abs=1e-3)
    assert epsilon_by_distributions([], DELTA) == 0


@counted_anew
def test_both_kinds_together_are_more_than_each() -> None:
    pure, normal = [laplace("x").drawn[0]] * 20, [gaussian("y").drawn[0]] * 20
    both = epsilon_by_distributions([*pure, *normal], DELTA)
    parts = [epsilon_by_distributions(one, DELTA) for one in (pure, normal)]
    assert max(parts) < both < sum(parts)


@pytest.mark.parametrize(
    ("drawn", "epsilon"),
    [
        (Drawn("discrete-laplace", 3, 9, 30.0, 0), Fraction(1, 10)),
        (Drawn("exponential", 3, 5, 30.0, 0), Fraction(1, 5)),
        (Drawn("permute-and-flip", 3, 5, 30.0, 0, PICO), Fraction(1)),
    ],
)
def test_a_draw_that_is_pure_in_itself(drawn: Drawn, epsilon: Fraction) -> None:
    assert tight.pure_epsilon(drawn) == epsilon
    assert read(written([drawn])) == (drawn,)


def test_a_draw_has_a_scale() -> None:
    with pytest.raises(ValueError, match="not a draw"):
        Drawn("discrete-gaussian", 1, 1, math.inf, 1)


def test_without_the_extra_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dp_accounting.pld", None)
    with pytest.raises(NoAccountant):
        epsilon_by_distributions([], DELTA)
