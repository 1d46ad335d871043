"""Acts of administrators on the ledger: each is one transaction, durable before it returns.

Each takes `within`, a transaction of the caller's, to become one act with it; says by whom and why;
and is an entry of the dataset's chain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from fractions import Fraction

from sqlalchemy import Connection

from budgets import earmarking, expiring, forfeiting, freezing, granting, opening, redeeming
from budgets.account import Grant, grant
from budgets.charge import Ground
from budgets.earmarking import Part
from budgets.storage import Storage


def utc() -> datetime:
    """This moment, with its zone."""
    return datetime.now(UTC)


class Administration:
    """What administrators do to accounts and projects of one store."""

    def __init__(self, storage: Storage, clock: Callable[[], datetime] = utc) -> None:
        self._storage = storage
        self._clock = clock

    def open_dataset(
        self,
        dataset: str,
        ceiling_epsilon: Fraction,
        ceiling_delta: Fraction,
        *,
        unit: str = "",
        within: Connection | None = None,
    ) -> None:
        """Open a dataset's ceiling; again with the same one, nothing happens."""
        with self._act(within) as tx:
            ceiling = grant(ceiling_epsilon, ceiling_delta)
            opening.open_dataset(tx, dataset, ceiling, unit, self._clock())

    def open_block(
        self,
        dataset: str,
        block: str,
        ceiling: Grant,
        *,
        note: Mapping[str, object] | None = None,
        within: Connection | None = None,
    ) -> None:
        """Open the ceiling of one block; what stands already keeps what was charged to it."""
        with self._act(within) as tx:
            opening.open_block(tx, dataset, block, ceiling, note or {}, self._clock())

    def raise_ceiling(
        self,
        dataset: str,
        ceiling_epsilon: Fraction,
        ceiling_delta: Fraction,
        by: str,
        reason: str,
        *,
        block: str | None = None,
        within: Connection | None = None,
    ) -> None:
        """Give a dataset, or one block of it, a larger ceiling."""
        with self._act(within) as tx:
            ceiling = grant(ceiling_epsilon, ceiling_delta)
            granting.raise_ceiling(tx, dataset, ceiling, by, reason, self._clock(), block)

    def overcommit(
        self,
        dataset: str,
        percent: int,
        by: str,
        reason: str,
        *,
        within: Connection | None = None,
    ) -> None:
        """Let a ceiling promise so many per cent of what it holds; charging stops at it still."""
        with self._act(within) as tx:
            granting.overcommit(tx, dataset, percent, by, reason, self._clock())

    def open_project(
        self, project: str, dataset: str, *, title: str = "", within: Connection | None = None
    ) -> None:
        """Open a project; it has no budget until something is allocated."""
        with self._act(within) as tx:
            opening.open_project(tx, project, dataset, title, self._clock())

    def allocate(
        self,
        project: str,
        epsilon: Fraction,
        delta: Fraction | None,
        by: str,
        reason: str,
        *,
        until: datetime | None = None,
        within: Connection | None = None,
    ) -> None:
        """Add to a project's budget; its first allocation fixes accountant and delta.

        All of it ends at `until`, if that is named, else when it ended before.
        """
        with self._act(within) as tx:
            granting.allocate(tx, project, epsilon, delta, by, reason, self._clock(), until)

    def term(
        self,
        project: str,
        until: datetime | None,
        by: str,
        reason: str,
        *,
        within: Connection | None = None,
    ) -> None:
        """Let a project's allocation end then, or not at all."""
        with self._act(within) as tx:
            expiring.term(tx, project, until, by, reason, self._clock())

    def earmark(
        self,
        project: str,
        label: str,
        part: Part,
        by: str,
        reason: str,
        *,
        within: Connection | None = None,
    ) -> None:
        """Keep a part of a project's budget for later, under a name."""
        with self._act(within) as tx:
            earmarking.earmark(tx, project, label, part, by, reason, self._clock())

    def lift(
        self, project: str, label: str, by: str, reason: str, *, within: Connection | None = None
    ) -> None:
        """Give what is kept under a name back to the project."""
        with self._act(within) as tx:
            earmarking.lift(tx, project, label, by, reason, self._clock())

    def expire(self, dataset: str) -> bool:
        """Return what ended allocations of a dataset have not spent; whether there was any."""
        with self._storage.read() as tx:
            if not expiring.due(tx, opening.ceiling_of(tx, dataset), self._clock()):
                return False
        with self._act(None) as tx:
            expiring.returned(tx, opening.root_of(tx, dataset), self._clock())
        return True

    def transfer(
        self,
        giver: str,
        receiver: str,
        epsilon: Fraction,
        by: str,
        reason: str,
        *,
        within: Connection | None = None,
    ) -> None:
        """Move epsilon from one project's budget to that of another of the same dataset."""
        with self._act(within) as tx:
            granting.transfer(tx, giver, receiver, epsilon, by, reason, self._clock())

    def limit(
        self,
        project: str,
        analyst: str,
        epsilon: Fraction,
        by: str,
        reason: str,
        *,
        within: Connection | None = None,
    ) -> None:
        """Limit what one analyst may spend of a project's budget, or change that limit."""
        with self._act(within) as tx:
            granting.limit(tx, project, analyst, epsilon, by, reason, self._clock())

    def freeze(
        self, project: str, by: str, reason: str, *, within: Connection | None = None
    ) -> None:
        """Admit nothing more of a project, and nobody to it."""
        with self._act(within) as tx:
            freezing.freeze_project(tx, project, True, by, reason, self._clock())

    def thaw(self, project: str, by: str, reason: str, *, within: Connection | None = None) -> None:
        """Admit a project's queries again and forget its faults."""
        with self._act(within) as tx:
            freezing.freeze_project(tx, project, False, by, reason, self._clock())

    def freeze_dataset(
        self, dataset: str, by: str, reason: str, *, within: Connection | None = None
    ) -> None:
        """Admit nothing more of any project of a dataset, and nobody to them."""
        with self._act(within) as tx:
            freezing.freeze_dataset(tx, dataset, True, by, reason, self._clock())

    def thaw_dataset(
        self, dataset: str, by: str, reason: str, *, within: Connection | None = None
    ) -> None:
        """Lift the freeze of a dataset; a project that is frozen itself stays so."""
        with self._act(within) as tx:
            freezing.freeze_dataset(tx, dataset, False, by, reason, self._clock())

    def forfeit(
        self, dataset: str, by: str, reason: str, *, within: Connection | None = None
    ) -> None:
        """Charge all that is left of a ceiling, since nobody can say what was spent of it."""
        with self._act(within) as tx:
            forfeiting.forfeit(tx, dataset, by, reason, self._clock())

    def redeem(
        self, project: str, query: str, by: str, reason: str, *, within: Connection | None = None
    ) -> Ground:
        """Let a query whose run failed be asked once more under the charge that stands."""
        with self._act(within) as tx:
            return redeeming.redeem(tx, project, query, by, reason, self._clock())

    def _act(self, within: Connection | None) -> AbstractContextManager[Connection]:
        return self._storage.begin() if within is None else nullcontext(within)
