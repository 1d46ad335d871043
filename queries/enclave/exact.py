"""Exact answers: the true integers of a stage, which never leave the enclave's process."""

from __future__ import annotations

from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from queries.catalog.view import Value


class ExactAnswer:
    """Keys and exact integers of a stage, row by row. It can be neither shown nor serialised.

    `histograms` holds, row by row, the counts of the bins of each distribution.

    Not a dataclass on purpose: `queries.codec` refuses whatever is not one.
    """

    __slots__ = ("histograms", "keys", "values")

    def __init__(
        self,
        keys: list[tuple[Value, ...]],
        values: list[tuple[int, ...]],
        histograms: list[tuple[NDArray[np.int64], ...]] | None = None,
    ) -> None:
        if len(keys) != len(values) or len(histograms or keys) != len(keys):
            raise ValueError("an answer has as many keys as values")
        self.keys = keys
        self.values = values
        self.histograms = histograms or [()] * len(keys)

    def __repr__(self) -> str:
        return "ExactAnswer(...)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an exact answer stays in its process")
