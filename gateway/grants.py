"""Grants of projects: which tables and columns of its dataset each may name, and who decided so.

A grant is never edited: the newest one counts, from the next question on, and the earlier ones stay
with their reasons. A project without one may name everything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from budgets.storage import Storage
from budgets.storage.schema import project, project_grant
from gateway.refusals import Invalid, NotFound
from gateway.registry import now
from queries.catalog.grant import EVERYTHING, Grant, unknown
from queries.catalog.manifest import Manifest

Names = Mapping[str, Sequence[str] | None] | None
"""Tables with their columns; None for a table: all of its columns; None alone: all tables."""


@dataclass(frozen=True, slots=True)
class Granted:
    """One grant, with who gave it, when and why."""

    tables: Mapping[str, Sequence[str] | None] | None
    by: str
    reason: str
    at: datetime


class Grants:
    """The grants of all projects, on the ledger's own database."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def present(self, of: str) -> Grant:
        """What a project may name at this moment."""
        newest = project_grant.c.number.desc()
        mine = project_grant.select().where(project_grant.c.project == of)
        with self._storage.read() as tx:
            row = tx.execute(mine.order_by(newest).limit(1)).first()
        return EVERYTHING if row is None else Grant.of(json.loads(row.tables))

    def all(self, of: str) -> list[Granted]:
        """Every grant of a project, oldest first."""
        mine = project_grant.select().where(project_grant.c.project == of)
        with self._storage.read() as tx:
            rows = tx.execute(mine.order_by(project_grant.c.number)).all()
        return [Granted(json.loads(row.tables), row.by, row.reason, row.at) for row in rows]


def give(tx: Any, to: str, grant: Grant, by: str, reason: str) -> None:
    """The project may name this, and nothing else, once the transaction is committed."""
    if tx.execute(project.select().where(project.c.name == to)).first() is None:
        raise NotFound()
    values = {"project": to, "tables": grant.text, "by": by, "reason": reason, "at": now()}
    tx.execute(project_grant.insert().values(**values))


def granted(tables: Names, manifest: Manifest) -> Grant:
    """The grant of these names; Invalid where the manifest does not have one of them."""
    grant = Grant.of(tables)
    faults = unknown(grant, manifest)
    if faults:
        shown = ", ".join(faults[:5])
        raise Invalid(
            f"Dataset {manifest.dataset} has no {shown}.",
            hint="Name tables and columns as the manifest does: `sluis dataset check` lists them.",
        )
    if grant.tables is not None and not any(
        grant.column(table.name, column.name)
        for table in manifest.tables
        for column in table.columns
    ):
        raise Invalid("A grant without any column is none.", hint="Freeze the project instead.")
    return grant
