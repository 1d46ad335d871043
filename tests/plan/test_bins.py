"""Bins cover a range without gap or overlap, as many as fit, each as narrow as they allow."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from queries.plan.bins import Bins, Piece, equal, floating
from queries.release.quantiles import steps

ends = st.integers(-(2**62), 2**62) | st.integers(-5_000, 5_000)


def bins_of(pieces: tuple[Piece, ...], low: int, high: int) -> Bins:
    last = pieces[-1]
    return Bins(last.first + -(-(high - last.lower + 1) // last.width), pieces, low, high)


@given(ends, ends, st.sampled_from([64, 100, 8_192]), st.booleans())
def test_bins_follow_each_other_through_the_whole_range(
    one: int, other: int, most: int, growing: bool
) -> None:
    low, high = sorted((one, other))
    bins = bins_of(floating(low, high, most) if growing else equal(low, high, most), low, high)
    assert 1 <= bins.count <= most
    held = [steps(bins, place) for place in range(bins.count)]
    assert held[0][0] == low
    assert held[-1][1] == high
    assert all(after[0] == before[1] + 1 for before, after in pairwise(held))


@given(ends, st.integers(0, 8_191))
def test_few_values_are_bins_of_their_own(low: int, span: int) -> None:
    assert bins_of(floating(low, low + span, 8_192), low, low + span).exact


@given(st.integers(0, 2**62))
def test_a_bin_is_narrow_against_its_values(high: int) -> None:
    bins = bins_of(floating(0, high, 8_192), 0, high)
    for place in range(0, bins.count, 97):
        first, last = steps(bins, place)
        assert last - first <= max(0, first) / 60


def test_amounts_up_to_a_million_are_read_to_a_fifth_of_a_per_cent() -> None:
    bins = bins_of(floating(0, 1_000_000, 8_192), 0, 1_000_000)
    assert steps(bins, 900) == (900, 900)
    wide = [steps(bins, place) for place in range(1_024, bins.count)]
    assert max((last - first) / first for first, last in wide) < 0.002
