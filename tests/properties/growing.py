"""Datasets of the properties cut into two half-years, and what there is of both together."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import duckdb

from queries.catalog.delivered import load_together, load_view
from queries.catalog.view import View
from queries.deliver.register import register
from tests.datasets import Dataset
from tests.deliver.small import KEYS, Source, write
from tests.parity import Bench
from tests.properties import clinic, neighbours
from tests.properties.neighbours import AREAS, BANDS, HEADERS, Rows

HALVES = ("2019-H2", "2020-H1")
CEILING = "delta: 1e-6}\n"
BLOCKS = f"{CEILING}blocks: {{every: half-year, ceiling: {{epsilon: 500, delta: 1e-6}}}}\n"
LASTING = "    unit_key: person\n    key: [person]\n"
_fresh = itertools.count()


def grown(manifest: str) -> str:
    """The manifest of a dataset whose visits come each half-year, by their day."""
    changes = (
        (CEILING, BLOCKS),
        (LASTING, f"{LASTING}    lasting: true\n"),
        ("    key: [visit]\n", "    key: [visit]\n    block_column: day\n"),
    )
    for before, after in changes:
        assert before in manifest
        manifest = manifest.replace(before, after)
    return manifest


@dataclass(frozen=True)
class Grown(Dataset):
    """A dataset with a delivery of each half-year, read as one or, of one half, by itself."""

    halves: tuple[str, ...] = HALVES
    placed: tuple[Path, ...] = ()

    @property
    def directory(self) -> Path:
        return self.folder

    @property
    def view(self) -> View:
        if len(self.placed) == 1:
            return load_view(self.placed[0])
        return load_together(self.placed)


def delivered(path: Path, name: str, halves: Sequence[str] = HALVES) -> Grown:
    """Registers halves of the sources beside a manifest."""
    folder = path.parent.parent
    placed = [register(path, folder / "deliveries", KEYS, block=half).directory for half in halves]
    return Grown(name, folder, tuple(halves), tuple(placed))


def shop(folder: Path, *parts: Rows, halves: Sequence[str] = HALVES) -> Grown:
    """These units' rows, delivered in halves."""
    sources = {
        name: Source(header, [row for part in parts for row in getattr(part, name)])
        for name, header in HEADERS.items()
    }
    here = folder / f"grown-{next(_fresh)}" / "sources"
    text = grown(neighbours.MANIFEST)
    return delivered(write(here, text, {**sources, "areas": AREAS, "bands": BANDS}), "shop", halves)


@cache
def whole_clinic() -> Bench:
    """The clinic in two half-years, beside plain tables that say of each row in which it lies."""
    here = Path(mkdtemp(prefix="sluis-clinic-")) / "sources"
    sources = {name: Source(clinic.HEADERS[name], rows) for name, rows in clinic._rows().items()}
    path = write(here, grown(clinic.MANIFEST), sources)
    made = delivered(path.rename(here / "clinic.yaml"), "clinic")
    bench = Bench(made)
    bench.plain.close()
    with duckdb.connect(str(made.folder / "plain.duckdb")) as engine:
        half = "CASE WHEN day < DATE '2020-01-01' THEN '2019-H2' ELSE '2020-H1' END"
        engine.execute("ALTER TABLE visits ADD COLUMN block VARCHAR")
        engine.execute(f"UPDATE visits SET block = {half}")
        engine.execute("ALTER TABLE items ADD COLUMN block VARCHAR")
        found = "SELECT v.block FROM visits v WHERE v.visit = items.visit"
        engine.execute(f"UPDATE items SET block = ({found})")
    return Bench(made)
