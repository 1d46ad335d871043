"""Ledgers to try things on: one dataset, one project, claims by the dozen."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from budgets.account import grant
from budgets.admission import Policy
from budgets.charge import Charge, Claim, QueryRecord, StageClaim
from budgets.conversion import rho_of
from budgets.ledger import Ledger
from budgets.loss import PrivacyLoss
from budgets.storage import Storage
from tests.budgets.places import Place

DATASET = "mobility"
PROJECT = "areas"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEADLINE = NOON + timedelta(seconds=10)
LATE = NOON + timedelta(seconds=11)
BLOCKS = ("2026-H1", "2026-H2")
"""Every dataset here has these blocks, and charges read both unless they say otherwise."""
STEP = 10**9
"""What most charges here cost: rho 0.001."""

POLICY = Policy()


@lru_cache(maxsize=1)
def _empty() -> bytes:
    """An empty, migrated database, made once in a test process and copied for each test."""
    with tempfile.TemporaryDirectory(prefix="sluis-ledger-") as folder:
        path = Path(folder) / "empty.db"
        Storage.open(path).close()
        return path.read_bytes()


def blank(place: Place) -> Place:
    """An empty, migrated database at this place; a server's has been made as one."""
    if isinstance(place, Path):
        place.write_bytes(_empty())
    return place


def opened(
    place: Place, policy: Policy = POLICY, clock: Callable[[], datetime] = lambda: NOON
) -> Ledger:
    """The ledger at a place, with a clock that stands still unless another one is given."""
    return Ledger(Storage.open(place), policy, clock=clock)


def ready(
    place: Place,
    epsilon: str = "2",
    delta: str | None = "1e-8",
    ceiling: tuple[str, str] = ("8", "1e-7"),
    policy: Policy = POLICY,
) -> Ledger:
    """A ledger with a dataset and a project that has a budget."""
    ledger = opened(blank(place), policy)
    ledger.open_dataset(DATASET, Fraction(ceiling[0]), Fraction(ceiling[1]))
    divided(ledger, Fraction(ceiling[0]), Fraction(ceiling[1]))
    ledger.open_project(PROJECT, DATASET)
    part = None if delta is None else Fraction(delta)
    ledger.allocate(PROJECT, Fraction(epsilon), part, "ada", "first")
    return ledger


def capped(place: Place, charges: int, cost: int = STEP) -> Ledger:
    """A ledger whose project affords exactly this many charges of `cost`, and a little less
    than one more."""
    ledger = opened(blank(place))
    ledger.open_dataset(DATASET, Fraction(800), Fraction(1, 10**7))
    divided(ledger, Fraction(800), Fraction(1, 10**7))
    ledger.open_project(PROJECT, DATASET)
    ledger.allocate(PROJECT, Fraction(1, 1000), Fraction(1, 10**8), "ada", "first")
    lower, upper = 1, 800 * 10**12
    at = Fraction(1, 2 * 10**8)
    wanted = charges * cost
    while upper - lower > 1:
        middle = (lower + upper) // 2
        if rho_of(Fraction(middle, 10**12), at) >= wanted:
            upper = middle
        else:
            lower = middle
    ledger.allocate(PROJECT, Fraction(upper, 10**12) - Fraction(1, 1000), None, "ada", "more")
    assert wanted <= ledger.budget(PROJECT).remaining.rho < wanted + cost
    return ledger


def divided(ledger: Ledger, epsilon: Fraction, delta: Fraction) -> None:
    """Open both blocks of the dataset, each with this ceiling."""
    for block in BLOCKS:
        ledger.open_block(DATASET, block, grant(epsilon, delta))


def stage(
    digest: str, rho: int = STEP, delta: int = 0, epsilon: int | None = None, scale: float = 10.0
) -> StageClaim:
    return StageClaim(digest, PrivacyLoss(rho, delta, epsilon), (scale,), "discrete-gaussian")


def asked(ledger: Ledger, key: str | None = None, project: str = PROJECT) -> QueryRecord:
    """A new query; without a key it asks what nobody else does."""
    digest = "d" * 64 if key else secrets.token_hex(32)
    return ledger.accept(project, "anna", key, digest, b'{"sql": "SELECT COUNT(*) FROM pings"}')


def claim(
    query: QueryRecord,
    *stages: StageClaim,
    analyst: str | None = None,
    blocks: tuple[str, ...] = BLOCKS,
    earmark: str | None = None,
) -> Claim:
    named = {"blocks": blocks, "earmark": earmark}
    return Claim(query.id, query.project, stages, DEADLINE, analyst, **named)  # type: ignore[arg-type]


def reserved(ledger: Ledger, *stages: StageClaim, blocks: tuple[str, ...] = BLOCKS) -> Charge:
    """A new query and its charge; without stages it has one that nobody else has."""
    query = asked(ledger)
    return ledger.reserve(claim(query, *(stages or (stage(query.id),)), blocks=blocks))


def answered(ledger: Ledger, *stages: StageClaim) -> Charge:
    """A new query, charged, run and released."""
    charge = reserved(ledger, *stages)
    ledger.started(charge)
    ledger.settle(charge, document(charge), tables(charge))
    return charge


def document(charge: Charge) -> bytes:
    return f"release of {charge.query}".encode()


def tables(charge: Charge) -> dict[str, bytes]:
    return {digest: f"table of {digest}".encode() for digest in charge.stages}
