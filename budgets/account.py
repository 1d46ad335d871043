"""Accounts: who may lose how much, and what has been lost already.

An account counts only what its accountant knows: rho and delta under `zcdp`, epsilon under `pure`.
Its capacity, its allocations and its charges are triples of whole numbers; what an accountant does
not count is zero in all of them, so that admission is additions and comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from budgets.amounts import ATTO, PICO, charged, granted
from budgets.conversion import rho_of
from budgets.loss import PrivacyLoss
from budgets.refusals import PureBudget


class Kind(StrEnum):
    """What an account stands for; a path runs from a dataset down."""

    DATASET = "dataset"
    BLOCK = "block"
    PROJECT = "project"
    ANALYST = "analyst"


class Accountant(StrEnum):
    """How losses are added: fixed when an account is opened."""

    ZCDP = "zcdp"
    PURE = "pure"


@dataclass(frozen=True, slots=True)
class Amounts:
    """What is posted to one account: whole numbers, negative when taken back."""

    rho: int = 0
    delta: int = 0
    epsilon: int = 0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(self.rho + other.rho, self.delta + other.delta, self.epsilon + other.epsilon)

    def __sub__(self, other: Amounts) -> Amounts:
        return self + -other

    def __neg__(self) -> Amounts:
        return Amounts(-self.rho, -self.delta, -self.epsilon)

    @property
    def floored(self) -> Amounts:
        """The same, where nothing is less than nothing."""
        return Amounts(max(0, self.rho), max(0, self.delta), max(0, self.epsilon))

    def within(self, cap: Amounts) -> bool:
        """Whether no part exceeds the same part of `cap`."""
        return self.rho <= cap.rho and self.delta <= cap.delta and self.epsilon <= cap.epsilon


@dataclass(frozen=True, slots=True)
class Grant:
    """An (epsilon, delta) that somebody may spend, rounded down: epsilon in 1e-12, delta in 1e-18.

    Half of delta is kept for the conversion from rho, half for keys released by thresholding. A
    grant with delta 0 is pure: epsilons add, and nothing that needs a delta is admitted.
    """

    epsilon: int
    delta: int

    def __post_init__(self) -> None:
        if self.epsilon <= 0 or self.epsilon > 10**6 * PICO:
            raise ValueError("the epsilon of a budget is above 0 and at most 1000000")
        if self.delta < 0 or self.delta > ATTO // 2 or self.delta == 1:
            raise ValueError("the delta of a budget is 0 or between 2e-18 and 0.5")

    @property
    def accountant(self) -> Accountant:
        return Accountant.ZCDP if self.delta else Accountant.PURE

    @property
    def conversion_delta(self) -> Fraction:
        """The delta at which rho is converted to epsilon (0 for a pure grant)."""
        return Fraction(self.delta, 2 * ATTO)

    @property
    def capacity(self) -> Amounts:
        """The most that may be charged, as its accountant counts it."""
        if self.accountant is Accountant.PURE:
            return Amounts(epsilon=self.epsilon)
        return Amounts(rho=rho_of_request(self, self.epsilon), delta=self.delta // 2)


@dataclass(frozen=True, slots=True)
class Account:
    """One account as it stands. `allocated` is what was promised to the accounts below.

    `head`, `length`, `frozen` and `overcommit` stand on a ceiling alone: its chain, whether it
    admits anything, and how much it may promise, in per cent of what it has.
    """

    id: int
    kind: Kind
    owner: str
    name: str
    dataset: str
    parent: int | None
    grant: Grant
    cap: Amounts
    allocated: Amounts
    reserved: Amounts
    spent: Amounts
    head: str | None = None
    length: int = 0
    frozen: bool = False
    overcommit: int = 100

    @property
    def accountant(self) -> Accountant:
        return self.grant.accountant

    def at(self, percent: int) -> Account:
        """The same ceiling, were it to promise so many per cent of what it has."""
        return replace(self, overcommit=percent)

    @property
    def address(self) -> tuple[str, str, str]:
        """Kind, owner and name: what the account is called wherever it is written down."""
        return (self.kind.value, self.owner, self.name)

    @property
    def taken(self) -> Amounts:
        return self.reserved + self.spent

    @property
    def remaining(self) -> Amounts:
        return self.cap - self.taken

    @property
    def promisable(self) -> Amounts:
        """The most that may be promised to the accounts below; charging stops at `cap` still."""
        parts = (self.cap.rho, self.cap.delta, self.cap.epsilon)
        return Amounts(*(part * self.overcommit // 100 for part in parts))

    def posting(self, loss: PrivacyLoss) -> Amounts:
        """What this account counts of a loss; a pure account refuses a loss that is not pure."""
        if self.accountant is Accountant.ZCDP:
            return Amounts(rho=loss.rho, delta=loss.delta)
        if loss.epsilon is None or loss.delta:
            raise PureBudget(self.kind)
        return Amounts(epsilon=loss.epsilon)


def grant(epsilon: Fraction, delta: Fraction) -> Grant:
    """A budget as administrators speak of it, rounded down."""
    return Grant(granted(epsilon), granted(delta, ATTO))


def rho_of_request(given: Grant, epsilon: int) -> int:
    """The rho that `epsilon` (in 1e-12) amounts to under a zCDP grant (P25)."""
    return rho_of(Fraction(epsilon, PICO), given.conversion_delta)


def promised(given: Grant, above: Accountant) -> Amounts:
    """What a grant may at most post to an account above it that counts as `above`.

    Pure losses that add up to epsilon add up to at most epsilon^2 / 2 in rho.
    """
    if given.accountant is above:
        return given.capacity
    if above is Accountant.PURE:
        raise PureBudget(Kind.DATASET)
    epsilon = Fraction(given.epsilon, PICO)
    return Amounts(rho=charged(epsilon * epsilon / 2))


def shown(amounts: Amounts, accountant: Accountant) -> PrivacyLoss:
    """Amounts of an account as a loss; what its accountant does not count is left at zero."""
    if accountant is Accountant.PURE:
        return PrivacyLoss(0, 0, amounts.epsilon)
    return PrivacyLoss(amounts.rho, amounts.delta, None)
