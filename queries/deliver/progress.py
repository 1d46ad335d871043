"""Progress of a registration: a fraction of the whole and a few words, never a count of rows.

Nothing is called once the delivery stands, so that a broken terminal cannot hide it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Progress = Callable[[float, str], None]


def silent(fraction: float, words: str) -> None:
    """Shows nothing."""


class Meter:
    """Adds up parts: each table is read, then written, and weighs as many bytes as its sources."""

    def __init__(self, progress: Progress, sizes: Mapping[str, int]) -> None:
        self._progress = progress
        self._sizes = {name: max(1, size) for name, size in sizes.items()}
        self._all = 2 * sum(self._sizes.values())
        self._done = 0.0

    def say(self, words: str) -> None:
        """Show other words at the same fraction."""
        self._progress(min(0.99, self._done / self._all), words)

    def part(self, name: str, words: str) -> Callable[[float], None]:
        """One table's reading or writing; call what is returned with the fraction of it done."""
        begun = self._done
        self.say(words)

        def advance(fraction: float) -> None:
            self._done = begun + fraction * self._sizes[name]
            self.say(words)

        return advance
