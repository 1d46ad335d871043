"""Waves: stages that read earlier ones run after them, within one slot and under one charge.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       when a run ends tells nothing but whether its slot's time sufficed, however many
                stages follow each other (P21, P22).
    Requires    the loss of all stages reserved before the first one; one slot for all of them.
    Why         what passes from one wave to the next is computed by the release engine from noisy
                tables; a later wave has what is left of the plan's one deadline, and whatever fails
                in it is the plan's one fault.
    Tried by    tests/gateway/test_waves.py
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from queries.algebra.inputs import Input
from queries.enclave.client import Enclave
from queries.plan.model import Plan, Stage
from queries.plan.noisy import NoisyStage
from queries.release.client import ReleaseEngine


@dataclass(frozen=True, slots=True)
class Waves:
    """Runs the stages of plans, wave by wave."""

    enclave: Enclave
    engine: ReleaseEngine

    def run(
        self,
        plan: Plan,
        paid: Sequence[Stage],
        stored: Mapping[str, NoisyStage],
        taken: Callable[[], None],
    ) -> dict[str, NoisyStage]:
        """The noisy tables of the stages that are paid for; raises whatever goes wrong.

        `stored` are those of stages that serve again. `taken` is called once, when a worker takes
        the first stages, and the plan's deadline counts from then.
        """
        clock = _Clock(plan.deadline / 1000, taken)
        found: dict[str, NoisyStage] = {}
        waiting = list(paid)
        while waiting:
            ready = _ready(waiting, {*stored, *found})
            inputs = _inputs(ready)
            given = self.engine.given(plan, inputs, {**stored, **found}) if inputs else ()
            wave = replace(plan, stages=ready)
            noisy = self.enclave.run(wave, clock.left(), given=given, taken=clock.start)
            found |= {stage.name: table for stage, table in zip(ready, noisy, strict=True)}
            waiting = [stage for stage in waiting if stage not in ready]
        return found


class _Clock:
    """What is left of a deadline, from when the first worker took its stages."""

    def __init__(self, seconds: float, taken: Callable[[], None]) -> None:
        self._seconds, self._taken = seconds, taken
        self._began: float | None = None

    def start(self) -> None:
        if self._began is None:
            self._taken()
            self._began = time.monotonic()

    def left(self) -> float:
        if self._began is None:
            return self._seconds
        return max(0.0, self._began + self._seconds - time.monotonic())


def _ready(waiting: list[Stage], done: set[str]) -> tuple[Stage, ...]:
    """The stages that need nothing which has not run; raises ValueError where there are none."""
    found = tuple(stage for stage in waiting if stage.needs <= done)
    if not found:
        raise ValueError("a stage needs one that never runs")
    return found


def _inputs(stages: tuple[Stage, ...]) -> tuple[Input, ...]:
    return tuple({one.name: one for stage in stages for one in stage.inputs}.values())
