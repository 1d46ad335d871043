"""How far the rank of what was found may be off, in rows: from the plan alone, in plain words."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

from queries.plan import maps, subsets, trees
from queries.plan.model import Distribution, Mechanism, Noise, Target

CONFIDENCE = 0.95
NORMAL = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


def margin(found: Distribution) -> float:
    """How many rows a rank may be off at the usual confidence, whatever the data.

    Of selections, exp(-gap / scale) bounds the weight of each candidate (McSherry and Talwar 2007,
    Theorem 6); of a mode it is how many rows more the most frequent value may have.
    """
    if not found.targets[0].denominator:
        return subsets.width(found.noise, found.bins.count, CONFIDENCE)
    if found.read_off:
        return NORMAL * deviation(found.noise) * math.sqrt(_largest(found))
    scores: float = found.noise.scale * math.log(found.bins.count / (1 - CONFIDENCE))
    return scores / found.targets[0].denominator


def reach(found: Distribution, target: Target, confidence: float) -> float:
    """How many rows the rank of a target may be off at a confidence, whatever the data.

    That of an extreme is its distance from the very end: it is looked for inside.
    """
    if not target.denominator:
        return subsets.width(found.noise, found.bins.count, confidence)
    if found.read_off:
        wide = width(found.noise.mechanism, confidence) * deviation(found.noise)
        rows = wide * math.sqrt(_largest(found))
    else:
        scores: float = found.noise.scale * math.log(found.bins.count / (1 - confidence))
        rows = scores / target.denominator
    return rows + max(0, target.rows - 1)


def width(mechanism: Mechanism, confidence: float) -> float:
    """How many standard deviations a rank keeps within: the wider of the normal law and Laplace's.

    A sum of Laplace noises lies between the two.
    """
    normal = NormalDist().inv_cdf((1 + confidence) / 2)
    if mechanism is not Mechanism.LAPLACE:
        return normal
    return max(normal, math.log(1 / (1 - confidence)) / math.sqrt(2))


def scale(found: Distribution, target: Target) -> float:
    """The mechanism's own parameter in rows."""
    return found.noise.scale if found.read_off else found.noise.scale / target.denominator


def deviation(noise: Noise) -> float:
    """The standard deviation of one noisy node."""
    return noise.scale * (math.sqrt(2) if noise.mechanism is Mechanism.LAPLACE else 1)


def _largest(found: Distribution) -> float:
    shares = frozenset(t.numerator / t.denominator for t in found.targets)
    return _widest(found.branching, found.levels, shares)


@lru_cache(maxsize=64)
def _widest(branching: int, levels: int, shares: frozenset[float]) -> float:
    leaves: int = branching**levels
    top = trees.eigenvalue(branching, levels - 1)
    worst: float = max(
        base + (share * share * leaves - 2 * share * place) / top
        for place, base in enumerate(trees.variances(branching, levels))
        for share in shares
    )
    return worst


def told(found: Distribution, target: Target, *, several: bool = False) -> str:
    """What a reader must know of a quantile, an extreme, a mode or a histogram.

    Where it stands in `several` grouping sets, that of the set in which it is furthest off.
    """
    if target.labels:
        return maps.told(found, target)
    rows = f"{math.ceil(margin(found)):,}"
    if not target.denominator:
        return (
            f"No value is more frequent by over {rows} rows, at 95 %. The ends are the least and "
            "the greatest value that may be the most frequent one; where values have no order they "
            "are lists, of what is it for certain and of all that may be it."
        )
    words = []
    if not target.numerator:
        end, way = ("MAX", "above") if target.descending else ("MIN", "below")
        words.append(
            f"{end} is answered as the {_ordinal(target.rows)} value from {way}"
            f"{', or one nearer to the end in sets with less noise' if several else ''}, so that "
            "it is nobody's own, and as the median of fewer than twice as many."
        )
    words.append(f"Its rank is within {rows} rows of what was asked, at 95 %.")
    if not found.bins.exact:
        words.append("It is the middle of a bin.")
    return " ".join(words)


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{'th' if number % 100 in (11, 12, 13) else ending}"
