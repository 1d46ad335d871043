"""The audit export: every chain of a database, line by line, closed by a signature.

    {"chains": [...], "format": "sluis-audit", "version": 1}
    {"chain": "dataset:NAME" | "record", "entry": {...}, "hash": ...}     each entry of each chain
    {"question": {...}}                                             each question, with its hash
    {"drawn": {"charge": ..., "stages": [[name, delta, draws], ...]}}   what each charge drew
    {"signature": ..., "statement": {"kind": "checkpoint", ...}}    each checkpoint kept
    {"signature": ..., "statement": {"kind": "export", ...}}        over all lines before it

The text of a question is what a supervisor has to read to judge an access, so it is there unless it
is left out on purpose; its hash, which the chain holds, is there always.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from budgets.auditing import draws, entries, heads, questions
from budgets.chain import canonical
from budgets.storage import Storage
from budgets.storage.columns import Moment
from gateway.audit.checkpoints import kept
from gateway.audit.signing import Signer
from gateway.home import Home

FORMAT = "sluis-audit"
KIND = "export"


def lines(home: Home, storage: Storage, signer: Signer, *, texts: bool) -> Iterator[str]:
    """The lines of one moment, without their newlines."""
    digest, count = hashlib.sha256(), 0
    earlier = [canonical(one.document()) for one in kept(home)]
    with storage.read() as tx:
        found = heads(tx)
        for line in chain(_unsigned(tx, list(found), texts=texts), earlier):
            digest.update(line.encode("ascii") + b"\n")
            count += 1
            yield line
    closing = signer.sign(
        KIND,
        at=Moment.written(datetime.now(UTC)),
        chains={name: {"head": one.head, "length": one.length} for name, one in found.items()},
        lines=count,
        sha256=digest.hexdigest(),
        texts=texts,
    )
    yield canonical(closing.document())


def _unsigned(tx: Any, chains: list[str], *, texts: bool) -> Iterator[str]:
    yield canonical({"chains": chains, "format": FORMAT, "version": 1})
    for name in chains:
        named = canonical(name)
        for entry, stored in entries(tx, name):
            text = entry.canonical().decode("ascii")
            yield f'{{"chain":{named},"entry":{text},"hash":"{stored}"}}'
    for one in questions(tx):
        yield canonical({"question": _question(one, texts=texts)})
    for charge, stages in draws(tx):
        yield canonical({"drawn": {"charge": charge, "stages": [list(one) for one in stages]}})


def _question(one: Mapping[str, Any], *, texts: bool) -> dict[str, Any]:
    told = {
        "at": one["at"],
        "by": one["member"],
        "project": one["project"],
        "query": one["id"],
        "sha256": one["digest"],
    }
    return told | ({"text": bytes(one["request"]).decode()} if texts else {})
