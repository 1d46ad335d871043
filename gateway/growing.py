"""Growing datasets for people: their blocks, and what is promised to somebody who is in many.

Privacy note
    Neighbours  two datasets that differ in all rows of one unit: in one block, or in several.
    Claim       the share of cases that is told for k blocks is never exceeded, whatever was and
                will be asked of them.
    Requires    every charge posted to the blocks it reads and to the dataset's ceiling, to blocks
                for twice the sensitivity of stages that are partial (P17, queries.plan.partial).
    Why         what a question reveals of somebody's rows of some blocks is no more than what each
                of these that it reads is charged. So who is in k blocks loses no more than their
                ceilings together, and no more than the dataset's. What is told follows from the
                ceilings as they stand in the ledger, raised ones too, and never from what was
                spent, so that nobody sees another's spending (P24).
    Tried by    tests/gateway/test_blocks.py
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from budgets.ledger import Ledger
from budgets.loss import PrivacyLoss, total
from budgets.standing import BudgetStatus
from budgets.tradeoff import found_out
from gateway.budgeting import decimal
from queries.catalog.manifest import Manifest

KNOWS = "somebody who knows everything about everybody else and accepts 5 false alarms in 100"


def shown(manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """`growing`: the blocks of a dataset and what they promise; nothing where it has none."""
    if manifest.blocks is None:
        return {}
    whole, blocks = ledger.ceiling(manifest.dataset), ledger.blocks(manifest.dataset)
    page = {
        "every": manifest.blocks.every.value,
        "blocks": [one.name for one in blocks],
        "ceiling": _ceiling(blocks[-1].epsilon, blocks[-1].delta),
        "ceiling_over_all": _ceiling(whole.epsilon, whole.delta),
        "promises": promises(manifest, whole, blocks),
        "lasting": [table.name for table in manifest.tables if table.lasting],
    }
    return {"growing": page}


def promises(
    manifest: Manifest, whole: BudgetStatus, blocks: Sequence[BudgetStatus]
) -> list[dict[str, Any]]:
    """For a person's rows of one block, for one in all of them, and for ever."""
    units = manifest.unit.most_per_person
    word = "block" if manifest.blocks is None else manifest.blocks.every.value
    widest = max((one.allocated for one in blocks), key=lambda loss: found_out(loss, units))
    told = [(1, widest, f"a person's rows of one {word} are there")]
    if len(blocks) > 1:
        together = total(one.allocated for one in blocks)
        words = f"a person with rows in all {len(blocks)} is in the data"
        told.append((len(blocks), together, words))
    last = f"a person is in the data, however many {word}s there will be"
    return [
        *(_promise(count, _least(loss, whole.allocated), units, words)
          for count, loss, words in told),
        _promise(None, whole.allocated, units, last),
    ]  # fmt: skip


def _promise(count: int | None, loss: PrivacyLoss, units: int, words: str) -> dict[str, Any]:
    most = found_out(loss, units)
    says = f"Whether {words}: {KNOWS} finds out in at most {most} of 100 cases."
    return {"blocks": count, "cases": most, "says": says}


def _least(one: PrivacyLoss, whole: PrivacyLoss) -> PrivacyLoss:
    """What may be charged within both; both count in the same way."""
    pure = one.epsilon is not None and whole.epsilon is not None
    epsilon = min(one.epsilon or 0, whole.epsilon or 0) if pure else None
    return PrivacyLoss(min(one.rho, whole.rho), min(one.delta, whole.delta), epsilon)


def _ceiling(epsilon: Fraction, delta: Fraction) -> dict[str, str]:
    return {"epsilon": decimal(epsilon), "delta": decimal(delta)}
