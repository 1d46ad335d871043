"""What public tables were found to hold: remembered, since a delivery never changes.

Only what the release engine computed from a delivery's public tables is kept, under the delivery
and the whole question; the least recently used goes first.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

Row = TypeVar("Row", bound=tuple[Any, ...])

MOST_CELLS = 1_000_000
"""The room for all answers together, in cells; each text counts as some more."""

LARGEST_SHARE = 10
"""An answer that would take more than this part of the room is not kept."""

BYTES_A_CELL = 50


class Known:
    """A bounded memory of answers, shared by threads."""

    def __init__(self, most: int = MOST_CELLS) -> None:
        self._most = most
        self._held = 0
        self._answers: OrderedDict[Hashable, tuple[Sequence[Any], int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, question: Hashable, size: int, ask: Callable[[], Sequence[Row]]) -> list[Row]:
        """The answer to a question of so many bytes; what `ask` raises is not remembered."""
        with self._lock:
            if question in self._answers:
                self._answers.move_to_end(question)
                return list(self._answers[question][0])
        answer = ask()
        self._keep(question, tuple(answer), size // BYTES_A_CELL)
        return list(answer)

    def _keep(self, question: Hashable, answer: Sequence[Row], cells: int) -> None:
        cells += 1 + sum(len(row) for row in answer)
        if cells * LARGEST_SHARE > self._most:
            return
        with self._lock:
            if question in self._answers:
                return
            self._answers[question] = answer, cells
            self._held += cells
            while self._held > self._most:
                _, (_, freed) = self._answers.popitem(last=False)
                self._held -= freed
