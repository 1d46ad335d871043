"""What the entries of an export add up to: each account's capacity, and what was charged to it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from budgets.account import Amounts
from budgets.chain import CAPACITY, Event
from budgets.ends import Ends

CHARGED = frozenset({Event.RESERVE, Event.VOID, Event.FORFEIT})
"""Events whose amounts are what an account was charged; a void takes its own away again."""


class Totals:
    """Capacity and charges of every account, as the entries tell them."""

    def __init__(self) -> None:
        self._capacity: defaultdict[str, Amounts] = defaultdict(Amounts)
        self._charged: defaultdict[str, Amounts] = defaultdict(Amounts)
        self._ends: defaultdict[str, Ends] = defaultdict(Ends)
        self._untimely: list[str] = []

    def add(self, entry: Mapping[str, Any]) -> None:
        """Count an entry of a ceiling's chain."""
        account = ":".join(str(part) for part in entry["account"] if part)
        amounts = Amounts(entry["rho"], entry["delta"], entry["epsilon"])
        if entry["event"] in CAPACITY:
            self._capacity[account] += amounts
        elif entry["event"] in CHARGED:
            self._charged[account] += amounts
        self._timed(entry, self._capacity[account] - self._charged[account])

    def _timed(self, entry: Mapping[str, Any], left: Amounts) -> None:
        """Whether an entry charges what had ended, or returns what had not."""
        ends, account = self._ends[entry["dataset"]], entry["account"]
        ends.passes(entry["at"])
        match entry["event"]:
            case Event.ALLOCATE | Event.TERM:
                ends.note(account, json.loads(entry["note"]))
            case Event.RESERVE if ends.over(account):
                self._untimely.append(
                    f"Entry {entry['number']} of {entry['dataset']} charges what had ended."
                )
            case Event.RETURN if not ends.returnable(entry["dataset"], account, left):
                self._untimely.append(
                    f"Entry {entry['number']} of {entry['dataset']} returns what had not ended."
                )

    def findings(self) -> Iterable[str]:
        """The accounts that were charged more than they could hold, or not at the time."""
        yield from self._untimely
        for account, charged in self._charged.items():
            if not charged.within(self._capacity[account]):
                yield f"Account {account} was charged more than it may hold."

    def told(self) -> dict[str, dict[str, dict[str, int]]]:
        """Every account in figures: rho and epsilon in 1e-12, delta in 1e-18."""
        return {
            account: {"capacity": _told(capacity), "charged": _told(self._charged[account])}
            for account, capacity in self._capacity.items()
        }


def _told(amounts: Amounts) -> dict[str, int]:
    return {"rho": amounts.rho, "delta": amounts.delta, "epsilon": amounts.epsilon}
