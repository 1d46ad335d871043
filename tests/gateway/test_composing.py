"""Composing answers: in turn like all else that release workers do, charged or not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import pytest

from gateway.fairness import Span
from gateway.house import House
from gateway.prices import Asked, Unit
from gateway.runner import never
from gateway.settings import Settings
from gateway.submission import CONFIDENCE, Question, Submission
from queries.plan.price import Options
from tests.gateway.running import COUNT, make_home


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    make_home(tmp_path / "home")
    found = House(
        Settings(
            home=tmp_path / "home", workers=1, worker_threads=1, worker_memory=600,
            release_workers=1, log_level="error",
        )
    )  # fmt: skip
    yield found
    found.close()


@pytest.mark.slow
def test_a_charged_answer_is_composed_in_its_turn(house: House) -> None:
    """However busy the workers are it waits; it is charged already, so it is never sent away."""
    price = Asked(Unit.SHARE, Fraction(1, 100))
    question = Question("p", COUNT, price, CONFIDENCE, Options(), False)
    house.quote(question, "analyst")  # planned by now, which takes a turn of its own
    turns = house._runner._service._turns
    with ThreadPoolExecutor(1) as pool:
        with turns.turn("other", Span()):
            asked = Submission(question, "analyst", None, lambda: None)
            answer = pool.submit(house.submit, asked, None, never)
            end = time.monotonic() + 20
            while not house.ledger.budget("p").reserved.rho and time.monotonic() < end:
                time.sleep(0.02)
            time.sleep(1)
            assert house.ledger.budget("p").reserved.rho
            assert not answer.done()
            turns.stop()
        released = answer.result(20)
    assert released.document is not None
    assert not house.ledger.budget("p").reserved.rho
