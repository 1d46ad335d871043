"""Queries that wait to be charged: what they owe, and how they end without a charge.

A query waits from when it is accepted until `reserve` takes it, or until it is declined. Declining
touches queued queries alone: what was charged in the meantime stays charged and runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from budgets import charging, opening
from budgets.charge import QueryRecord, StageClaim
from budgets.refusals import InFlight, KeyReused
from budgets.sorting import sort
from budgets.storage import Storage, queries


class Waiting:
    """The queries of one store that were accepted and not charged."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def owing(self, project: str, stages: Sequence[StageClaim]) -> bool:
        """Whether some of these stages have to be run and paid for; InFlight while one of them is.

        What is not owed now never will be: a stored stage stays.
        """
        with self._storage.read() as tx:
            found = sort(tx, project, stages)
        if found.in_flight:
            raise InFlight
        return bool(found.unserved)

    def decline(self, project: str, query: str, why: str) -> bool:
        """A query waits no longer, and `why` is kept; says whether it was waiting."""

        def decline(tx: Connection) -> bool:
            return queries.decline(tx, query, why)

        return self._storage.act(project, decline, lambda tx: None)

    def forsake(self, now: datetime, why: str) -> tuple[str, ...]:
        """Decline the queries that wait past their time: nobody will charge them any more."""
        with self._storage.read() as tx:
            past = queries.forgotten(tx, now)
        return tuple(query for project, query in past if self.decline(project, query, why))


def accept(
    tx: Connection,
    name: str,
    project: str,
    member: str,
    key: str | None,
    digest: str,
    request: bytes,
    at: datetime,
    until: datetime | None,
    *,
    fresh: bool = False,
) -> QueryRecord:
    """A submission that waits until then to be charged; under a known key, that key's query.

    Without one it is the query of the same body that was redeemed, but for a `fresh` draw.
    """
    opening.dataset_of(tx, project)
    if (found := known(tx, project, key, digest)) is not None:
        queries.wait(tx, found.id, until)
        return found
    charging.refuse_frozen(tx, project)
    if not fresh and (found := queries.redeemed(tx, project, digest)) is not None:
        queries.wait(tx, found.id, until)
        return found
    return queries.add(tx, name, project, member, key, digest, request, at, until)


def known(tx: Connection, project: str, key: str | None, digest: str) -> QueryRecord | None:
    """The query that this key made with this body, if any; KeyReused where it was another body."""
    if key is None or (record := queries.by_key(tx, project, key)) is None:
        return None
    if record.digest != digest:
        raise KeyReused
    return record
