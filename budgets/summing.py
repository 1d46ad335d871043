"""Entries told shorter: between two acts of any other kind, charges are added up by account.

What is said of accounts by charges that were reserved and settled, one after another, is said by
one such charge of them all. Whoever reads the shorter chain comes to the same figures.
"""

from __future__ import annotations

from collections.abc import Mapping

from budgets.account import Amounts
from budgets.chain import Entry, Event
from budgets.storage import journal

_RESERVE, _SETTLE = Event.RESERVE.value, Event.SETTLE.value


class Sum:
    """Entries told shorter: charges reserved and settled between two other acts, as one.

    `split` is the charge of the entry before the first one: part of it may stand there.
    """

    def __init__(
        self, dataset: str, addresses: Mapping[int, tuple[str, str, str]], split: int | None
    ) -> None:
        self._dataset, self._addresses, self._split = dataset, addresses, split
        self._told: list[Entry] = []
        self._open: dict[int | None, list[tuple[journal.Row, int]]] = {}
        self._settled: dict[int, list[int]] = {}
        self._charge: int | None = None
        self._latest = self._number = 0

    def read(self, row: journal.Row) -> None:
        """The entry after those that were read before."""
        number, event, _, paid, _, _, _, _, at, _ = row
        self._number = number
        if at > self._latest:
            self._latest = at
        if event == _RESERVE and paid != self._split:
            self._open.setdefault(paid, []).append((row, self._latest))
        elif event == _SETTLE and paid in self._open:
            self._settle(paid)
        else:
            self._flush()
            self._tell(row)

    def told(self) -> list[Entry]:
        """All that was read, told shorter."""
        self._flush()
        return self._told

    def _settle(self, paid: int | None) -> None:
        for (number, _, which, _, rho, delta, epsilon, _, _, _), at in self._open.pop(paid):
            of = self._settled.setdefault(which, [0, 0, 0, 0, 0])
            of[0] += rho
            of[1] += delta
            of[2] += epsilon
            if number > of[3]:
                of[3:] = number, at
        self._charge = paid

    def _flush(self) -> None:
        """Tell what was reserved so far, by the last of each account, in order."""
        sums = [
            (number, _RESERVE, which, self._charge, rho, delta, epsilon, "{}", at, "")
            for which, (rho, delta, epsilon, number, at) in self._settled.items()
        ]
        standing = [(*row[:8], at, "") for rows in self._open.values() for row, at in rows]
        for row in sorted([*sums, *standing]):
            self._tell(row)
        if sums:
            ended = (self._number, _SETTLE, sums[0][2], self._charge, 0, 0, 0, "{}")
            self._tell((*ended, self._latest, ""))
        self._settled, self._open = {}, {}

    def _tell(self, row: journal.Row) -> None:
        number, event, which, paid, rho, delta, epsilon, note, at, _ = row
        amounts, account = Amounts(rho, delta, epsilon), self._addresses[which]
        self._told.append(Entry(self._dataset, number, event, account, paid, amounts, note, at))
