"""The record: every act that changes something passes here and leaves a line in its transaction.

`Record.act` is the one way for the gateway to write: what is done inside its block and the line
that tells it are committed together, or neither is. What changes nothing (refusals, quotes,
rehearsals, reading, failed sign-ins) is counted, and its counts are written a few seconds later, so
that nobody can make the ledger's disk wait by asking. Charges stand in their ceiling's own chain.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a line is a function of public facts: who, which act, names, codes and counts.
    Requires    no SQL, no literal and no value of a row is given as `about`.
    Why         lines are read by auditors and leave the house.
    Tried by    tests/gateway/test_record.py
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from budgets.storage import Storage, acts
from budgets.storage.acts import Done
from gateway.refusals import Invalid

MOST_COUNTED = 10_000
"""Different counts kept until they are written; what exceeds them is counted as one."""


class Deed(StrEnum):
    """What can be done: the words of the record."""

    DATASET_REGISTERED = "dataset.registered"
    PROJECT_OPENED = "project.opened"
    PROJECT_ALLOCATED = "project.allocated"
    PROJECT_TRANSFERRED = "project.transferred"
    PROJECT_LIMITED = "project.limited"
    PROJECT_TERM = "project.term"
    PROJECT_EARMARKED = "project.earmarked"
    EARMARK_LIFTED = "earmark.lifted"
    PROJECT_FROZEN = "project.frozen"
    PROJECT_THAWED = "project.thawed"
    PROJECT_PRESETS = "project.presets"
    GRANT_GIVEN = "grant.given"
    QUERY_REDEEMED = "query.redeemed"
    CEILING_RAISED = "ceiling.raised"
    CEILING_OVERCOMMITTED = "ceiling.overcommitted"
    DATASET_FROZEN = "dataset.frozen"
    DATASET_THAWED = "dataset.thawed"
    MEMBER_ADDED = "member.added"
    ROLE_GIVEN = "role.given"
    ROLE_TAKEN = "role.taken"
    KEY_MADE = "key.made"
    KEY_REVOKED = "key.revoked"
    KEY_ROTATED = "key.rotated"
    KEY_RATED = "key.rated"
    MEMBER_ENDED = "member.ended"
    BOOTSTRAP_MADE = "bootstrap.made"
    BOOTSTRAP_USED = "bootstrap.used"
    SIGNING_ROTATED = "signing.rotated"
    AUDIT_EXPORTED = "audit.exported"
    LEDGER_EXPORTED = "ledger.exported"
    BACKED_UP = "home.backed-up"
    RESTORED = "home.restored"
    SIGNED_IN = "sign-in"
    ASKED = "query.asked"
    READ = "query.read"
    QUOTED = "query.quoted"
    REHEARSED = "query.rehearsed"
    PLANNED = "budget.planned"
    REFUSED = "request.refused"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a member through a key, an operator on a terminal, or the gateway itself."""

    member: str
    key: str | None = None


GATEWAY = Actor("gateway")
NOBODY = Actor("nobody")
_acting: ContextVar[Actor] = ContextVar("acting", default=GATEWAY)


def acts_as(actor: Actor) -> None:
    """From now on, in this request or command, this is who acts."""
    _acting.set(actor)


@dataclass(frozen=True, slots=True)
class _Counted:
    by: Actor
    deed: Deed
    project: str | None
    outcome: str


class Record:
    """Adds lines to the record of one database."""

    def __init__(
        self, storage: Storage, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._storage, self._clock = storage, clock
        self._counts: Counter[_Counted] = Counter()
        self._guard = threading.Lock()

    @contextmanager
    def act(
        self, deed: Deed, project: str | None = None, **about: str | int | None
    ) -> Iterator[Any]:
        """A write transaction whose line tells what is done in it, committed as the block ends."""
        by = _acting.get()
        if not str(about.get("reason", deed)).strip():
            raise Invalid("Say why: the reason stands in the record.")
        with self._storage.begin() as tx:
            yield tx
            done = Done(deed.value, by.member, by.key, project, about=about)
            acts.append(tx, [done], self._clock())

    def told(self, deed: Deed, project: str | None = None, **about: str | int | None) -> None:
        """A line of something that changes no other row."""
        with self.act(deed, project, **about):
            pass

    def count(
        self, deed: Deed, outcome: str = "done", project: str | None = None, by: Actor | None = None
    ) -> None:
        """Count an act that changes nothing; `write` tells it."""
        counted = _Counted(by or _acting.get(), deed, project, outcome)
        with self._guard:
            if len(self._counts) >= MOST_COUNTED and counted not in self._counts:
                counted = _Counted(NOBODY, deed, None, "too-many-to-tell")
            self._counts[counted] += 1

    def write(self) -> None:
        """Write what was counted since the last time; kept for the next one where that fails."""
        with self._guard:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        done = [
            Done(one.deed.value, one.by.member, one.by.key, one.project, one.outcome,
                 {"count": number})
            for one, number in counts.items()
        ]  # fmt: skip
        try:
            with self._storage.begin() as tx:
                acts.append(tx, done, self._clock())
        except BaseException:
            with self._guard:
                self._counts += counts
            raise
