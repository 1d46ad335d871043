"""Source files of the demonstration: drawn from a fixed seed, written as Parquet and CSV.

The numbers are made for teaching, not drawn from anybody: devices differ widely in how often they
are seen, organisations in how often they report (a power law, so that the cap per unit matters).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]

SEED = 20260301
DEVICES = 50_000
PINGS = 1_000_000
ORGANISATIONS = 15_000
NOTIFICATIONS = 24_000

PROVINCES = ("Dijkland", "Heuvelrug", "Kustmark", "Veenstreek")
STEMS = ("Ooster", "Wester", "Noorder", "Zuider", "Nieuw")
ENDINGS = ("dam", "burg", "veen", "zijl")
SECTORS = {
    "agriculture": "primary", "industry": "secondary", "construction": "secondary",
    "trade": "services", "transport": "services", "hospitality": "services",
    "information": "services", "finance": "services", "business services": "services",
    "public administration": "public", "education": "public", "health": "public",
}  # fmt: skip


def write_mobility(folder: Path) -> None:
    """`devices`, `pings` and the public `areas` of the mobility dataset."""
    draw = np.random.default_rng(SEED)
    areas = [f"{stem}{ending}" for ending in ENDINGS for stem in STEMS]
    residents = np.round(draw.lognormal(9.5, 0.7, len(areas)), -2).astype(np.int64)
    _write_csv(folder / "areas.csv", "area,province,residents", [
        f"{area},{PROVINCES[i // len(STEMS)]},{residents[i]}" for i, area in enumerate(areas)
    ])  # fmt: skip
    ids = draw.permutation(DEVICES * 4)[:DEVICES] + 100_000
    _write_parquet(folder / "devices.parquet", {
        "device_id": ids,
        "operator": _named(draw.choice(3, DEVICES, p=[0.5, 0.3, 0.2]), "north", "south", "coast"),
        "contract": _named(draw.choice(2, DEVICES, p=[0.8, 0.2]), "private", "business"),
    })  # fmt: skip
    _write_parquet(folder / "pings.parquet", _pings(draw, ids, areas, residents / residents.sum()))


def write_breaches(folder: Path) -> None:
    """`organisations`, `notifications` and the public `sectors` of the breach dataset."""
    draw = np.random.default_rng(SEED + 1)
    _write_csv(folder / "sectors.csv", "sector,branch", [f"{s},{b}" for s, b in SECTORS.items()])
    ids = draw.permutation(ORGANISATIONS * 6)[:ORGANISATIONS] + 10_000_000
    shares = draw.dirichlet(np.full(len(SECTORS), 6.0))
    sizes = draw.choice(4, ORGANISATIONS, p=[0.25, 0.5, 0.18, 0.07])
    _write_parquet(folder / "organisations.parquet", {
        "organisation_id": ids,
        "sector": _named(draw.choice(len(SECTORS), ORGANISATIONS, p=shares), *SECTORS),
        "size_class": _named(sizes, "sole trader", "small", "medium", "large"),
    })  # fmt: skip
    _write_parquet(folder / "notifications.parquet", _notifications(draw, ids, sizes))


def _pings(
    draw: np.random.Generator, ids: Column, areas: list[str], weights: Column
) -> dict[str, Column]:
    """Each device has a home and a place of work; most of its pings come from the two."""
    activity = draw.lognormal(0.0, 0.7, DEVICES)
    device = draw.choice(DEVICES, PINGS, p=activity / activity.sum())
    home = draw.choice(len(areas), DEVICES, p=weights)
    work = draw.choice(len(areas), DEVICES, p=weights)
    hour = np.clip(np.round(draw.normal(14.0, 4.5, PINGS)), 0, 23).astype(np.int64)
    where = draw.random(PINGS)
    at_work = (where < 0.35) & (hour >= 8) & (hour < 18)
    area = np.where(at_work, work[device], home[device])
    area = np.where(where > 0.96, draw.integers(0, len(areas), PINGS), area)
    seconds = draw.integers(0, 31, PINGS) * 86_400 + hour * 3_600 + draw.integers(0, 3_600, PINGS)
    kind = draw.choice(3, PINGS, p=[0.2, 0.1, 0.7])
    fee = np.where(kind == 2, np.nan, np.round(draw.exponential(0.6, PINGS), 2))
    return {
        "device_id": ids[device],
        "seen_at": np.datetime64("2026-03-01T00:00:00") + seconds.astype("timedelta64[s]"),
        "area": np.array(areas, dtype=object)[area],
        "kind": _named(kind, "call", "message", "data"),
        "fee": fee,
    }


def _notifications(draw: np.random.Generator, ids: Column, sizes: Column) -> dict[str, Column]:
    """Reports per organisation follow a power law, steeper for the small than for the large."""
    weight = (draw.pareto(1.3, ORGANISATIONS) + 0.05) * np.array([0.3, 0.6, 2.0, 8.0])[sizes]
    reporter = draw.choice(ORGANISATIONS, NOTIFICATIONS, p=weight / weight.sum())
    affected = np.floor(draw.pareto(0.9, NOTIFICATIONS) * 3)
    natures = draw.choice(6, NOTIFICATIONS, p=[0.55, 0.12, 0.1, 0.08, 0.05, 0.1])
    seconds = draw.integers(0, 365, NOTIFICATIONS) * 86_400
    return {
        "organisation_id": ids[reporter],
        "received_on": np.datetime64("2025-01-01T00:00:00") + seconds.astype("timedelta64[s]"),
        "nature": _named(natures, "wrong recipient", "lost device", "hacking", "malware",
                         "theft", "other"),
        "people_affected": np.minimum(affected, 9e6).astype(np.int64),
        "reported_late": draw.random(NOTIFICATIONS) < 0.2,
    }  # fmt: skip


def _named(codes: Column, *names: str) -> Column:
    return np.array(names, dtype=object)[codes]


def _write_csv(path: Path, header: str, lines: list[str]) -> None:
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


def _write_parquet(path: Path, columns: dict[str, Column]) -> None:
    with duckdb.connect() as engine:
        engine.register("given", columns)
        engine.execute(
            f"COPY (SELECT {_selected(columns)} FROM given) TO '{path}' (FORMAT parquet)"
        )


def _selected(columns: dict[str, Column]) -> str:
    """The columns as they are stored: days as DATE, money as whole cents, no NaN."""
    casts = {"fee": "CASE WHEN isnan(fee) THEN NULL ELSE fee::DECIMAL(9, 2) END AS fee",
             "received_on": "received_on::DATE AS received_on"}  # fmt: skip
    return ", ".join(casts.get(name, name) for name in columns)
