"""Turns: one project cannot keep the others from asking."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.refusals import Busy
from gateway.turns import Turns
from tests.gateway.running import COUNT, Gateway, make_home, running


def test_a_project_works_so_often_at_once_and_no_more() -> None:
    turns = Turns(at_once=1, waiting=1, patience=0.2)
    entered, release = threading.Event(), threading.Event()

    def hold() -> None:
        with turns.one("p"):
            entered.set()
            release.wait(10)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(hold)
        assert entered.wait(10)
        with pytest.raises(Busy), turns.one("p"):  # waited in vain
            pass
        with turns.one("other"):
            pass
        release.set()
        first.result()
    with turns.one("p"):
        pass


def test_no_more_of_a_project_wait_than_may() -> None:
    turns = Turns(at_once=1, waiting=0, patience=10)
    with turns.one("p"), pytest.raises(Busy), turns.one("p"):
        pass


@pytest.fixture
def two_workers(tmp_path: Path) -> Iterator[Gateway]:
    home = tmp_path / "home"
    with running(home, make_home(home), release_workers=2) as found:
        yield found


@pytest.mark.slow
def test_dear_public_questions_of_one_project_leave_the_other_answered(
    two_workers: Gateway,
) -> None:
    many = ", ".join(f"areas a{n}" for n in range(13))
    with ThreadPoolExecutor(4) as pool:
        dear = [
            pool.submit(two_workers.query, f"SELECT COUNT(*) + {n} FROM {many}") for n in range(4)
        ]
        other = two_workers.query(COUNT, project="other", key="outsider", budget_share="50%")
        waiting = sum(not one.done() for one in dear)
        statuses = {one.result().status for one in dear}
    assert other.status == 201
    assert waiting
    assert statuses <= {201, 400, 422, 503}
