"""Patience: trying again while the same question is in flight."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from budgets.refusals import InFlight

T = TypeVar("T")
LOOK_AGAIN = 0.1


def patiently(act: Callable[[], T], seconds: float) -> T:
    """Do it, and again while the same question is in flight, up to some seconds."""
    end = time.monotonic() + seconds
    while True:
        try:
            return act()
        except InFlight:
            if time.monotonic() >= end:
                raise
            time.sleep(LOOK_AGAIN)
