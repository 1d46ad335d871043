"""What counting a key's requests adds to each: `python -m tests.benchmarks.rates`."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory

from budgets.storage import Storage
from gateway.leases import SLOW
from gateway.rates import Rates

REQUESTS = 500


def measured(limit: int) -> tuple[float, float]:
    """The median and mean milliseconds of taking a token in turn, in a file of its own."""
    with TemporaryDirectory(prefix="benchmark-") as place:
        storage = Storage.open(Path(place) / "sluis.db")
        try:
            rates, took = Rates(storage, limit), []
            for _ in range(REQUESTS):
                began = time.perf_counter()
                rates.take(f"key {len(took)}" if limit < SLOW else "key")
                took.append(time.perf_counter() - began)
        finally:
            storage.close()
    return median(took) * 1000, mean(took) * 1000


if __name__ == "__main__":
    for name, limit in (("each with a commit", SLOW - 1), ("with leases", 1_000_000)):
        half, whole = measured(limit)
        print(f"{name}: a request takes {whole:.2f} ms more on SQLite, half of them {half:.3f}")
