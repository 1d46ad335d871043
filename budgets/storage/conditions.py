"""Pieces of the statements that change an account: a condition and a change for each amount.

Their parameters are `which` account and `by` how much of rho, delta and epsilon.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam

from budgets.account import Amounts
from budgets.storage.schema import account

PARTS = ("rho", "delta", "epsilon")


class Overdrawn(Exception):
    """An account changed between being read and being posted to; nothing was written."""


def column(prefix: str, part: str) -> ColumnElement[int]:
    """The column of one amount."""
    return account.c[f"{prefix}_{part}"]


def each(rule: Any) -> ColumnElement[bool]:
    """The rule, for rho, delta and epsilon; `rule` is given the part and the amount asked."""
    return and_(*(rule(part, bindparam(f"by_{part}")) for part in PARTS))


def moved(
    prefix: str, change: Callable[[ColumnElement[int], ColumnElement[int]], ColumnElement[int]]
) -> dict[str, ColumnElement[int]]:
    """The columns of some amounts, larger (`add`) or smaller (`sub`) by what is asked."""
    return {f"{prefix}_{part}": change(column(prefix, part), bindparam(f"by_{part}"))
            for part in PARTS}  # fmt: skip


def values(which: int, amounts: Amounts) -> dict[str, int]:
    """The parameters: an account and amounts."""
    parts = {"by_rho": amounts.rho, "by_delta": amounts.delta, "by_epsilon": amounts.epsilon}
    return {"which": which} | parts
