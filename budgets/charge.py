"""Claims and charges: what a query asks to lose, and the token that it was granted.

A claim names the loss of each stage. A charge is held by the call that reserved it and by nobody
else: it cannot be read back from the ledger, so that nothing but that call can void it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from budgets.loss import PrivacyLoss
from budgets.mechanisms import Drawn


class QueryState(StrEnum):
    """What a caller is told of a query."""

    QUEUED = "queued"
    RUNNING = "running"
    RELEASED = "released"
    FAULTED = "faulted"


class ChargeState(StrEnum):
    """What became of a charge; every state but `void` has cost its loss for good."""

    RESERVED = "reserved"
    SETTLED = "settled"
    VOID = "void"
    FAULTED = "faulted"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class StageClaim:
    """One stage of a plan: its digest, its loss, and how precise it is.

    `scales` are the noise scales of its columns in order, `family` the mechanisms' names. `drawn`
    is what a later accountant needs of every draw. One that is `partial` may move twice as far
    where only some of a unit's rows go, those of one block: blocks pay for that.
    """

    digest: str
    loss: PrivacyLoss
    scales: tuple[float, ...]
    family: str
    drawn: tuple[Drawn, ...] = ()
    partial: bool = False

    def __post_init__(self) -> None:
        if not all(0 < scale < math.inf for scale in self.scales):
            raise ValueError("a noise scale is positive and finite")


@dataclass(frozen=True, slots=True)
class StoredStage:
    """A released stage that may serve again."""

    id: int
    digest: str
    scales: tuple[float, ...]
    family: str
    delta: int

    def serves(self, asked: StageClaim) -> bool:
        """Whether it is at least as precise as what is asked, by the same mechanisms.

        It may have more columns than are asked, after those that are.
        """
        return (
            self.digest == asked.digest
            and self.family == asked.family
            and self.delta >= asked.loss.delta
            and len(self.scales) >= len(asked.scales)
            and all(mine <= theirs for mine, theirs in zip(self.scales, asked.scales, strict=False))
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """All that a plan asks of the ledger; `delivery` is what it reads, kept until it ends.

    `due` is when its slot ends if it is run now: a public fact, for those who ask meanwhile.
    `asked` is the hash of the question, for the record: its text stands beside the query alone.
    `blocks` are those of the dataset's blocks that hold the rows it reads: each pays. `delivery` is
    that of the newest, `others` those of the rest. `earmark` is what the project keeps for later
    and is to pay for this. `terms` are those that it was planned under, as its planner writes them,
    to be planned so once more.
    """

    query: str
    project: str
    stages: tuple[StageClaim, ...]
    deadline: datetime
    analyst: str | None = None
    delivery: str | None = None
    due: datetime | None = None
    asked: str = ""
    blocks: tuple[str, ...] = ()
    earmark: str | None = None
    terms: str | None = None
    others: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.blocks)) != len(self.blocks):
            raise ValueError("a block is named once")
        if len({stage.digest for stage in self.stages}) != len(self.stages):
            raise ValueError("a stage is claimed once")
        if self.deadline.tzinfo is None:
            raise ValueError("a deadline has a time zone")


@dataclass(frozen=True, slots=True)
class Ground:
    """On what the plan of a query's charge was made: the deliveries that it reads, and its terms.

    `others` are those that it reads beside the newest, in no order.
    """

    query: str
    delivery: str | None
    terms: str | None
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Charge:
    """A claim that was granted: `loss` is charged, `served` are stored stages that cost nothing.

    `stages` are the digests that are paid for and must be run, `origins` the queries that paid for
    the others; `by` is who asked, `asked` the hash of the question. `entry` and `head` say where
    the dataset's chain stood once the charge was entered; None where nothing was. `holder` alone
    may end it; one that is `redeemed` was charged before its time.
    """

    id: int
    query: str
    project: str
    dataset: str
    loss: PrivacyLoss
    stages: tuple[str, ...]
    served: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    by: str | None = None
    asked: str = ""
    origins: Mapping[str, str] = field(default_factory=dict)
    entry: int | None = None
    head: str | None = None
    holder: str | None = field(default=None, repr=False)
    redeemed: bool = False


@dataclass(frozen=True, slots=True)
class QueryRecord:
    """A query as the ledger knows it; `number` orders the queries of all projects.

    `due` is until when it waits to be charged and, once it runs, when its slot ends. `refusal` says
    why it was not charged, where it waits no longer. `redeems` is the charge under which it may
    run, or has run, once more.
    """

    id: str
    number: int
    project: str
    member: str
    key: str | None
    digest: str
    request: bytes = field(repr=False)
    state: QueryState
    created: datetime
    deadline: datetime | None
    loss: PrivacyLoss | None
    incident: str | None
    due: datetime | None = None
    refusal: str | None = None
    redeems: int | None = None

    @property
    def pending(self) -> bool:
        """Whether something may still become of it by itself."""
        waits = self.state is QueryState.QUEUED and self.refusal is None
        return waits or self.state is QueryState.RUNNING


def served_by(stored: Iterable[StoredStage], asked: StageClaim) -> StoredStage | None:
    """The most precise stored stage that serves, the earliest of equals."""
    fitting = [stage for stage in stored if stage.serves(asked)]
    return min(fitting, key=lambda stage: (sum(stage.scales), stage.id), default=None)
