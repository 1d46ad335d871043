"""Slots: nothing is told before the end, and a worker is not free before it either."""

from __future__ import annotations

import time

import pytest

from gateway.slots import Slot


@pytest.mark.parametrize("work", [0.0, 0.1])
def test_whoever_ends_early_leaves_at_the_end(work: float) -> None:
    slot = Slot(300)
    began = time.monotonic()
    slot.begin()
    time.sleep(work)
    slot.leave()
    assert time.monotonic() - began >= 0.3


def test_the_clock_starts_when_a_worker_takes_the_query() -> None:
    slot = Slot(200)
    assert not slot.began
    time.sleep(0.2)
    slot.begin()
    began = time.monotonic()
    slot.leave()
    assert time.monotonic() - began >= 0.19


def test_without_a_slot_nobody_waits() -> None:
    slot = Slot(0)
    slot.begin()
    began = time.monotonic()
    slot.leave()
    assert time.monotonic() - began < 0.1
