"""What administrators do to budgets: each act once, for the interface and for the command line.

An act and its line in the record are one transaction; the ledger's chain has its reason and actor.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from fractions import Fraction
from typing import Any

import structlog

from budgets.account import Kind
from budgets.amounts import PICO
from budgets.earmarking import Part
from budgets.ledger import Ledger
from budgets.refusals import UnknownBlock
from budgets.standing import BudgetStatus, status
from gateway import budgeting
from gateway.keyring import held_roles
from gateway.prices import share
from gateway.record import Deed, Record
from gateway.redoing import Redone
from gateway.refusals import Invalid
from gateway.registry import checked_name

log = structlog.get_logger()


class Steward:
    """Budgets given, moved, limited and frozen; `by` is who acts and `reason` why."""

    def __init__(self, ledger: Ledger, record: Record, redone: Redone) -> None:
        self._ledger, self._record, self._redone = ledger, record, redone

    def transfer(self, giver: str, receiver: str, epsilon: Fraction, by: str, reason: str) -> None:
        """Move epsilon from one project's budget to another's of the same dataset."""
        told = {"to": receiver, "epsilon": str(epsilon), "reason": reason}
        with self._told(Deed.PROJECT_TRANSFERRED, giver, **told) as tx:
            self._ledger.transfer(giver, receiver, epsilon, by, reason, within=tx)

    def limit(self, project: str, member: str, epsilon: Fraction, by: str, reason: str) -> None:
        """Limit what one member may spend of a project's budget; Invalid where it has no role."""
        told = {"member": checked_name(member), "epsilon": str(epsilon), "reason": reason}
        with self._told(Deed.PROJECT_LIMITED, project, **told) as tx:
            if not any(of in (project, None) for of, _ in held_roles(tx, member)):
                raise Invalid("A limit is for a member who has a role in the project: give one.")
            self._ledger.limit(project, member, epsilon, by, reason, within=tx)

    def term(self, project: str, until: datetime | None, by: str, reason: str) -> None:
        """Let a project's allocation end then, or not at all."""
        told = {"until": None if until is None else until.isoformat(), "reason": reason}
        with self._told(Deed.PROJECT_TERM, project, **told) as tx:
            self._ledger.term(project, until, by, reason, within=tx)

    def earmark(self, project: str, name: str, part: Part, by: str, reason: str) -> None:
        """Keep a part of a project's budget for later, under a name."""
        told = {"earmark": checked_name(name), "kept": part.words, "reason": reason}
        with self._told(Deed.PROJECT_EARMARKED, project, **told) as tx:
            self._ledger.earmark(project, name, part, by, reason, within=tx)

    def lift(self, project: str, name: str, by: str, reason: str) -> None:
        """Give what is kept under a name back to the project."""
        with self._told(Deed.EARMARK_LIFTED, project, earmark=name, reason=reason) as tx:
            self._ledger.lift(project, name, by, reason, within=tx)

    def freeze(self, project: str, by: str, reason: str) -> None:
        """Stop a project: nothing is charged, and its members' keys and sessions open nothing."""
        with self._told(Deed.PROJECT_FROZEN, project, reason=reason) as tx:
            self._ledger.freeze(project, by, reason, within=tx)

    def redeem(self, project: str, query: str, by: str, reason: str) -> None:
        """Let a query whose run failed be asked once more under the charge that stands.

        Raises DeliveryGone, and changes nothing, where what it reads is not kept any more.
        """
        with self._told(Deed.QUERY_REDEEMED, project, query=query, reason=reason) as tx:
            self._redone.past(self._ledger.redeem(project, query, by, reason, within=tx))

    def raise_ceiling(
        self,
        dataset: str,
        epsilon: Fraction,
        delta: Fraction | None,
        by: str,
        reason: str,
        block: str | None = None,
    ) -> None:
        """Give a dataset, or one block, a larger ceiling; without a delta it keeps its own."""
        stands = self._ledger.ceiling(dataset) if block is None else self._block(dataset, block)
        to = (epsilon, stands.delta if delta is None else delta)
        told = {"dataset": dataset, "epsilon": str(epsilon), "reason": reason}
        told |= {} if block is None else {"block": block}
        with self._told(Deed.CEILING_RAISED, **told) as tx:
            self._ledger.raise_ceiling(dataset, *to, by, reason, block=block, within=tx)

    def _block(self, dataset: str, block: str) -> BudgetStatus:
        found = {one.name: one for one in self._ledger.blocks(dataset)}
        if block not in found:
            raise UnknownBlock(block)
        return found[block]

    def blocks(self, dataset: str) -> list[dict[str, str]]:
        """The ceilings of a dataset's blocks, and how much of each is spent and left."""
        return [
            {
                "block": one.name,
                "epsilon": budgeting.decimal(one.epsilon),
                "delta": budgeting.decimal(one.delta),
                "spent": budgeting.percent(share(one.reserved, one) + share(one.spent, one)),
                "left": budgeting.percent(share(one.remaining, one), up=False),
            }
            for one in self._ledger.blocks(dataset)
        ]

    def overcommit(self, dataset: str, percent: int, by: str, reason: str) -> None:
        """Let a ceiling promise its projects so many per cent of what it holds."""
        deed = Deed.CEILING_OVERCOMMITTED
        with self._told(deed, dataset=dataset, per_cent=percent, reason=reason) as tx:
            self._ledger.overcommit(dataset, percent, by, reason, within=tx)

    def freeze_dataset(self, dataset: str, by: str, reason: str) -> None:
        """Stop all projects of a dataset."""
        with self._told(Deed.DATASET_FROZEN, dataset=dataset, reason=reason) as tx:
            self._ledger.freeze_dataset(dataset, by, reason, within=tx)

    def thaw_dataset(self, dataset: str, by: str, reason: str) -> None:
        """Let the projects of a dataset ask again, but for those that are frozen themselves."""
        with self._told(Deed.DATASET_THAWED, dataset=dataset, reason=reason) as tx:
            self._ledger.thaw_dataset(dataset, by, reason, within=tx)

    def ceiling(self, dataset: str) -> dict[str, Any]:
        """A dataset's ceiling: what it holds, has promised, has lost, and what each project has."""
        standing = self._ledger.standing(dataset)
        root, whole = standing[0]
        figures = {
            "allocated": whole.promised,
            "reserved": whole.reserved,
            "spent": whole.spent,
            "remaining": whole.remaining,
        }
        return {
            "dataset": dataset,
            "accountant": whole.accountant.value,
            "frozen": whole.frozen,
            "ceiling": {
                "epsilon": budgeting.decimal(whole.epsilon),
                "delta": budgeting.decimal(whole.delta),
            },
            "promises_at_most": f"{root.overcommit}%",
            "blocks": self.blocks(dataset),
        } | {
            name: budgeting.loss_shown(loss, whole, up=name != "remaining")
            for name, loss in figures.items()
        } | {
            "projects": [
                {
                    "project": account.name,
                    "epsilon": budgeting.decimal(status.epsilon),
                    "delta": budgeting.decimal(status.delta),
                    "spent": budgeting.loss_shown(status.spent, status)["budget_share"],
                    "left": budgeting.loss_shown(status.remaining, status, up=False)[
                        "budget_share"
                    ],
                }
                for account, status in standing
                if account.kind is Kind.PROJECT
            ]
        }  # fmt: skip

    def earmarks(self, project: str) -> list[dict[str, str]]:
        """What a project keeps for later: of its whole budget, and of what was kept at first."""
        whole, found = self._ledger.budget(project), []
        for one in self._ledger.earmarks(project):
            left = self._ledger.budget(project, None, one.name).remaining
            own = status(one)
            found.append({
                "earmark": one.name,
                "left": budgeting.loss_shown(left, whole, up=False)["budget_share"],
                "of_it": budgeting.loss_shown(left, own, up=False)["budget_share"],
            })  # fmt: skip
        return found

    def limits(self, project: str, dataset: str) -> list[dict[str, str]]:
        """What single members may spend of a project, and have left."""
        return [
            {
                "member": account.name,
                "epsilon": budgeting.decimal(Fraction(account.grant.epsilon, PICO)),
                "left": budgeting.loss_shown(status.remaining, status, up=False)["budget_share"],
            }
            for account, status in self._ledger.standing(dataset)
            if account.kind is Kind.ANALYST and account.owner == project
        ]

    @contextmanager
    def _told(
        self, deed: Deed, project: str | None = None, **about: str | int | None
    ) -> Iterator[Any]:
        """One act with its line in the record; amounts that nobody could mean are invalid."""
        try:
            with self._record.act(deed, project, **about) as tx:
                yield tx
        except ValueError as error:
            raise Invalid(str(error)) from None
        log.info(deed.value, project=project, dataset=about.get("dataset"))
