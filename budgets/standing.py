"""How an account stands, in figures: what it was given, has promised, spent and left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from budgets.account import Account, Accountant, Amounts, Kind, shown
from budgets.amounts import ATTO, PICO, charged, granted
from budgets.conversion import epsilon_of, rho_of
from budgets.loss import NONE, PrivacyLoss


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """One account in figures. `allocated` is all that it was given, `promised` what went to others.

    Of a project `promised` is what it keeps for later. What was not spent at `ends` is `returned`.
    """

    kind: Kind
    name: str
    accountant: Accountant
    epsilon: Fraction
    delta: Fraction
    conversion_delta: Fraction
    allocated: PrivacyLoss
    promised: PrivacyLoss
    reserved: PrivacyLoss
    spent: PrivacyLoss
    remaining: PrivacyLoss
    frozen: bool = False
    faults: int = 0
    returned: PrivacyLoss = NONE
    ends: datetime | None = None
    expired: bool = False

    def price(self, epsilon: Fraction) -> int:
        """What a request at `epsilon` may cost: rho in a zCDP account, epsilon in a pure one (P25).

        At exactly the account's own epsilon it is exactly the account's capacity.
        """
        if self.accountant is Accountant.PURE:
            return charged(epsilon)
        return rho_of(Fraction(granted(epsilon), PICO), self.conversion_delta)

    def epsilon_for(self, loss: PrivacyLoss) -> float:
        """What a loss of this account amounts to as epsilon at the account's delta, rounded up."""
        if self.accountant is Accountant.PURE:
            return (loss.epsilon or 0) / PICO
        return epsilon_of(loss.rho, self.conversion_delta)


def status(
    account: Account, frozen: bool = False, faults: int = 0, *, expired: bool = False
) -> BudgetStatus:
    """An account in figures; of one that has expired nothing is left, returned already or not."""
    accountant = account.accountant
    holds = account.taken if expired else account.cap
    return BudgetStatus(
        kind=account.kind,
        name=account.name,
        accountant=accountant,
        epsilon=Fraction(account.grant.epsilon, PICO),
        delta=Fraction(account.grant.delta, ATTO),
        conversion_delta=account.grant.conversion_delta,
        allocated=shown(account.given, accountant),
        promised=shown(account.allocated, accountant),
        reserved=shown(account.reserved, accountant),
        spent=shown(account.spent, accountant),
        remaining=shown(Amounts() if expired else account.remaining, accountant),
        frozen=frozen,
        faults=faults,
        returned=shown((account.given - holds).floored, accountant),
        ends=account.expires,
        expired=expired,
    )


def kept(one: Account, figures: BudgetStatus, limit: Account | None = None) -> BudgetStatus:
    """A project's figures as whoever asks from an earmark sees them: what is left is of that.

    A member's limit within the project limits it further.
    """
    left = one.remaining if limit is None else one.remaining.least(limit.remaining)
    none = Amounts() if figures.expired else left
    return replace(figures, kind=one.kind, name=one.name, remaining=shown(none, one.accountant))
