"""The notifications of the demonstration over two years, delivered in four half-years."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import duckdb

from budgets.ledger import Ledger
from budgets.storage import Storage
from gateway.access import Role
from gateway.deliveries import Deliveries
from gateway.demo import sources
from gateway.home import Home
from gateway.registry import Registry
from tests.house.tree import ROOT

BLOCKS = ("2024-H1", "2024-H2", "2025-H1", "2025-H2")
CEILING = "ceiling: {epsilon: 8, delta: 1e-7}\n"
GROWS = (
    (CEILING, CEILING + "blocks: {every: half-year, ceiling: {epsilon: 4, delta: 5e-8}}\n"),
    ("lower: 2025-01-01, upper: 2025-12-31", "lower: 2020-01-01, upper: 2039-12-31"),
    ("    rows_per_unit: 100\n", "    rows_per_unit: 100\n    block_column: received_on\n"),
    ("    key: [organisation_id]\n", "    key: [organisation_id]\n    lasting: true\n"),
)


@lru_cache(maxsize=1)
def data() -> Path:
    """A folder with two years of notifications: those of the demonstration, half a year earlier
    each second one."""
    folder = Path(mkdtemp(prefix="sluis-growing-"))
    sources.write_breaches(folder)
    file = folder / "notifications.parquet"
    spread = "received_on - (INTERVAL 1 YEAR) * (rowid % 2)"
    with duckdb.connect() as engine:
        engine.execute(f"CREATE TABLE n AS SELECT * FROM '{file}'")
        engine.execute(f"UPDATE n SET received_on = CAST({spread} AS DATE)")
        file.unlink()
        engine.execute(f"COPY n TO '{file}'")
    return folder


def manifest(folder: Path, *changes: tuple[str, str]) -> Path:
    """The manifest of the demonstration, cut into half-years and changed, beside the sources."""
    text = (ROOT / "gateway" / "demo" / "breaches.yaml").read_text(encoding="utf-8")
    for before, after in (*GROWS, *changes):
        assert before in text, before
        text = text.replace(before, after)
    folder.mkdir(parents=True, exist_ok=True)
    for source in data().iterdir():
        if not (folder / source.name).exists():
            (folder / source.name).symlink_to(source)
    path = folder / "breaches.yaml"
    path.write_text(text, encoding="utf-8")
    return path


class Growing:
    """A home with this dataset."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(folder / "home").prepare()
        self.storage = Storage.open(self.home.database)
        self.ledger, self.registry = Ledger(self.storage), Registry(self.storage)

    def deliver(self, block: str | None, *changes: tuple[str, str]) -> str:
        """Register a block of the two years; the delivery's id."""
        path = manifest(self.folder / "sources", *changes)
        made, _ = Deliveries(self.home, self.storage).register(path, block=block)
        return made.delivery

    def spent(self) -> dict[str, int]:
        """The rho charged to each block."""
        found = self.ledger.blocks("breaches")
        return {one.name: one.spent.rho + one.reserved.rho for one in found}

    def populate(self) -> dict[str, str]:
        """A project with an allocation, and an analyst's key."""
        self.ledger.open_project("p", "breaches")
        self.ledger.allocate("p", Fraction(6), None, "test", "test")
        self.registry.give_role("analyst", Role.ANALYST, "p")
        return {"analyst": self.registry.create_key("analyst", Role.ANALYST, "p")[1]}
