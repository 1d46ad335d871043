"""What is remembered of public tables: within bounds, the least recently used gone first."""

from __future__ import annotations

import pytest

from queries.catalog.view import TooMany
from queries.release.known import BYTES_A_CELL, LARGEST_SHARE, Known


class Asked:
    """Answers with rows of one cell, and counts how often."""

    def __init__(self, rows: int = 1) -> None:
        self.rows, self.times = rows, 0

    def __call__(self) -> list[tuple[int, ...]]:
        self.times += 1
        return [(row,) for row in range(self.rows)]


def test_a_question_is_asked_once() -> None:
    known, asked = Known(), Asked(3)
    answers = [known.get("q", 1, asked) for _ in range(3)]
    assert answers == [[(0,), (1,), (2,)]] * 3
    assert asked.times == 1


def test_a_caller_may_change_the_list_it_got() -> None:
    known = Known()
    known.get("q", 1, Asked(2)).clear()
    assert known.get("q", 1, Asked(2)) == [(0,), (1,)]


def test_the_least_recently_used_goes_first() -> None:
    most = 2 * LARGEST_SHARE
    known = Known(most)
    asked = {name: Asked() for name in range(LARGEST_SHARE + 1)}
    for name in range(LARGEST_SHARE):
        known.get(name, 0, asked[name])
    known.get(0, 0, asked[0])
    known.get(LARGEST_SHARE, 0, asked[LARGEST_SHARE])
    for name in (0, 1):
        known.get(name, 0, asked[name])
    assert (asked[0].times, asked[1].times) == (1, 2)


@pytest.mark.parametrize(("rows", "size"), [(1000, 0), (1, 1000 * BYTES_A_CELL)])
def test_what_would_fill_the_memory_is_not_kept(rows: int, size: int) -> None:
    known, asked = Known(1000), Asked(rows)
    known.get("q", size, asked)
    known.get("q", size, asked)
    assert asked.times == 2


def test_a_failure_is_not_remembered() -> None:
    known = Known()

    def fails() -> list[tuple[int, ...]]:
        raise TooMany("more")

    with pytest.raises(TooMany):
        known.get("q", 1, fails)
    assert known.get("q", 1, Asked()) == [(0,)]
