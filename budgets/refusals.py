"""Refusals of the ledger: decided from accounts and requests, never from private rows.

    BudgetRefused
        BudgetExceeded          the loss asked for is more than what remains
            CeilingReached      ... of an account that the caller may not see
        AllocationExceeded      a project is promised more than its dataset's ceiling holds
        NotFree                 what is to be taken from an account was charged already
        Overcommitted           a ceiling has promised more than it holds
        PureBudget              a loss that is not pure meets a pure account
        NothingAllocated        the project has no budget yet
        AllocationExpired       ... no longer: its allocation has ended
        KeyReused, InFlight, AlreadyAnswered, ChargeClosed, NotRedeemable
        ProjectFrozen, DatasetFrozen
        UnknownProject, UnknownDataset, UnknownBlock, UnknownQuery, UnknownEarmark, NameTaken,
        OtherDataset
        CeilingDiffers, AboveCeiling, DeltaFixed

No refusal knows an HTTP status; the gateway maps classes to problems.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from budgets.loss import PrivacyLoss

if TYPE_CHECKING:
    from budgets.account import Kind
    from budgets.standing import BudgetStatus


class BudgetRefused(Exception):
    """The ledger does not admit what was asked; the text says why and `hint` what to do."""

    code = "budget-refused"
    hint: str | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BudgetExceeded(BudgetRefused):
    """The loss asked for is more than what remains; both are told, as shares of the budget too."""

    code = "budget-exceeded"
    hint = "What remains is what fits: ask for less, group more coarsely, or ask for an allocation."

    def __init__(self, requested: PrivacyLoss, budget: BudgetStatus) -> None:
        super().__init__(f"The budget of this {budget.kind.value} does not suffice for this query.")
        self.requested = requested
        self.budget = budget

    @property
    def remaining(self) -> PrivacyLoss:
        """What is left of the account."""
        return self.budget.remaining


class CeilingReached(BudgetExceeded):
    """An account above the project is exhausted.

    What remains of it is not the caller's to see: `budget` is the one with the least left along
    the path that the caller may see (P24), so that can be more than what was requested.
    """

    code = "ceiling-reached"
    hint = "Ask for less, or ask an administrator about the dataset's ceiling."

    def __init__(self, requested: PrivacyLoss, budget: BudgetStatus) -> None:
        super().__init__(requested, budget)
        self.message = "A ceiling above this project does not admit this query."
        self.args = (self.message,)


class AllocationExceeded(BudgetRefused):
    """All projects together would be promised more than the dataset's ceiling."""

    code = "allocation-exceeded"
    hint = "Allocate less, or with a smaller delta."

    def __init__(self, requested: PrivacyLoss, remaining: PrivacyLoss) -> None:
        super().__init__("The dataset's ceiling does not hold this allocation beside the others.")
        self.requested = requested
        self.remaining = remaining


class NotFree(BudgetRefused):
    """An account cannot become so small: what is to be taken from it was charged already."""

    code = "not-free"
    hint = "Take less: what is reserved and spent stays, and so does a part to hold it."

    def __init__(self, requested: PrivacyLoss, remaining: PrivacyLoss) -> None:
        super().__init__("So much of this budget is not free.")
        self.requested = requested
        self.remaining = remaining


class Overcommitted(BudgetRefused):
    """A dataset's projects were promised more than the new policy lets its ceiling promise."""

    code = "overcommitted"
    hint = "Keep the policy: what was promised to a project is not taken back."

    def __init__(self, dataset: str) -> None:
        super().__init__(f"The ceiling of dataset {dataset} has promised more than that.")
        self.dataset = dataset


class PureBudget(BudgetRefused):
    """A pure account admits pure losses only: no Gaussian noise and no delta."""

    code = "pure-budget"
    hint = "Use a budget with a delta, or group by declared keys."

    def __init__(self, kind: Kind) -> None:
        super().__init__(f"The budget of this {kind.value} is pure: it admits no delta.")
        self.kind = kind


class NothingAllocated(BudgetRefused):
    """The project has no budget yet."""

    code = "nothing-allocated"
    hint = "An administrator allocates a budget to the project."

    def __init__(self, project: str) -> None:
        super().__init__(f"Project {project} has no budget yet.")
        self.project = project


class AllocationExpired(BudgetRefused):
    """The project's allocation has ended; what it had not spent went back to the dataset."""

    code = "allocation-expired"
    hint = "Ask an administrator for a new allocation. What was released stays free to ask again."

    def __init__(self, project: str, dataset: str, ended: datetime) -> None:
        at = ended.astimezone(UTC).isoformat(timespec="seconds")
        super().__init__(f"The allocation of project {project} ended at {at}.")
        self.project, self.dataset = project, dataset


class KeyReused(BudgetRefused):
    """The idempotency key was used before, with another body."""

    code = "key-reused"
    hint = "Send the same body again, or choose a new key."

    def __init__(self) -> None:
        super().__init__("This idempotency key was used before, with another request.")


class InFlight(BudgetRefused):
    """The same query, or a stage of it, is being answered now."""

    code = "in-flight"
    hint = "Wait until it is answered, then ask again: what was released is free."

    def __init__(self) -> None:
        super().__init__("The same question is being answered now.")


class AlreadyAnswered(BudgetRefused):
    """The query has ended: it was released or it faulted, and it is not charged again."""

    code = "already-answered"
    hint = "Read the query's state, or submit it anew."

    def __init__(self) -> None:
        super().__init__("This query has ended and is not run again.")


class ChargeClosed(BudgetRefused):
    """The charge is settled, void, faulted or lost; what it holds cannot change any more."""

    code = "charge-closed"

    def __init__(self) -> None:
        super().__init__("The charge of this query is closed.")


class NotRedeemable(BudgetRefused):
    """The charge pays for no other run: it did not fail, was redeemed, or is planned otherwise."""

    code = "not-redeemable"
    hint = "Ask again: it is a question of its own, charged as any other."

    def __init__(self) -> None:
        super().__init__("The charge of this query cannot be redeemed.")


class ProjectFrozen(BudgetRefused):
    """The project is frozen, by three faults or by an administrator."""

    code = "project-frozen"
    hint = "An administrator looks into it and thaws the project."

    def __init__(self, project: str) -> None:
        super().__init__(f"Project {project} is frozen.")
        self.project = project


class DatasetFrozen(BudgetRefused):
    """An administrator has frozen the dataset, and with it all its projects."""

    code = "dataset-frozen"
    hint = "An administrator looks into it and thaws the dataset."

    def __init__(self, dataset: str) -> None:
        super().__init__(f"Dataset {dataset} is frozen.")
        self.dataset = dataset


class OtherDataset(BudgetRefused):
    """A transfer is between two projects of one dataset."""

    code = "other-dataset"
    hint = "Name another project of the same dataset."

    def __init__(self, project: str) -> None:
        super().__init__(f"Project {project} is no other project of the same dataset.")
        self.project = project


class UnknownProject(BudgetRefused):
    """There is no such project."""

    code = "unknown-project"

    def __init__(self, project: str) -> None:
        super().__init__(f"There is no project {project}.")
        self.project = project


class UnknownDataset(BudgetRefused):
    """There is no such dataset."""

    code = "unknown-dataset"

    def __init__(self, dataset: str) -> None:
        super().__init__(f"There is no dataset {dataset}.")
        self.dataset = dataset


class UnknownBlock(BudgetRefused):
    """The dataset has no such block, or it has blocks and none was named."""

    code = "unknown-block"
    hint = "The dataset's page lists its blocks; without one the newest is read."

    def __init__(self, block: str | None, words: str | None = None) -> None:
        named = "There is no such block" if block is None else f"There is no block {block}"
        super().__init__(words or f"{named} of this dataset.")
        self.block = block


class UnknownEarmark(BudgetRefused):
    """The project keeps nothing for later under this name."""

    code = "unknown-earmark"
    hint = "The project's budget lists what it keeps; ask without `from_earmark` to be charged it."

    def __init__(self, earmark: str) -> None:
        super().__init__(f"This project keeps nothing under the name {earmark}.")
        self.earmark = earmark


class UnknownQuery(BudgetRefused):
    """There is no such query in this project."""

    code = "unknown-query"

    def __init__(self) -> None:
        super().__init__("There is no such query in this project.")


class NameTaken(BudgetRefused):
    """The name is in use already."""

    code = "name-taken"
    hint = "Choose another name."

    def __init__(self, name: str) -> None:
        super().__init__(f"The name {name} is in use already.")
        self.name = name


class CeilingDiffers(BudgetRefused):
    """The dataset was opened with another ceiling; changing it is an act of its own."""

    code = "ceiling-differs"
    hint = "Write the ceiling that stands into the manifest; it holds for the dataset's life."

    def __init__(self, dataset: str, block: str | None = None) -> None:
        part = "" if block is None else f"Block {block} of d"
        super().__init__(f"{part or 'D'}ataset {dataset} stands under another ceiling.")
        self.dataset = dataset


class AboveCeiling(BudgetRefused):
    """A block would be promised more than its dataset."""

    code = "above-ceiling"
    hint = "Raise the dataset's ceiling first, or raise the block's by less."

    def __init__(self, dataset: str) -> None:
        super().__init__(f"The ceiling of dataset {dataset} is lower than that.")
        self.dataset = dataset


class DeltaFixed(BudgetRefused):
    """The first allocation fixed the project's delta; later ones add epsilon only."""

    code = "delta-fixed"
    hint = "Allocate at the project's delta."

    def __init__(self, project: str) -> None:
        super().__init__(f"The delta of project {project} was fixed by its first allocation.")
        self.project = project
