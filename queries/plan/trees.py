"""Trees of noisy counts: their shape, and how exact the sums read off them are.

All levels of a tree with `branching ** levels` leaves are noised alike, its root left out. The
leaves fitted by least squares (Hay et al. 2010, section 4) are projections onto the levels' own
spaces, each with one eigenvalue, so that the variance of a rank is known in closed form.
"""

from __future__ import annotations

import math
from functools import lru_cache

MOST_LEVELS = 8
PROBES = 48


def size(branching: int, levels: int) -> int:
    """How many nodes are noised."""
    return sum(math.prod([branching] * level) for level in range(1, levels + 1))


def eigenvalue(branching: int, level: int) -> int:
    """How much of a vector that is constant on blocks of that level the measured nodes see."""
    return sum(branching**below for below in range(level + 1))


@lru_cache(maxsize=64)
def shape(count: int) -> tuple[int, int]:
    """Branching and levels of the most exact tree with at least so many leaves, not many more."""
    found = []
    for levels in range(1, MOST_LEVELS + 1):
        branching = max(2, math.ceil(count ** (1 / levels) - 1e-9))
        branching += branching**levels < count
        if size(branching, levels) <= 2 * count:
            found.append((spread(branching, levels, count), branching, levels))
    _, branching, levels = min(found)
    return branching, levels


@lru_cache(maxsize=512)
def spread(branching: int, levels: int, count: int) -> float:
    """The usual error of a rank, in the noise that a single count would have at that loss."""
    places = sorted({count * probe // PROBES for probe in range(1, PROBES)} | {1})
    roots = [
        math.sqrt(max(0.0, variance(branching, levels, place, place / count))) for place in places
    ]
    return math.sqrt(levels) * sum(roots) / len(roots)


def variance(branching: int, levels: int, place: int, share: float) -> float:
    """Of the sum of the first `place` leaves less `share` of all, one node's variance being 1."""
    leaves = branching**levels
    top = eigenvalue(branching, levels - 1)
    found: float = (share * share * leaves - 2 * share * place) / top
    inner = _squares(place, 1)
    for level in range(levels - 1):
        outer = _squares(place, branching ** (level + 1))
        found += (inner - outer) / eigenvalue(branching, level)
        inner = outer
    return found + inner / top


def _squares(place: int, block: int) -> float:
    """The squared length of the first `place` leaves' indicator, averaged over blocks."""
    full, rest = divmod(place, block)
    return full * block + rest * rest / block


@lru_cache(maxsize=32)
def variances(branching: int, levels: int) -> tuple[float, ...]:
    """`variance` for every place from 0 to the last, at a share of nothing."""
    leaves = branching**levels
    return tuple(variance(branching, levels, place, 0.0) for place in range(leaves + 1))
