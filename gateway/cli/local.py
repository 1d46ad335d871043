"""A home as local commands see it: its database, without workers; safe beside a running server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from budgets.ledger import Ledger
    from budgets.storage import Storage
    from gateway.administration import Administration
    from gateway.home import Home
    from gateway.record import Record
    from gateway.registry import Registry
    from gateway.settings import Settings
    from gateway.steward import Steward
    from queries.catalog.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Local:
    """The parts of an opened home."""

    settings: Settings
    home: Home
    storage: Storage
    ledger: Ledger
    registry: Registry
    record: Record

    @property
    def administration(self) -> Administration:
        """The acts by which an operator decides what others may do."""
        from gateway.administration import Administration

        return Administration(self.record, self.ledger, self.registry, self.manifest)

    def manifest(self, dataset: str) -> Manifest:
        """The manifest of a dataset's present delivery, or NotFound."""
        from queries.catalog.delivered import load_view

        place = self.home.deliveries / self.registry.active(dataset).directory
        return load_view(place).manifest

    @property
    def steward(self) -> Steward:
        """What administrators do to budgets."""
        from gateway.redoing import Redone
        from gateway.steward import Steward

        redone = Redone(self.registry, self.ledger, self.home.deliveries)
        return Steward(self.ledger, self.record, redone)

    def known_project(self, name: str | None) -> None:
        """Refuse a project that does not exist; an operator may know, so this is said plainly."""
        if name is not None and name not in {one.name for one in self.registry.projects()}:
            from budgets.refusals import UnknownProject

            raise UnknownProject(name)


@contextmanager
def opened(home: str | None) -> Iterator[Local]:
    """The home on the command line, in SLUIS_HOME, or the usual one; made if it is not there."""
    import structlog

    from budgets.ledger import Ledger
    from budgets.storage import Storage
    from gateway.home import Home, private_files
    from gateway.record import Actor, Record, acts_as
    from gateway.registry import Registry
    from gateway.settings import load

    settings = load(home=home)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # not in --json
    with private_files():
        place = Home(settings.home).prepare()
        storage = Storage.open(settings.ledger)
        acts_as(Actor(operator()))
        record = Record(storage)
        try:
            registry = Registry(storage, record)
            yield Local(settings, place, storage, Ledger(storage), registry, record)
        finally:
            storage.close()


def operator() -> str:
    """Who acts on a terminal: the name that goes into the ledger."""
    import getpass

    try:
        return f"operator:{getpass.getuser()}"
    except (KeyError, OSError):
        return "operator"
