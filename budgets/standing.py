"""How an account stands, in figures: what it was given, has promised, spent and left."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from budgets.account import Account, Accountant, Kind, shown
from budgets.amounts import ATTO, PICO, charged, granted
from budgets.conversion import epsilon_of, rho_of
from budgets.loss import PrivacyLoss


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """One account in figures. `allocated` is its whole capacity, `promised` what went to others."""

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


def status(account: Account, frozen: bool = False, faults: int = 0) -> BudgetStatus:
    """An account in figures."""
    accountant = account.accountant
    return BudgetStatus(
        kind=account.kind,
        name=account.name,
        accountant=accountant,
        epsilon=Fraction(account.grant.epsilon, PICO),
        delta=Fraction(account.grant.delta, ATTO),
        conversion_delta=account.grant.conversion_delta,
        allocated=shown(account.cap, accountant),
        promised=shown(account.allocated, accountant),
        reserved=shown(account.reserved, accountant),
        spent=shown(account.spent, accountant),
        remaining=shown(account.remaining, accountant),
        frozen=frozen,
        faults=faults,
    )
