"""Administration: the acts by which somebody decides what projects may do, in one place.

Each names who did it and why, and is one transaction together with its line of the record; over
HTTP and on a terminal it is the same method. Whether the caller may do it has been decided before.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from fractions import Fraction

from budgets.ledger import Ledger
from budgets.refusals import UnknownDataset, UnknownProject
from gateway.grants import Names, give, granted
from gateway.presets import Presets, write
from gateway.record import Deed, Record
from gateway.refusals import Invalid, NotFound
from gateway.registry import Registry, checked_name
from queries.catalog.manifest import Manifest


class Administration:
    """The acts of administrators over projects.

    `manifest` gives the manifest of a dataset's present delivery, or NotFound.
    """

    def __init__(
        self,
        record: Record,
        ledger: Ledger,
        registry: Registry,
        manifest: Callable[[str], Manifest],
    ) -> None:
        self._record, self._ledger, self._registry = record, ledger, registry
        self._sealed = manifest

    def create_project(
        self,
        name: str,
        dataset: str,
        title: str,
        by: str,
        tables: Names = None,
        budget: tuple[Fraction, Fraction | None] | None = None,
    ) -> None:
        """A project that may name these tables and columns, with a budget if one is given."""
        grant = None if tables is None else granted(tables, self._manifest(dataset))
        told = {"dataset": dataset} | ({} if budget is None else {"epsilon": str(budget[0])})
        told |= {} if grant is None else {"tables": grant.text}
        with self._record.act(Deed.PROJECT_OPENED, checked_name(name), **told) as tx:
            self._ledger.open_project(name, dataset, title=title, within=tx)
            if grant is not None:
                give(tx, name, grant, by, "on creation")
            if budget is not None:
                self._ledger.allocate(name, *budget, by, "on creation", within=tx)

    def give_grant(self, project: str, tables: Names, by: str, reason: str) -> None:
        """Say what a project may name, from the next question on."""
        dataset = self._registry.project(project).dataset
        grant = granted(tables, self._manifest(dataset))
        told = {"tables": grant.text, "reason": reason}
        with self._record.act(Deed.GRANT_GIVEN, project, **told) as tx:
            give(tx, project, grant, by, reason)

    def allocate(
        self,
        project: str,
        epsilon: Fraction,
        delta: Fraction | None,
        by: str,
        reason: str,
        until: datetime | None = None,
    ) -> None:
        """Give a project a part of its dataset's ceiling; named, `until` ends all that it has."""
        told = {"epsilon": str(epsilon), "reason": reason}
        told |= {} if until is None else {"until": until.isoformat()}
        try:
            with self._record.act(Deed.PROJECT_ALLOCATED, project, **told) as tx:
                self._ledger.allocate(project, epsilon, delta, by, reason, until=until, within=tx)
        except UnknownProject:
            raise NotFound() from None
        except ValueError as error:
            raise Invalid(str(error)) from None

    def set_presets(self, project: str, presets: Presets, reason: str) -> None:
        """Say what a question costs at each preset, from the next one on."""
        shares = {name.value: str(share) for name, share in presets.shares().items()}
        with self._record.act(Deed.PROJECT_PRESETS, project, reason=reason, **shares) as tx:
            write(tx, project, presets)

    def thaw(self, project: str, by: str, reason: str) -> None:
        """Let a frozen project ask again."""
        with self._record.act(Deed.PROJECT_THAWED, project, reason=reason) as tx:
            self._ledger.thaw(project, by, reason, within=tx)

    def _manifest(self, dataset: str) -> Manifest:
        try:
            return self._sealed(dataset)
        except NotFound:
            raise UnknownDataset(dataset) from None
