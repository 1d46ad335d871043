"""Which stages of a claim are stored already, and which must be run and paid for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from budgets.charge import StageClaim, served_by
from budgets.storage import charges
from budgets.storage.prepared import Answer


@dataclass(frozen=True, slots=True)
class Sorted:
    """The stages of a claim: those that are stored already, by id, and those to be run.

    `in_flight` says whether one of the latter is being run for another query now.
    """

    served: Mapping[str, int]
    unserved: tuple[StageClaim, ...]
    in_flight: bool


def sort(tx: Connection, project: str, stages: Sequence[StageClaim]) -> Sorted:
    """Which stages a stored release serves, and which must be run and paid for."""
    return sorted_by(asked(tx, project, stages), stages)


def asked(tx: Connection, project: str, stages: Sequence[StageClaim]) -> Sequence[Answer]:
    """Ask for what is stored of these stages, to sort them by it later."""
    return charges.look(tx, project, [stage.digest for stage in stages])


def sorted_by(sent: Sequence[Answer], stages: Sequence[StageClaim]) -> Sorted:
    """Stages sorted by what was asked of them before."""
    stored, running = charges.stored(sent)
    serving = {stage.digest: served_by(stored, stage) for stage in stages}
    unserved = tuple(stage for stage in stages if serving[stage.digest] is None)
    return Sorted(
        served={digest: found.id for digest, found in serving.items() if found is not None},
        unserved=unserved,
        in_flight=any(stage.digest in running for stage in unserved),
    )
