"""What counting a key's requests adds to each: `python -m tests.benchmarks.rates`."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from budgets.storage import Storage
from gateway.rates import Rates

REQUESTS = 500


def measured() -> float:
    """The median milliseconds of taking a token, durably, in a file of its own."""
    with TemporaryDirectory(prefix="benchmark-") as place:
        storage = Storage.open(Path(place) / "sluis.db")
        try:
            rates, took = Rates(storage, 1_000_000), []
            for _ in range(REQUESTS):
                began = time.perf_counter()
                rates.take("key")
                took.append(time.perf_counter() - began)
        finally:
            storage.close()
    return median(took) * 1000


if __name__ == "__main__":
    print(f"a request takes {measured():.2f} ms more on SQLite")
