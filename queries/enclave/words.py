"""What the gateway's process and an enclave worker say to each other."""

from __future__ import annotations

from dataclasses import dataclass

from queries.catalog.united import Together
from queries.plan.model import Stage
from queries.plan.noisy import InputRows, NoisyStage

CHECK = "check"
RUN = "run"


@dataclass(frozen=True, slots=True)
class Job:
    """Stages to check, or to run on a delivery, with the rows of the inputs that they read.

    Where there are several, `together` says how they are read as one.

    There is no field that could weaken the noise.
    """

    verb: str
    delivery: str
    stages: tuple[Stage, ...]
    given: tuple[InputRows, ...] = ()
    together: Together | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """Whether the claims hold, or the noisy tables. A failure is an empty frame, not a reply."""

    holds: bool | None = None
    stages: tuple[NoisyStage, ...] = ()
