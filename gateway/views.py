"""Views: what there is of a dataset's present deliveries, for whoever asks of it.

Of a growing dataset it is that of one block, the newest unless one is named, or those of several
blocks that are read as one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path

from budgets.refusals import UnknownBlock
from gateway.grants import Grants
from gateway.refusals import BlocksDiffer
from gateway.registry import Delivery, Registry
from queries.catalog.blocks import NoSuchBlock, chosen
from queries.catalog.delivered import load_together, load_view
from queries.catalog.grant import narrowed, together
from queries.catalog.manifest import Manifest
from queries.catalog.united import NotAlike
from queries.catalog.view import View

VIEWS_KEPT = 32


class Views:
    """The views of a home's deliveries, a few of them kept."""

    def __init__(self, registry: Registry, grants: Grants, deliveries: Path) -> None:
        self._registry, self._grants, self._deliveries = registry, grants, deliveries
        self._views: dict[Hashable, View] = {}
        self._kept_by = threading.Lock()

    def view(self, dataset: str, block: str | None = None, blocks: str | None = None) -> View:
        """The present delivery of a dataset, whole; NotFound without.

        Of a growing dataset it is that of a block, the newest unless one is named, or those of
        `blocks`, read as one.
        """
        found = self.of([self._registry.active(dataset, block)])
        return found if blocks is None else self._together(dataset, found.manifest, blocks)

    def _together(self, dataset: str, manifest: Manifest, blocks: str) -> View:
        if manifest.blocks is None:
            raise UnknownBlock(None)
        try:
            names = chosen(manifest.blocks.every, blocks, self._registry.blocks(dataset))
        except NoSuchBlock as error:
            raise UnknownBlock(blocks, str(error)) from None
        try:
            return self.of(self._registry.present(dataset, names), together=True)
        except NotAlike as error:
            raise BlocksDiffer(error.block) from None

    def of(self, deliveries: Sequence[Delivery], *, together: bool = False) -> View:
        """The view of one delivery, or of several that are read `together`, oldest first."""
        places = [self._deliveries / one.directory for one in deliveries]
        named = tuple(one.id for one in deliveries), together
        return self._kept(named, lambda: load_together(places) if together else load_view(*places))

    def granted(self, project: str, block: str | None = None, blocks: str | None = None) -> View:
        """The present delivery of a project's dataset, as far as it is there for the project."""
        return self.shown(self._registry.project(project).dataset, [project], block, blocks)

    def shown(
        self,
        dataset: str,
        projects: Sequence[str],
        block: str | None = None,
        blocks: str | None = None,
    ) -> View:
        """The present delivery of a dataset, as far as it is there for one of the projects."""
        return self.narrowed(self.view(dataset, block, blocks), projects)

    def narrowed(self, whole: View, projects: Sequence[str]) -> View:
        """A view, as far as it is there for one of the projects."""
        grant = together(self._grants.present(name) for name in projects)
        several = bool(whole.manifest.together)
        return self._kept((whole.delivery, several, grant.text), lambda: narrowed(whole, grant))

    def _kept(self, name: Hashable, make: Callable[[], View]) -> View:
        with self._kept_by:
            found = self._views.get(name)
        if found is None:
            found = make()
            with self._kept_by:
                if len(self._views) >= VIEWS_KEPT:
                    self._views.clear()
                self._views[name] = found
        return found
