"""Registering a delivery: from a manifest and its source files to a sealed folder of our own.

The delivery appears whole, under its own name, or nothing changes; who may see it and when is for
the caller's storage to say, in one transaction, afterwards. The sealed manifest is byte for byte
the one that was read (P16).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from queries.catalog.blocks import NoSuchBlock, within
from queries.catalog.delivered import FACTS, MANIFEST
from queries.catalog.manifest import Manifest, Table
from queries.catalog.reading import read
from queries.deliver.engine import Engine, building
from queries.deliver.faults import RegistrationFailed
from queries.deliver.private import in_order, write_private
from queries.deliver.progress import Meter, Progress, silent
from queries.deliver.pseudonym import PseudonymKeys
from queries.deliver.public import facts, write_public
from queries.deliver.report import Report, TableReport
from queries.deliver.sources import SourceFile, SourceUnusable, find_files, hash_files, marks
from queries.deliver.stage import Staged, open_sources, stage
from queries.deliver.staging import Staging, staging
from queries.deliver.units import check_units, write_units

Hashes = Mapping[str, str]
Admit = Callable[[Manifest, Hashes], None]
"""Called with the manifest and each table's source hash before anything is built; may raise."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A delivery that stands in its folder; `report` is for the provider's terminal alone."""

    delivery: str
    directory: Path
    manifest: Manifest
    manifest_hash: str
    created: datetime
    sources: Hashes
    report: Report


def register(
    manifest_path: Path,
    deliveries: Path,
    keys: PseudonymKeys,
    *,
    block: str | None = None,
    progress: Progress = silent,
    admit: Admit | None = None,
) -> Registration:
    """Build a delivery from the manifest's sources; of a growing dataset, of one block.

    Raises ManifestRefused, RegistrationFailed or RegistrationBusy, and whatever `admit` raises;
    the folder of deliveries is then as it was.
    """
    reading = read(manifest_path)
    try:
        manifest = within(reading.manifest, block)
    except NoSuchBlock as error:
        raise RegistrationFailed(str(error)) from None
    delivery = secrets.token_hex(16)
    folder = manifest_path.parent
    try:
        with staging(deliveries, delivery) as place:
            return _Work(manifest, reading.text, folder, place, keys, delivery, progress).run(admit)
    except SourceUnusable as error:
        raise RegistrationFailed(str(error)) from None
    except (duckdb.OutOfMemoryException, duckdb.IOException, OSError):
        raise RegistrationFailed(
            "a source could not be read or the delivery not be written: is there room on the disk?"
        ) from None
    except duckdb.Error:
        raise RegistrationFailed("the engine could not build the delivery") from None


@dataclass(frozen=True, slots=True)
class _Work:
    manifest: Manifest
    text: bytes
    folder: Path
    place: Staging
    keys: PseudonymKeys
    delivery: str
    progress: Progress

    def run(self, admit: Admit | None) -> Registration:
        sizes = {table.name: self._bytes(table) for table in self.manifest.tables}
        meter = Meter(self.progress, sizes)
        before = self._marks()
        hashes = self._hashes(meter)
        if admit is not None:
            admit(self.manifest, hashes)
        with building(self.place, self.keys) as engine:
            report, public = self._build(engine, meter)
        if before != self._marks():
            raise RegistrationFailed("a source file changed while it was read")
        created = datetime.now(UTC)
        self._seal(hashes, public, created)
        meter.say("sealing")
        directory = self.place.publish(self.delivery)
        return Registration(
            self.delivery, directory, self.manifest, self._hash(), created, hashes, report
        )

    def _bytes(self, table: Table) -> int:
        return sum(path.stat().st_size for path in find_files(table, self.folder))

    def _marks(self) -> list[tuple[tuple[int, ...], ...]]:
        return [marks(find_files(table, self.folder)) for table in self.manifest.tables]

    def _hashes(self, meter: Meter) -> dict[str, str]:
        meter.say("reading the sources")
        return {t.name: hash_files(find_files(t, self.folder)) for t in self.manifest.tables}

    def _build(self, engine: Engine, meter: Meter) -> tuple[Report, dict[str, object]]:
        files = self._open(engine)
        staged = self._stage(engine, files, meter)
        tables: dict[str, TableReport] = {}
        public: dict[str, object] = {}
        for table in self.manifest.tables:
            if table.public:
                tables[table.name] = write_public(engine, self.manifest, staged[table.name])
                public[table.name] = facts(engine, table)
        private = [found for found in staged.values() if not found.table.public]
        units = write_units(engine, private)
        check_units(engine, self.manifest)
        for table in in_order(self.manifest.tables):
            advance = meter.part(table.name, f"writing {table.name}")
            found = staged[table.name]
            tables[table.name] = write_private(engine, self.manifest, found, advance)
        unit = self.manifest.unit
        listed = tuple(tables[table.name] for table in self.manifest.tables)
        return Report(unit.name, units, unit.at_most, listed), public

    def _open(self, engine: Engine) -> dict[str, tuple[SourceFile, ...]]:
        """Every table's files; all that is wrong with their form is told at once."""
        files: dict[str, tuple[SourceFile, ...]] = {}
        faults: list[str] = []
        for table in self.manifest.tables:
            try:
                files[table.name] = open_sources(table, self.folder, engine)
            except SourceUnusable as error:
                faults.append(str(error))
        if faults:
            raise RegistrationFailed(*faults)
        return files

    def _stage(
        self, engine: Engine, files: Mapping[str, tuple[SourceFile, ...]], meter: Meter
    ) -> dict[str, Staged]:
        staged: dict[str, Staged] = {}
        faults: list[str] = []
        for table in self.manifest.tables:
            done = meter.part(table.name, f"reading {table.name}")
            try:
                staged[table.name] = stage(engine, self.manifest, table, files[table.name])
            except RegistrationFailed as error:
                faults.extend(error.faults)
            except SourceUnusable as error:
                faults.append(str(error))
            done(1.0)
        if faults:
            raise RegistrationFailed(*faults)
        return staged

    def _hash(self) -> str:
        return hashlib.sha256(self.text).hexdigest()

    def _seal(self, hashes: Hashes, public: dict[str, object], created: datetime) -> None:
        document = {
            "dataset": self.manifest.dataset,
            "delivery": self.delivery,
            "manifest_hash": self._hash(),
            "created": created.isoformat(timespec="seconds"),
            "sources": dict(hashes),
            "public": public,
        }
        if self.manifest.block is not None:
            document["block"] = self.manifest.block.name
        (self.place.delivery / MANIFEST).write_bytes(self.text)
        text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=True)
        (self.place.delivery / FACTS).write_text(text + "\n", encoding="ascii")
