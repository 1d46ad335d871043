"""Exact answers: the true integers of a stage, which never leave the enclave's process."""

from __future__ import annotations

from typing import NoReturn

from queries.catalog.view import Value


class ExactAnswer:
    """Keys and exact integers of a stage, row by row. It can be neither shown nor serialised.

    Not a dataclass on purpose: `queries.codec` refuses whatever is not one.
    """

    __slots__ = ("keys", "values")

    def __init__(self, keys: list[tuple[Value, ...]], values: list[tuple[int, ...]]) -> None:
        if len(keys) != len(values):
            raise ValueError("an answer has as many keys as values")
        self.keys = keys
        self.values = values

    def __repr__(self) -> str:
        return "ExactAnswer(...)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an exact answer stays in its process")
