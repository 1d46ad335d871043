"""Growing datasets for people: their blocks, and what is promised to somebody who is in many.

Privacy note
    Neighbours  two datasets that differ in all rows of one unit: in one block, or in several.
    Claim       the share of cases that is told for k blocks is never exceeded, whatever was and
                will be asked of them.
    Requires    every charge posted to the block it reads and to the dataset's ceiling; one block
                for each question (P17).
    Why         who is in k blocks loses what is charged to these blocks, no more than their
                ceilings together and no more than the dataset's; what is told follows from the
                ceilings, never from what was spent, so that nobody sees another's spending (P24).
    Tried by    tests/gateway/test_blocks.py
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from budgets.account import Amounts, Grant, grant
from budgets.account import shown as loss_of
from budgets.tradeoff import found_out
from gateway.budgeting import decimal
from queries.catalog.manifest import Blocks, Ceiling, Manifest

KNOWS = "somebody who knows everything about everybody else and accepts 5 false alarms in 100"


def shown(manifest: Manifest, delivered: Sequence[str]) -> dict[str, Any]:
    """`growing`: the blocks of a dataset and what they promise; nothing where it has none."""
    blocks = manifest.blocks
    if blocks is None:
        return {}
    page = {
        "every": blocks.every.value,
        "blocks": list(delivered),
        "ceiling": _ceiling(blocks.ceiling),
        "ceiling_over_all": _ceiling(manifest.ceiling),
        "promises": _promises(manifest, blocks, len(delivered)),
        "lasting": [table.name for table in manifest.tables if table.lasting],
    }
    return {"growing": page}


def cases(manifest: Manifest, blocks: Blocks, count: int | None) -> int:
    """In how many of 100 cases a person in so many blocks (None: ever so many) is found out."""
    whole, part = _grant(manifest.ceiling), _grant(blocks.ceiling)
    capacity = whole.capacity if count is None else _least(whole, part, count)
    return found_out(loss_of(capacity, whole.accountant), manifest.unit.most_per_person)


def _least(whole: Grant, part: Grant, count: int) -> Amounts:
    """What may be charged to so many blocks together: their sum, within the whole."""
    a, b = part.capacity, whole.capacity
    return Amounts(
        min(count * a.rho, b.rho), min(count * a.delta, b.delta), min(count * a.epsilon, b.epsilon)
    )


def _promises(manifest: Manifest, blocks: Blocks, delivered: int) -> list[dict[str, Any]]:
    every = blocks.every.value
    who = [(1, f"a person's rows of one {every} are there")]
    if delivered > 1:
        who.append((delivered, f"a person with rows in all {delivered} is in the data"))
    told = [_promise(manifest, blocks, count, words) for count, words in who]
    last = f"a person is in the data, however many {every}s there will be"
    return [*told, _promise(manifest, blocks, None, last)]


def _promise(manifest: Manifest, blocks: Blocks, count: int | None, words: str) -> dict[str, Any]:
    most = cases(manifest, blocks, count)
    says = f"Whether {words}: {KNOWS} finds out in at most {most} of 100 cases."
    return {"blocks": count, "cases": most, "says": says}


def _grant(ceiling: Ceiling) -> Grant:
    return grant(ceiling.epsilon, ceiling.delta)


def _ceiling(ceiling: Ceiling) -> dict[str, str]:
    return {"epsilon": decimal(ceiling.epsilon), "delta": decimal(ceiling.delta)}
