"""Checkpoints: signed sentences about how long every chain is and where it ends.

The latest one stands in the home beside the database, so that a database which forgets is found
out: by the next start, by `doctor`, by a restore. Those taken on a schedule and at every stop are
kept one below the other, for supervisors to fetch and keep where the office cannot take them back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from budgets.auditing import Head, heads, holds
from budgets.chain import canonical
from budgets.storage import Storage
from budgets.storage.columns import Moment
from budgets.storage.faults import StorageUnusable
from gateway.audit import signing
from gateway.audit.signing import Signed, Signer
from gateway.home import FILE, Home

KIND = "checkpoint"


class LedgerForgets(StorageUnusable):
    """The database lacks entries that were signed for: it was replaced by an older copy."""

    code = "ledger-forgets"
    hint = "Put the latest database back. An older one would spend again what was spent since."

    def __init__(self, chain: str, length: int) -> None:
        super().__init__(f"The database has not the entry {length} of {chain} that was signed for.")


class Checkpoints:
    """Takes and keeps the checkpoints of one home."""

    def __init__(self, home: Home, storage: Storage, signer: Signer) -> None:
        self._home, self._storage, self._signer = home, storage, signer
        self._told: Mapping[str, Head] = {}

    def now(self) -> Signed:
        """A checkpoint of this moment."""
        with self._storage.read() as tx:
            found = heads(tx)
        at = Moment.written(datetime.now(UTC))
        return self._signer.sign(KIND, at=at, chains=_plain(found))

    def take(self, *, keep: bool) -> None:
        """Write the latest checkpoint if anything was added since; `keep` it among the others."""
        taken = self.now()
        found = chains(taken)
        if found != self._told:
            _replace(self._home, taken)
            self._told = found
        if keep and found != chains(_last(kept(self._home))):
            _append(self._home, taken)

    def check(self, *others: Signed) -> None:
        """LedgerForgets unless the database holds all that the latest checkpoint tells of it."""
        check(self._home, self._storage, *others)


def check(home: Home, storage: Storage, *others: Signed) -> None:
    """LedgerForgets unless the database holds all that the latest checkpoint tells of it."""
    told = [*others, *([found] if (found := latest(home)) is not None else [])]
    with storage.read() as tx:
        for one in told:
            for chain, head in chains(one).items():
                if not holds(tx, chain, head):
                    raise LedgerForgets(chain, head.length)


def chains(checkpoint: Signed | None) -> Mapping[str, Head]:
    """What a checkpoint says of each chain."""
    told = {} if checkpoint is None else checkpoint.statement.get("chains")
    if not isinstance(told, dict):
        return {}
    return {str(name): _head(one) for name, one in told.items()}


def _head(told: object) -> Head:
    """One chain's end; what has not the form is the end of no chain there is."""
    match told:
        case {"length": int(length), "head": str(head)}:
            return Head(length, head)
    return Head(-1, "")


def latest(home: Home) -> Signed | None:
    """The latest checkpoint of a home, or None before the first."""
    with suppress(FileNotFoundError):
        return signing.read(json.loads(home.checkpoint.read_bytes()), KIND)
    return None


def kept(home: Home) -> Iterator[Signed]:
    """The checkpoints that a home keeps, in order; a line cut off by a crash is passed over."""
    with suppress(FileNotFoundError):
        yield from read_all(home.checkpoints.read_text(encoding="ascii").splitlines())


def read_all(lines: Sequence[str]) -> Iterator[Signed]:
    """The checkpoints among some lines."""
    for line in lines:
        with suppress(ValueError):
            if (found := signing.read(json.loads(line), KIND)) is not None:
                yield found


def _last(found: Iterator[Signed]) -> Signed | None:
    last = None
    for last in found:  # noqa: B007 - the last one is what is wanted
        pass
    return last


def _plain(found: Mapping[str, Head]) -> dict[str, Any]:
    return {name: {"head": one.head, "length": one.length} for name, one in found.items()}


def _replace(home: Home, taken: Signed) -> None:
    """Put the checkpoint in the place of the one before, whole or not at all."""
    fresh = home.checkpoint.with_name(f".{home.checkpoint.name}.{os.getpid()}")
    _write(fresh, taken, os.O_TRUNC)
    fresh.replace(home.checkpoint)


def _append(home: Home, taken: Signed) -> None:
    _write(home.checkpoints, taken, os.O_APPEND)


def _write(path: Any, taken: Signed, how: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | how, FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(canonical(taken.document()).encode("ascii") + b"\n")
        file.flush()
        os.fsync(file.fileno())
