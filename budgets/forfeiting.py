"""Forfeiting: charging all that is left of a ceiling, where nobody can say what was spent of it.

Privacy note
    Neighbours  as each dataset's manifest declares them.
    Claim       whatever was charged under a ceiling and is not in its ledger, the ledger's total is
                at least as large afterwards (P17).
    Requires    what was charged was admitted under that ceiling or a smaller one.
    Why         admission never lets a total pass the ceiling, and all of it counts as spent.
    Tried by    tests/gateway/test_backups.py
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from budgets.account import Amounts
from budgets.chain import Event
from budgets.opening import root_of
from budgets.storage import accounts, journal, posting


def forfeit(tx: Connection, name: str, by: str, reason: str, at: datetime) -> None:
    """Charge all that is left of a dataset's ceiling and of those of its blocks.

    Nothing is charged under them afterwards; were the ceiling over all raised, a block whose
    charges were forgotten would be charged anew.
    """
    root = root_of(tx, name)
    ceilings = (root, *accounts.blocks(tx, root.dataset))
    left = {one: one.remaining for one in ceilings if one.remaining != Amounts()}
    if not left:
        return
    amounts = {one.id: rest for one, rest in left.items()}
    posting.reserve(tx, amounts)
    posting.spend(tx, amounts)
    note = {"by": by, "dataset": name, "reason": reason}
    items = [journal.Item(Event.FORFEIT, one, rest, note=note) for one, rest in left.items()]
    journal.append(tx, root, items, at)
