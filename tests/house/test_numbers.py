"""Numbers that the docs tell people, computed anew."""

from __future__ import annotations

import re
from fractions import Fraction

from budgets.account import grant, shown
from budgets.tradeoff import found_out
from tests.house.tree import ROOT

ROW = re.compile(r"^\| \((\d+), (1e-\d+)\) \| (\d+) of 100 cases \|$", re.MULTILINE)


def test_what_a_ceiling_means_to_a_person() -> None:
    """What the budget page tells of such a ceiling, for any mechanism."""
    page = (ROOT / "docs" / "administrator.md").read_text(encoding="utf-8")
    rows = ROW.findall(page)
    assert len(rows) == 3
    for epsilon, delta, cases in rows:
        given = grant(Fraction(epsilon), Fraction(delta))
        assert int(cases) == found_out(shown(given.capacity, given.accountant))
