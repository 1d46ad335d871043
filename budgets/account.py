"""Accounts: who may lose how much, and what has been lost already.

An account counts only what its accountant knows: rho and delta under `zcdp`, epsilon under `pure`.
Its capacity, its allocations and its charges are triples of whole numbers; what an accountant does
not count is zero in all of them, so that admission is additions and comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from budgets.amounts import ATTO, PICO, charged, granted
from budgets.conversion import epsilon_of, rho_of
from budgets.loss import PrivacyLoss
from budgets.refusals import PureBudget


class Kind(StrEnum):
    """What an account stands for; a path runs from a dataset down."""

    DATASET = "dataset"
    BLOCK = "block"
    PROJECT = "project"
    EARMARK = "earmark"
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

    def least(self, other: Amounts) -> Amounts:
        """Of each part the smaller one."""
        pairs = zip(self.parts, other.parts, strict=True)
        return Amounts(*(min(pair) for pair in pairs))

    @property
    def parts(self) -> tuple[int, int, int]:
        return (self.rho, self.delta, self.epsilon)

    def within(self, cap: Amounts) -> bool:
        """Whether no part exceeds the same part of `cap`."""
        return self.rho <= cap.rho and self.delta <= cap.delta and self.epsilon <= cap.epsilon


_NOTHING = Amounts()


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
    """One account as it stands. `allocated` is what was promised to the accounts below; of a
    project it is what its earmarks keep and have not taken.

    `head`, `length`, `latest`, `frozen` and `overcommit` stand on a ceiling alone: its chain with
    the greatest time in it, whether it admits anything, and how much it may promise, in per cent
    of what it has. `expires` is the end of a project's allocation; None: it has none.
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
    expires: datetime | None = None
    latest: datetime | None = None

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
    def kept(self) -> Amounts:
        """What is set aside for later and not for whoever does not name it."""
        return self.allocated if self.kind is Kind.PROJECT else _NOTHING

    @property
    def remaining(self) -> Amounts:
        return self.cap - self.taken - self.kept

    def admits(self, asked: Amounts) -> bool:
        """Whether no part of it exceeds what remains."""
        cap, kept, reserved, spent = self.cap, self.kept, self.reserved, self.spent
        return (
            reserved.rho + spent.rho + kept.rho + asked.rho <= cap.rho
            and reserved.delta + spent.delta + kept.delta + asked.delta <= cap.delta
            and reserved.epsilon + spent.epsilon + kept.epsilon + asked.epsilon <= cap.epsilon
        )

    def advanced(self, head: str, length: int, latest: datetime) -> Account:
        """The same ceiling, once its chain is longer."""
        figures = (self.cap, self.allocated, self.reserved, self.spent)
        whose = (self.id, self.kind, self.owner, self.name, self.dataset, self.parent, self.grant)
        ends = (self.frozen, self.overcommit, self.expires, latest)
        return Account(*whose, *figures, head, length, *ends)

    @property
    def given(self) -> Amounts:
        """The whole that was given; more than `cap` once a part of it has been returned."""
        return self.grant.capacity if self.kind is Kind.PROJECT else self.cap

    @property
    def stands(self) -> Grant:
        """The grant that the account stands at: its own, or what is left of it after a return."""
        return self.grant if self.cap == self.grant.capacity else holding(self.cap, self.grant)

    @property
    def promisable(self) -> Amounts:
        """The most that may be promised to the accounts below; charging stops at `cap` still."""
        return Amounts(*(part * self.overcommit // 100 for part in self.cap.parts))

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


def holding(amounts: Amounts, like: Grant) -> Grant:
    """A grant at the delta of another that holds these amounts, and hardly more than them."""
    if like.accountant is Accountant.PURE:
        return Grant(max(1, amounts.epsilon), like.delta)
    epsilon = max(1, charged(epsilon_of(amounts.rho, like.conversion_delta)))
    while rho_of_request(like, epsilon) < amounts.rho:
        epsilon += 1
    return Grant(epsilon, like.delta)


def promised(given: Grant, above: Accountant) -> Amounts:
    """What a grant may at most post to an account above it that counts as `above`."""
    return weight(given.capacity, given.accountant, above)


def weight(cap: Amounts, below: Accountant, above: Accountant) -> Amounts:
    """What an account with this capacity may at most post to one above it.

    Pure losses that add up to epsilon add up to at most epsilon^2 / 2 in rho.
    """
    if below is above:
        return cap
    if above is Accountant.PURE:
        raise PureBudget(Kind.DATASET)
    epsilon = Fraction(cap.epsilon, PICO)
    return Amounts(rho=charged(epsilon * epsilon / 2))


def shown(amounts: Amounts, accountant: Accountant) -> PrivacyLoss:
    """Amounts of an account as a loss; what its accountant does not count is left at zero."""
    if accountant is Accountant.PURE:
        return PrivacyLoss(0, 0, amounts.epsilon)
    return PrivacyLoss(amounts.rho, amounts.delta, None)
