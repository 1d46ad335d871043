"""Deliveries as the database knows them: which there were, and which new plans read.

Of a growing dataset there is a present delivery of each block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from budgets.refusals import UnknownBlock
from budgets.storage import Storage
from budgets.storage.schema import dataset, delivery, delivery_source
from gateway.refusals import NotFound


@dataclass(frozen=True, slots=True)
class Delivery:
    """One registered delivery of a dataset, or of one block of it."""

    id: str
    number: int
    dataset: str
    block: str | None
    manifest_hash: str
    directory: Path
    registered: datetime
    active: bool


class Delivered:
    """Datasets and their deliveries, on the ledger's own database."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def datasets(self) -> list[str]:
        """The names of all datasets."""
        with self._storage.read() as connection:
            rows = connection.execute(dataset.select().order_by(dataset.c.name)).all()
        return [row.name for row in rows]

    def active(self, of: str, block: str | None = None) -> Delivery:
        """The delivery that new plans are pinned to: that of a block, or of the newest one.

        NotFound while there is none, UnknownBlock where there is none of that block.
        """
        present = delivery.select().where((delivery.c.dataset == of) & delivery.c.active)
        with self._storage.read() as connection:
            rows = connection.execute(present).all()
        if not rows:
            raise NotFound()
        chosen = [row for row in rows if block in (None, row.block or None)]
        if not chosen:
            raise UnknownBlock(block)
        return _delivery(max(chosen, key=lambda row: str(row.block)))  # in the order of time

    def delivery(self, id: str) -> Delivery:
        """The delivery of that id, present or replaced; NotFound where there never was one."""
        with self._storage.read() as connection:
            row = connection.execute(delivery.select().where(delivery.c.id == id)).first()
        if row is None:
            raise NotFound()
        return _delivery(row)

    def present(self, of: str, blocks: Sequence[str]) -> list[Delivery]:
        """The deliveries of several blocks that new plans are pinned to, in the order given."""
        return [self.active(of, block) for block in blocks]

    def blocks(self, of: str) -> list[str]:
        """The blocks of a dataset that were delivered, oldest first."""
        found = {one.block for one in self.deliveries(of) if one.active and one.block}
        return sorted(found)

    def deliveries(self, of: str | None = None) -> list[Delivery]:
        """All deliveries, or those of one dataset, in order."""
        select = delivery.select().order_by(delivery.c.dataset, delivery.c.number)
        if of is not None:
            select = select.where(delivery.c.dataset == of)
        with self._storage.read() as connection:
            return [_delivery(row) for row in connection.execute(select).all()]

    def known_sources(self, hashes: Sequence[str]) -> list[tuple[str, str]]:
        """Which of these source hashes are known: dataset and table of each."""
        select = delivery_source.select().where(delivery_source.c.hash.in_(list(hashes)))
        owner = {one.id: one.dataset for one in self.deliveries()}
        with self._storage.read() as connection:
            rows = connection.execute(select).all()
        return sorted({(owner[row.delivery], row.source) for row in rows})

    def add_delivery(
        self,
        id: str,
        of: str,
        manifest_hash: str,
        directory: Path,
        sources: Mapping[str, str],
        within: Any,
        block: str = "",
    ) -> None:
        """Make a finished delivery the present one, within a transaction of the caller's.

        It replaces the one before it of the same block.
        """
        mine = delivery.c.dataset == of
        earlier = within.execute(delivery.select().where(mine)).all()
        replaced = mine & (delivery.c.block == block)
        within.execute(delivery.update().where(replaced).values(active=False))
        values = {
            "id": id, "number": len(earlier) + 1, "dataset": of, "directory": directory.name,
            "manifest_hash": manifest_hash, "registered_at": datetime.now(UTC), "active": True,
            "block": block,
        }  # fmt: skip
        within.execute(delivery.insert().values(**values))
        for table, digest in sources.items():
            row = {"delivery": id, "source": table, "hash": digest}
            within.execute(delivery_source.insert().values(**row))


def _delivery(row: Any) -> Delivery:
    return Delivery(
        row.id, row.number, row.dataset, row.block or None, row.manifest_hash,
        Path(row.directory), row.registered_at, bool(row.active),
    )  # fmt: skip
