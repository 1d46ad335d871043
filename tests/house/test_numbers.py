"""Numbers that the docs tell people, computed anew."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from statistics import NormalDist

from budgets.account import grant
from budgets.amounts import PICO
from tests.house.tree import ROOT

ROW = re.compile(r"^\| \((\d+), (1e-\d+)\) \| (\d+) of 100 cases \|$", re.MULTILINE)
FALSE_ALARMS = 0.05


def test_what_a_ceiling_means_to_a_person() -> None:
    """The best test of a Gaussian release at the ledger's rho, as the trade-off function has it."""
    page = (ROOT / "docs" / "administrator.md").read_text(encoding="utf-8")
    rows = ROW.findall(page)
    assert len(rows) == 3
    for epsilon, delta, cases in rows:
        rho = grant(Fraction(epsilon), Fraction(delta)).capacity.rho / PICO
        power = NormalDist().cdf(NormalDist().inv_cdf(FALSE_ALARMS) + math.sqrt(2 * rho))
        assert int(cases) - 1 <= 100 * power <= int(cases) + 0.5
