"""Datasets for callers: the public manifest as JSON, and what to know before asking."""

from __future__ import annotations

from typing import Any

from gateway.budgeting import decimal
from queries import codec
from queries.catalog.manifest import Manifest, Table
from queries.catalog.view import View


def short(view: View) -> dict[str, Any]:
    """A dataset in one line."""
    manifest = view.manifest
    return {
        "dataset": manifest.dataset,
        "title": manifest.title,
        "unit": manifest.unit.name,
        "delivery": view.delivery,
        "block": None if manifest.block is None else manifest.block.name,
        "manifest_hash": view.manifest_hash,
    }


def whole(view: View) -> dict[str, Any]:
    """A dataset with everything that its manifest declares; where its files lie is left out."""
    return short(view) | {"manifest": _manifest(view.manifest), "notes": notes(view.manifest)}


def notes(manifest: Manifest) -> list[str]:
    """What holds for every answer, in plain words."""
    unit = manifest.unit
    said = [
        f"Noise protects all rows of one {unit.name}, in all private tables and deliveries.",
        f"One person may have up to {unit.most_per_person} of them."
        if unit.most_per_person > 1
        else f"One person has one {unit.name}.",
    ]
    if manifest.blocks is not None:
        every = manifest.blocks.every.value
        said.append(f"An answer reads one {every}, the newest, or those that it names.")
    if manifest.timing is None:
        said.append("Answers leave as soon as they are ready: slots are off for trusted analysts.")
    else:
        said.append("Answers leave at the end of a slot that depends on the question alone.")
    said.extend(
        f"Rows of {table.name} name a second party in {table.other_party}, who is not protected."
        for table in manifest.tables
        if table.other_party
    )
    return said


def _manifest(manifest: Manifest) -> dict[str, Any]:
    shown = {
        "title": manifest.title,
        "unit": codec.plain(manifest.unit),
        "ceiling": {
            "epsilon": decimal(manifest.ceiling.epsilon),
            "delta": decimal(manifest.ceiling.delta),
        },
        "time_zone": manifest.time_zone,
        "timing": None
        if manifest.timing is None
        else {"slot": decimal(manifest.timing.slot), "growth": manifest.timing.growth},
        "minimum_frequency": manifest.minimum_frequency,
        "record": dict(manifest.record),
    }
    return shown | {"tables": {table.name: _table(table, manifest) for table in manifest.tables}}


def _table(table: Table, manifest: Manifest) -> dict[str, Any]:
    kept = {
        "public": table.public,
        "origin": table.origin,
        "key": list(table.key),
        "unit_key": table.unit_key,
        "unit_via": _way(table, manifest),
        "rows_per_unit": table.rows_per_unit,
        "block_column": table.block_column,
        "lasting": table.lasting,
        "other_party": table.other_party,
    }
    columns = {
        column.name: {
            name: _value(value)
            for name in ("type", "nullable", "lower", "upper", "step", "categories", "length")
            if (value := getattr(column, name)) not in (None, ())
        }
        | ({"references": f"{column.references.table}.{column.references.column}"}
           if column.references else {})
        for column in table.columns
    }  # fmt: skip
    return {name: value for name, value in kept.items() if value not in (None, [], False)} | {
        "columns": columns
    }


def _way(table: Table, manifest: Manifest) -> Any:
    """The path to the unit, where its end is in sight."""
    way = table.unit_via
    return None if way is None or manifest.table(way.table) is None else codec.plain(way)


def _value(value: Any) -> Any:
    """Dates and decimals as text, the rest as JSON has it."""
    return codec.plain(value) if not hasattr(value, "isoformat") else value.isoformat()
