"""The catalog: which datasets there are for a caller, and how much of each.

A dataset is there for whoever has a project on it, as far as one of these projects may name it;
administrators and auditors see whole datasets. To anybody else it does not exist.
"""

from __future__ import annotations

from typing import Any

from budgets.ledger import Ledger
from gateway import datasets, growing
from gateway.access import Caller
from gateway.grants import Grants
from gateway.planning import Planner
from gateway.refusals import NotFound
from gateway.registry import Project, Registry
from queries.catalog.view import View


class Catalog:
    """What callers and projects may name, from the present deliveries and grants."""

    def __init__(
        self, registry: Registry, grants: Grants, planner: Planner, ledger: Ledger
    ) -> None:
        self._registry, self._grants = registry, grants
        self._planner, self._ledger = planner, ledger

    def datasets(self, caller: Caller) -> list[dict[str, Any]]:
        """The datasets that this caller may ask about, in short."""
        delivered = self.delivered()
        seen = self._visible(caller)
        return [datasets.short(self._seen(caller, name)) for name in seen if name in delivered]

    def dataset(self, caller: Caller, name: str) -> dict[str, Any]:
        """One dataset's manifest, or NotFound."""
        view = self._seen(caller, name)
        return datasets.whole(view) | growing.shown(view.manifest, self._ledger)

    def delivered(self) -> list[str]:
        """The datasets that have a present delivery."""
        return sorted({one.dataset for one in self._registry.deliveries() if one.active})

    def grant(self, project: str) -> dict[str, list[str]]:
        """The tables and columns that there are for a project."""
        tables = self._planner.granted(project).manifest.tables
        return {table.name: [column.name for column in table.columns] for table in tables}

    def grants(self, project: str) -> list[dict[str, Any]]:
        """Every grant of a project, oldest first."""
        return [
            {"tables": g.tables, "by": g.by, "reason": g.reason,
             "at": g.at.isoformat(timespec="seconds")}
            for g in self._grants.all(project)
        ]  # fmt: skip

    def _visible(self, caller: Caller) -> list[str]:
        if caller.sees_whole:
            return self._registry.datasets()
        return sorted({one.dataset for one in self._open_to(caller)})

    def _open_to(self, caller: Caller) -> list[Project]:
        """The caller's projects, but for those that an administrator has frozen."""
        return [one for one in self._registry.projects(caller.sees) if one.shut is None]

    def _seen(self, caller: Caller, dataset: str) -> View:
        """A dataset as far as it is there for the caller's projects; NotFound without one."""
        if caller.sees_whole:
            return self._planner.view(dataset)
        mine = [one.name for one in self._open_to(caller) if one.dataset == dataset]
        if not mine:
            raise NotFound()
        return self._planner.shown(dataset, mine)
