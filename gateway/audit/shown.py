"""Entries of all chains in one form for people and programs that read them page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from budgets import auditing
from budgets.amounts import ATTO, written
from budgets.auditing import Head
from budgets.chain import Entry
from budgets.record import Line
from budgets.storage import Storage

MOST_READ = 10_000
"""Entries looked at for one page, whichever of them are wanted."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries of a chain: those after a number, and of these the ones that fit."""

    chain: str = auditing.RECORD
    after: int = 0
    limit: int = 100
    act: str | None = None
    by: str | None = None
    project: str | None = None

    def fits(self, one: Mapping[str, Any]) -> bool:
        asked = {"act": self.act, "by": self.by, "project": self.project}
        return all(value in (None, one[name]) for name, value in asked.items())


def page(storage: Storage, wanted: Wanted) -> dict[str, Any] | None:
    """The wanted entries and where the next page begins; None if there is no such chain."""
    with storage.read() as tx:
        found = auditing.heads(tx)
        if wanted.chain not in found:
            return None
        entries, last = _fitting(auditing.entries(tx, wanted.chain, wanted.after), wanted)
    return {
        "chains": [_head(name, one) for name, one in found.items()],
        "chain": wanted.chain,
        "entries": entries,
        "next": None if last is None or last >= found[wanted.chain].length else str(last),
    }


def _fitting(
    chain: Iterator[tuple[Entry | Line, str]], wanted: Wanted
) -> tuple[list[dict[str, Any]], int | None]:
    """The first entries that fit, and the number of the last one that was looked at."""
    kept: list[dict[str, Any]] = []
    last: int | None = None
    for looked, (entry, digest) in enumerate(chain, 1):
        last, one = entry.number, shown(entry, digest)
        if wanted.fits(one):
            kept.append(one)
        if len(kept) == wanted.limit or looked == MOST_READ:
            break
    return kept, last


def shown(entry: Entry | Line, digest: str) -> dict[str, Any]:
    """One entry, of whichever chain."""
    told = _of_ledger(entry) if isinstance(entry, Entry) else _of_record(entry)
    at = datetime.fromtimestamp(entry.at / 10**6, UTC).isoformat()
    return {"number": entry.number, "at": at} | told | {"hash": digest}


def _of_ledger(entry: Entry) -> dict[str, Any]:
    note = json.loads(entry.note)
    kind, owner, name = entry.account
    project = {"project": name, "analyst": owner}.get(kind, note.get("project"))
    return {
        "by": note.pop("by", None),
        "act": f"ledger.{entry.event}",
        "project": project,
        "outcome": "done",
        "about": note | {"account": f"{kind}:{name}", "charge": entry.charge},
        "loss": _loss(entry),
    }


def _loss(entry: Entry) -> dict[str, str] | None:
    amounts = entry.amounts
    if not any((amounts.rho, amounts.delta, amounts.epsilon)):
        return None
    return {
        "rho": _decimal(amounts.rho, 10**12),
        "delta": _decimal(amounts.delta, ATTO),
        "epsilon": _decimal(amounts.epsilon, 10**12),
    }


def _decimal(amount: int, unit: int) -> str:
    return f"-{written(-amount, unit)}" if amount < 0 else written(amount, unit)


def _of_record(line: Line) -> dict[str, Any]:
    about = json.loads(line.about) | ({} if line.key is None else {"key": line.key})
    return {
        "by": line.by,
        "act": line.act,
        "project": line.project,
        "outcome": line.outcome,
        "about": about,
        "loss": None,
    }


def _head(name: str, one: Head) -> dict[str, Any]:
    return {"chain": name, "entries": one.length, "head": one.head}
