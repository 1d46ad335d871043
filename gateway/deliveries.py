"""Deliveries: from a manifest file to the present delivery of a dataset, in one act.

What is being built is invisible. It becomes the present delivery in the same transaction that opens
the dataset's ceiling, so an interrupted or failed registration leaves everything as it was.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from budgets.account import grant
from budgets.ledger import Ledger
from budgets.refusals import CeilingDiffers, UnknownDataset
from budgets.storage import Storage
from budgets.storage.schema import dataset
from gateway.delivered import Delivery
from gateway.home import Home, kept_secret
from gateway.record import Deed, Record
from gateway.refusals import Conflict
from gateway.registry import Registry
from queries.catalog.blocks import rule
from queries.catalog.manifest import Manifest
from queries.deliver.progress import Progress, silent
from queries.deliver.pseudonym import PseudonymKeys
from queries.deliver.register import Registration, register


class Deliveries:
    """Registers deliveries of a home."""

    def __init__(self, home: Home, storage: Storage) -> None:
        self._home, self._storage = home, storage
        self._ledger, self._registry = Ledger(storage), Registry(storage)
        self._record = Record(storage)

    def register(
        self, manifest: Path, progress: Progress = silent, block: str | None = None
    ) -> tuple[Registration, Delivery]:
        """Build and publish a delivery; refuses what contradicts what is known (P14, P16, P17)."""
        keys = pseudonym_keys(self._home)
        made = register(
            manifest,
            self._home.deliveries,
            keys,
            block=block,
            progress=progress,
            admit=self._admit,
        )
        try:
            return made, self._publish(made)
        except BaseException:
            shutil.rmtree(made.directory, ignore_errors=True)
            raise

    def _publish(self, made: Registration) -> Delivery:
        manifest = made.manifest
        ceiling = manifest.ceiling
        name = manifest.dataset
        block = "" if manifest.block is None else manifest.block.name
        told = {"dataset": name, "delivery": made.delivery, "manifest_hash": made.manifest_hash}
        told |= {"block": block} if block else {}
        with self._record.act(Deed.DATASET_REGISTERED, **told) as tx:
            self._ledger.open_dataset(
                name, ceiling.epsilon, ceiling.delta, unit=manifest.unit.name, within=tx
            )
            self._open_block(manifest, tx)
            values = {
                "title": manifest.title,
                "manifest_hash": made.manifest_hash,
                "blocks": _rule(manifest),
            }
            tx.execute(dataset.update().where(dataset.c.name == name).values(**values))
            self._registry.add_delivery(
                made.delivery, name, made.manifest_hash, made.directory, made.sources, tx, block
            )
        return self._registry.active(name, block or None)

    def _open_block(self, manifest: Manifest, tx: Any) -> None:
        """The account of the block, unless it stands: then it keeps what was charged to it."""
        if manifest.blocks is None or manifest.block is None:
            return
        ceiling, block = manifest.blocks.ceiling, manifest.block
        note = {"from": block.starts.isoformat(), "before": block.ends.isoformat()}
        self._ledger.open_block(
            manifest.dataset,
            block.name,
            grant(ceiling.epsilon, ceiling.delta),
            note=note,
            within=tx,
        )

    def _admit(self, manifest: Manifest, hashes: Mapping[str, str]) -> None:
        """Refuse, before anything is built, what could not be published."""
        self._same_kind(manifest)
        self._same_ceiling(manifest)
        private = [hashes[table.name] for table in manifest.tables if not table.public]
        for owner, table in self._registry.known_sources(private):
            if owner != manifest.dataset:
                raise Conflict(
                    f"A source is already registered as table {table} of dataset {owner}.",
                    hint="Rows count against one ceiling: use that dataset.",
                )

    def _same_kind(self, manifest: Manifest) -> None:
        with self._storage.read() as tx:
            where = dataset.c.name == manifest.dataset
            row = tx.execute(dataset.select().where(where)).first()
        if row is not None and row.unit != manifest.unit.name:
            raise Conflict(
                f"Dataset {manifest.dataset} protects another unit: {row.unit}.",
                hint="A change of unit needs a dataset of another name.",
            )
        if row is not None and row.blocks != _rule(manifest):
            raise Conflict(
                f"Dataset {manifest.dataset} is cut into blocks in another way, or not at all.",
                hint="Blocks, time zone, private tables and their times stand for its life: else "
                "rows could be delivered once more, to a new budget.",
            )

    def _same_ceiling(self, manifest: Manifest) -> None:
        try:
            stands = self._ledger.ceiling(manifest.dataset)
        except UnknownDataset:
            return
        for one in self._ledger.blocks(manifest.dataset):
            mine = manifest.block is not None and manifest.block.name == one.name
            if mine and manifest.blocks is not None:
                part = manifest.blocks.ceiling
                if (one.epsilon, one.delta) != (part.epsilon, part.delta):
                    raise CeilingDiffers(manifest.dataset, one.name)
        asked = manifest.ceiling
        if (stands.epsilon, stands.delta) != (asked.epsilon, asked.delta):
            raise CeilingDiffers(manifest.dataset)


def _rule(manifest: Manifest) -> str | None:
    found = rule(manifest)
    return None if found is None else found.text()


def pseudonym_keys(home: Home) -> PseudonymKeys:
    """The keys of this home's unit domain, made at the first registration and kept beside it."""
    return PseudonymKeys(unit=kept_secret(home.keys / "unit"), cap=kept_secret(home.keys / "cap"))
