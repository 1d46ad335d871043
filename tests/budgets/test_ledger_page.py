"""budgets/LEDGER.md: every test it names exists, and every step of the ledger has its rows."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from tests.budgets.test_act_points import ACTS
from tests.budgets.test_crash import STEPS

PAGE = (Path(__file__).parents[2] / "budgets" / "LEDGER.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(test_\w+)\.py::(test_\w+)(?:\[([^\]]*)\])?`", PAGE)


@pytest.mark.parametrize(("module", "name", "case"), sorted(set(NAMED)))
def test_a_row_names_a_test(module: str, name: str, case: str) -> None:
    found = importlib.import_module(f"tests.budgets.{module}")
    assert callable(getattr(found, name))
    assert case in {"", "before started", "after started", *STEPS, *ACTS}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_killed_before_and_after(step: str) -> None:
    rows = [row for row in PAGE.splitlines() if row.startswith(f"| {step} |")]
    assert {row.split("|")[2].strip() for row in rows} >= {"before", "after"}


@pytest.mark.parametrize("act", ACTS)
def test_an_act_is_killed_before_and_after(act: str) -> None:
    test = f"`test_act_points.py::test_each_point_of_an_act[{act}]`"
    rows = [row.split("|") for row in PAGE.splitlines() if test in row]
    assert {row[2].strip() for row in rows} == {"before", "after"}
