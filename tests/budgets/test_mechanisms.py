"""What a draw loses follows from its mechanism, and is never less than was charged for it."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest

from budgets.amounts import PICO
from budgets.loss import PrivacyLoss
from budgets.mechanisms import (
    EXPONENTIAL,
    GAUSSIAN,
    LAPLACE,
    PERMUTE_AND_FLIP,
    Drawn,
    lost,
    read,
    written,
)

SEVEN_18THS = math.floor(Fraction(7, 18) * PICO)
TWO_THIRDS = math.floor(Fraction(2, 3) * PICO)
TWO_NINTHS = math.floor(Fraction(TWO_THIRDS, PICO) ** 2 / 2 * PICO)
LOSSES = [
    (Drawn(GAUSSIAN, 4, 7, 3.0, 0), PrivacyLoss(SEVEN_18THS, 0, None)),
    (Drawn(EXPONENTIAL, 4, 7, 3.0, 0), PrivacyLoss(SEVEN_18THS, 0, None)),
    (Drawn(LAPLACE, 2, 7, 3.0, 0, 0), PrivacyLoss(TWO_NINTHS, 0, TWO_THIRDS)),
    (Drawn(PERMUTE_AND_FLIP, 1, 7, 3.0, 0, 0), PrivacyLoss(TWO_NINTHS, 0, TWO_THIRDS)),
]


@pytest.mark.parametrize(("drawn", "loss"), LOSSES, ids=lambda one: getattr(one, "mechanism", ""))
def test_a_draw_loses_what_its_mechanism_does(drawn: Drawn, loss: PrivacyLoss) -> None:
    assert lost(drawn) == loss
    assert lost(replace(drawn, rho=loss.rho + 5)).rho == loss.rho + 5
    assert lost(replace(drawn, epsilon=PICO)).epsilon == PICO
    assert read(written([drawn, drawn])) == (drawn, drawn)


def test_what_nobody_knows_loses_nothing_that_could_be_counted() -> None:
    for drawn, _ in LOSSES:
        with pytest.raises(ValueError, match="no such mechanism"):
            lost(replace(drawn, mechanism="sparse-vector"))


@pytest.mark.parametrize(
    "wrong",
    [
        *({"scale": one} for one in (0.0, -0.5, -3.0, math.inf, -math.inf, math.nan)),
        *({name: -1} for name in ("l1", "l2_squared", "rho")),
    ],
    ids=str,
)
def test_a_draw_that_would_lose_less_than_nothing_is_none(wrong: dict[str, float]) -> None:
    """In an export as in the ledger: negative figures would pay for others' losses."""
    with pytest.raises(ValueError, match="not a draw"):
        replace(LOSSES[0][0], **wrong)  # type: ignore[arg-type]
    assert replace(LOSSES[0][0], scale=0.5, l1=0, l2_squared=0).scale == 0.5
