"""The ledger as a text: every row of every table, one canonical line each, with its hashes.

The first line says what it is, the last one how many lines each table has, the SHA-256 over them
(each with its newline), and the head of every chain. Only hashes of API keys are left out. The
entries of a chain can be checked against its head from the text alone; two exports of the same
content are the same bytes, whichever database they come from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from sqlalchemy import Connection

from budgets.chain import canonical
from budgets.storage import Storage, accounts, journal, rows
from budgets.storage.migrations import HEAD

FORMAT = "sluis-ledger"


def lines(storage: Storage) -> Iterator[str]:
    """The lines of one moment, without their newlines."""
    with storage.read() as tx:
        yield canonical({"format": FORMAT, "revision": HEAD, "version": 1})
        tables: dict[str, object] = {}
        for table in rows.TABLES:
            count, digest = 0, hashlib.sha256()
            for row in rows.rows(tx, table):
                text = rows.line(table, row, secrets=False)
                count += 1
                digest.update(text.encode() + b"\n")
                yield text
            tables[table.name] = {"rows": count, "sha256": digest.hexdigest()}
        yield canonical({"heads": _heads(tx), "tables": tables})


def _heads(tx: Connection) -> dict[str, object]:
    found: dict[str, object] = {}
    for root in accounts.roots(tx):
        head, length = journal.head(tx, root.id)
        found[root.dataset] = {"entries": length, "head": head}
    return found
