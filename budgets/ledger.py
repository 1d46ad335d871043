"""The ledger: one transaction for each step of a charge, durable before it returns.

    accept -> reserve -> started -> (run) -> settle | fault
                      -> void, before `started` alone
    recover: what is reserved past its deadline is lost and stays charged

LEDGER.md tells what a crash between any two steps leaves behind.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Connection

from budgets import (
    charging,
    earmarking,
    expiring,
    freezing,
    opening,
    redeeming,
    reporting,
    waiting,
)
from budgets.account import Account
from budgets.administration import Administration, utc
from budgets.admission import Policy, due
from budgets.chain import Entry
from budgets.charge import Charge, ChargeState, Claim, Ground, QueryRecord, StageClaim
from budgets.loss import NONE, PrivacyLoss
from budgets.refusals import AllocationExpired, ChargeClosed, NotRedeemable
from budgets.reporting import Verification
from budgets.sorting import sort
from budgets.standing import BudgetStatus, kept, status
from budgets.storage import Storage, accounts, charges, journal, queries
from budgets.storage.faults import StorageBusy, StorageUnusable


class Ledger(Administration):
    """Accounts, queries and charges in one store; safe for threads and for several processes."""

    def __init__(
        self,
        storage: Storage,
        policy: Policy | None = None,
        clock: Callable[[], datetime] = utc,
    ) -> None:
        super().__init__(storage, clock)
        self._policy = policy or Policy()
        self._voidable: set[tuple[int, int]] = set()
        self._guard = threading.Lock()

    # Queries

    def accept(
        self,
        project: str,
        member: str,
        key: str | None,
        body_digest: str,
        request: bytes,
        *,
        until: datetime | None = None,
        fresh: bool = False,
    ) -> QueryRecord:
        """Store a submission, free; the same key and body again is the same query.

        It waits to be charged, until `until` if that is named. The same body is also that of a
        query that was redeemed, unless it asks for a `fresh` draw, which is its own key's alone.
        """
        name = secrets.token_hex(16)
        words = (project, member, key, body_digest, request, self._clock(), until)
        return self._storage.act(
            project,
            lambda tx: waiting.accept(tx, name, *words, fresh=fresh),
            lambda tx: queries.find(tx, project, name),
        )

    def find(self, project: str, key: str | None, body_digest: str) -> QueryRecord | None:
        """The query that this key made with this body, if any; another body is refused."""
        with self._storage.read() as tx:
            return waiting.known(tx, project, key, body_digest)

    def ground_of(
        self, project: str, key: str | None, body_digest: str, *, fresh: bool = False
    ) -> Ground | None:
        """On what the charge was planned under which this submission would be run once more."""
        with self._storage.read() as tx:
            found = waiting.known(tx, project, key, body_digest)
            if found is None and not fresh:
                found = queries.redeemed(tx, project, body_digest)
            return redeeming.redeemed(tx, found)

    def query(self, project: str, query: str, *, seen_by: str | None = None) -> QueryRecord:
        """One query of a project; what has not ended is not there for another than its member."""
        with self._storage.read() as tx:
            if seen_by is not None:
                return queries.seen(tx, project, query, seen_by)
            return queries.get(tx, project, query)

    def project_of(self, query: str) -> str:
        """The project that a query belongs to."""
        with self._storage.read() as tx:
            return queries.project_of(tx, query)

    def queries(
        self,
        project: str,
        after: int | None = None,
        limit: int = 50,
        *,
        seen_by: str | None = None,
    ) -> Sequence[QueryRecord]:
        """A project's queries, latest first; `after` is the number of the last one seen.

        A member that is named as `seen_by` sees of those that have not ended its own alone.
        """
        with self._storage.read() as tx:
            opening.dataset_of(tx, project)
            return queries.listed(tx, project, after, limit, seen_by)

    def document(self, project: str, query: str) -> bytes | None:
        """What a query released, to the byte, or None if it has released nothing."""
        with self._storage.read() as tx:
            return queries.document(tx, project, query)

    def first_table(self, project: str, stage: str) -> bytes | None:
        """The noisy table that a project released first of a stage, or None before it did."""
        with self._storage.read() as tx:
            return charges.first(tx, project, stage)

    # Charges

    def quote(
        self, project: str, stages: Sequence[StageClaim], body_digest: str | None = None
    ) -> PrivacyLoss:
        """What these stages would be charged now; `reserve` charges the same to the last digit.

        Nothing, for a body that waits to be asked under a charge that was redeemed.
        """
        with self._storage.read() as tx:
            opening.dataset_of(tx, project)
            if body_digest is not None and redeeming.waiting(
                tx, project, body_digest, stages, self._policy
            ):
                return NONE
            return due(sort(tx, project, stages).unserved, self._policy.floor)

    def reserve(self, claim: Claim) -> Charge:
        """Charge a claim, on disk, before anything is read; a stored stage costs nothing."""
        holder = secrets.token_hex(16)
        made: list[Charge] = []

        def reserve(tx: Connection) -> Charge:
            made.append(charging.reserve(tx, claim, holder, self._policy, self._clock()))
            return made[-1]

        def reserved(tx: Connection) -> Charge | None:
            return next((one for one in made if charging.reserved_by(tx, one, holder)), None)

        try:
            charge = self._storage.act(claim.project, reserve, reserved)
        except NotRedeemable:
            self.lapse(claim.project, claim.query)
            raise
        except AllocationExpired as error:
            self._returned(error.dataset)
            raise
        with self._guard:
            self._voidable.add((os.getpid(), charge.id))
        return charge

    def lapse(self, project: str, query: str) -> None:
        """End a redeemed query that can be run no more, unless it has been taken up meanwhile."""
        with self._storage.begin() as tx:
            redeeming.lapse(tx, project, query, self._clock())

    def started(self, charge: Charge) -> None:
        """The plan is about to leave for the enclave: from now on the charge cannot be voided."""
        if not self._take(charge):
            raise ChargeClosed

    def settle(self, charge: Charge, document: bytes, stages: Mapping[str, bytes]) -> None:
        """Store the release and its stages, on disk; only then may it be sent."""
        if stages.keys() != set(charge.stages):
            raise ValueError("a settlement holds exactly the stages that were paid for")
        if self._take(charge) and charge.stages:
            raise ValueError("a charge with stages to run is started before it is settled")
        self._end(
            charge,
            ChargeState.SETTLED,
            lambda tx: charging.settle(tx, charge, document, stages, self._clock()),
        )

    def void(self, charge: Charge) -> None:
        """Take a charge back: by the ledger that reserved it, and only before `started`."""
        if not self._take(charge):
            raise ChargeClosed
        state = ChargeState.FAULTED if charge.redeemed else ChargeState.VOID
        self._end(charge, state, lambda tx: charging.void(tx, charge, self._clock()))

    def fault(self, charge: Charge, incident: str) -> None:
        """End a charge whose run failed: it stays charged."""
        self._take(charge)
        ended = charges.OpenCharge(
            charge.id, charge.query, charge.project, charge.dataset, charge.holder
        )
        self._end(
            ended,
            ChargeState.FAULTED,
            lambda tx: charging.fail(
                tx, ended, ChargeState.FAULTED, incident, self._policy, self._clock()
            ),
        )

    def recover(self, now: datetime) -> tuple[str, ...]:
        """Declare lost what is reserved past its deadline; the queries concerned. Voids nothing."""
        with self._storage.read() as tx:
            overdue = charges.overdue(tx, now)
        return tuple(item.query for item in overdue if self._lost(item))

    def in_use(self, delivery: str) -> bool:
        """Whether what runs, or may be run once more, reads this delivery: its file must stay."""
        with self._storage.read() as tx:
            return charges.reads(tx, delivery)

    # Reports

    def budget(
        self, project: str, analyst: str | None = None, earmark: str | None = None
    ) -> BudgetStatus:
        """A project's budget as it stands, or that of one analyst's limit within it.

        With an `earmark` what is left is what the project keeps under that name.
        """
        with self._storage.read() as tx:
            root, whole, *limit = charging.path_of(tx, project, analyst)
            expired = expiring.ended(root, whole, self._clock())
            last = limit[0] if limit and earmark is None else whole
            found = status(last, *freezing.standing(tx, project), expired=expired)
            if earmark is not None:
                found = kept(earmarking.named(tx, project, earmark), found, *limit)
        if expired and whole.cap != whole.taken:
            self._returned(root.dataset)
        return found

    def earmarks(self, project: str) -> Sequence[Account]:
        """What a project keeps for later, by name."""
        with self._storage.read() as tx:
            opening.dataset_of(tx, project)
            return accounts.earmarks(tx, project)

    def ceiling(self, dataset: str) -> BudgetStatus:
        """A dataset's ceiling as it stands, over all its projects and deliveries."""
        self._returned(dataset)
        with self._storage.read() as tx:
            return status(root := opening.ceiling_of(tx, dataset), root.frozen)

    def standing(self, dataset: str) -> Sequence[tuple[Account, BudgetStatus]]:
        """Every account under a ceiling, the ceiling first, each with its figures."""
        self._returned(dataset)
        with self._storage.read() as tx:
            found = accounts.of_dataset(tx, opening.ceiling_of(tx, dataset).dataset)
            return [(one, status(one, one.frozen)) for one in found]

    def blocks(self, dataset: str) -> tuple[BudgetStatus, ...]:
        """The ceilings of a dataset's blocks as they stand, by name."""
        with self._storage.read() as tx:
            return reporting.blocks(tx, dataset)

    def verify(self, dataset: str) -> Verification:
        """Recompute the chain, the accounts and the hashes of all that was released."""
        with self._storage.read() as tx:
            root = opening.ceiling_of(tx, dataset)
            ends = journal.head(tx, root.id)
            return reporting.verify(tx, root, *ends, self._storage.place)

    def entries(self, dataset: str, after: int = 0) -> Iterator[tuple[Entry, str]]:
        """The entries of a dataset's chain in order, each with its hash, for export."""
        with self._storage.read() as tx:
            yield from journal.entries(tx, dataset, after)

    def _returned(self, dataset: str) -> None:
        """Return what has ended, if that can be done now: the next one who looks does it else."""
        with suppress(StorageBusy, StorageUnusable):
            self.expire(dataset)

    def _take(self, charge: Charge) -> bool:
        """Give up the right to void a charge; says whether it was still held here."""
        held = (os.getpid(), charge.id)
        with self._guard:
            if held not in self._voidable:
                return False
            self._voidable.remove(held)
            return True

    def _end(
        self,
        charge: Charge | charges.OpenCharge,
        state: ChargeState,
        end: Callable[[Connection], None],
    ) -> None:
        """End a charge once, also where the connection breaks in the midst of it."""

        def once(tx: Connection) -> bool:
            end(tx)
            return True

        def ended(tx: Connection) -> bool | None:
            return charging.ended(tx, charge, state) or None

        self._storage.act(charge.project, once, ended)

    def _lost(self, item: charges.OpenCharge) -> bool:
        incident = secrets.token_hex(8)
        try:
            self._end(
                item,
                ChargeState.LOST,
                lambda tx: charging.fail(
                    tx, item, ChargeState.LOST, incident, self._policy, self._clock()
                ),
            )
        except ChargeClosed:
            return False
        return True
