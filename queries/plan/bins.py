"""Bins of a grid: each value by itself where they are few, else equal, or finer the nearer to zero.

Amounts and durations are skewed, and a declared range is wide, so numbers are binned as floating
point numbers are: every bin between two powers of two is equally wide, and as many bins stand
between any two. What is read off them is then exact to a share of itself, small values included.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from queries.catalog.view import Value

MOST_BITS = 62


@dataclass(frozen=True, slots=True)
class Piece:
    """Bins of one width: from bin `first` on, each `width` steps, the first one from `lower`."""

    lower: int
    width: int
    first: int


@dataclass(frozen=True, slots=True)
class Bins:
    """The candidates of a distribution: `count` bins of a grid, or the values listed.

    The bins follow each other in pieces of equal width, between the steps `lower` and `upper`; each
    step of the grid is worth numerator / denominator. With `listed`, bin b is the value at that
    place, as a key would be written.
    """

    count: int
    pieces: tuple[Piece, ...] = ()
    lower: int = 0
    upper: int = 0
    numerator: int = 1
    denominator: int = 1
    listed: tuple[Value, ...] | None = None

    @property
    def exact(self) -> bool:
        """Whether each bin is one value."""
        return all(piece.width == 1 for piece in self.pieces)


def equal(low: int, high: int, most: int) -> tuple[Piece, ...]:
    """Equal bins from low to high, at most so many."""
    return (Piece(low, -(-(high - low + 1) // most), 0),)


def floating(low: int, high: int, most: int) -> tuple[Piece, ...]:
    """Bins whose width grows with the values, as fine as so many allow."""
    if high - low < most:
        return equal(low, high, most)
    least, found = 0, None
    for bits in range(MOST_BITS):
        pieces, count = _pieces(low, high, bits)
        if count > most:
            break
        least, found = count, pieces
    return equal(low, high, most) if found is None or not least else found


def _pieces(low: int, high: int, bits: int) -> tuple[tuple[Piece, ...], int]:
    """The bins that a mantissa of so many bits tells apart, and their number."""
    made: list[Piece] = []
    count = 0
    for start, end, width in _octaves(low, high, bits):
        first, last = max(start, low), min(end, high)
        if first <= last:
            lower = first - (first - start) % width
            made.append(Piece(lower, width, count))
            count += -(-(last - lower + 1) // width)
    return tuple(made), count


def _octaves(low: int, high: int, bits: int) -> Iterator[tuple[int, int, int]]:
    """Start, end and width between powers of two, from the most negative to the largest."""
    core = 1 << bits
    top = max(abs(low), abs(high)).bit_length()
    for power in reversed(range(bits, top)):
        yield 1 - (2 << power), -(1 << power), 2 << (power - bits)
    yield 1 - core, core - 1, 1
    for power in range(bits, top):
        yield 1 << power, (2 << power) - 1, 2 << (power - bits)
