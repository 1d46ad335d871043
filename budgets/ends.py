"""Ends of allocations as the entries of one ceiling tell them, read in order.

By these alone it can be said whether something was charged after an end, or returned before one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from budgets.account import Amounts, Kind
from budgets.storage.columns import Moment

Address = tuple[str, ...]


class Ends:
    """Which allocations end when (in microseconds), and the greatest time that was told so far."""

    def __init__(self) -> None:
        self.latest = 0
        self.of: dict[Address, int] = {}

    def passes(self, at: int) -> None:
        """An entry was made at that time, as its clock had it."""
        self.latest = max(self.latest, at)

    def note(self, account: Sequence[str], told: Mapping[str, Any]) -> None:
        """What the entry of an allocation, or of its term, says of its end."""
        if "until" in told:
            self.of.pop(tuple(account), None)
            if told["until"] is not None:
                end = datetime.fromisoformat(told["until"])
                self.of[tuple(account)] = Moment.written(end)

    def over(self, account: Sequence[str]) -> bool:
        """Whether an allocation has ended by now."""
        end = self.of.get(tuple(account))
        return end is not None and end <= self.latest

    def returnable(self, dataset: str, account: Sequence[str], left: Amounts) -> bool:
        """Whether an account that was emptied had ended, and has nothing left but what it took."""
        kind, owner, _ = account
        ends = (Kind.PROJECT.value, dataset, owner) if kind == Kind.EARMARK else account
        return self.over(ends) and left == Amounts()
