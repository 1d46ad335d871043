"""Reading a manifest: from YAML to frozen values, or every fault with its line.

`read` and `parse` never look at data. A delivery seals the bytes it was built from, and the sealed
copy is read by the same function, so what registration enforced is what the planner believes (P16).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from queries.algebra.names import quoted
from queries.catalog.document import MOST_BYTES, Document, read_document
from queries.catalog.faults import ManifestFault, ManifestRefused, Path
from queries.catalog.growing import check_ceiling, read_blocks
from queries.catalog.manifest import Ceiling, Manifest, Timing, Type, Unit
from queries.catalog.names import is_bare, time_zones
from queries.catalog.shape import (
    CeilingShape,
    DestroyShape,
    Faults,
    ManifestShape,
    RecordShape,
    TimingShape,
    UnitShape,
    shaped,
)
from queries.catalog.tables import read_tables

MOST_ROWS_IN_ALL = 2**53


@dataclass(frozen=True, slots=True)
class Reading:
    """A valid manifest, the bytes it was read from, what is doubtful, and where things stand."""

    manifest: Manifest
    text: bytes
    warnings: tuple[ManifestFault, ...]
    document: Document

    def line(self, *path: str | int) -> int:
        """The line of `path`, or of the nearest thing above it."""
        return self.document.line(path)


def read(path: FilePath) -> Reading:
    """The manifest in a file; raises ManifestRefused, or OSError where there is no such file."""
    with path.open("rb") as file:
        return parse(file.read(MOST_BYTES + 1))


def parse(text: bytes) -> Reading:
    """The manifest in these bytes; raises ManifestRefused with every fault."""
    document = read_document(text)
    faults = Faults(document)
    manifest = _manifest(document.root, faults)
    if faults.found or manifest is None:
        raise ManifestRefused(tuple(sorted(set(faults.found), key=_order)))
    return Reading(manifest, text, tuple(sorted(_warnings(manifest, document))), document)


def _order(fault: ManifestFault) -> tuple[int, str, str]:
    return fault.line, fault.path, fault.message


def _manifest(root: Any, faults: Faults) -> Manifest | None:
    data = shaped(ManifestShape, root, (), faults)
    unit = _part(data, "unit", UnitShape, faults)
    ceiling = _part(data, "ceiling", CeilingShape, faults)
    timing = _timing(data, faults)
    record = _record(data, faults)
    tables = read_tables(data["tables"], faults) if "tables" in data else ()
    blocks = read_blocks(data, tables, faults)
    _check_zone(data, faults)
    if faults.found:
        return None
    manifest = Manifest(
        dataset=data["dataset"],
        title=data["title"],
        unit=Unit(**unit),
        ceiling=Ceiling(**ceiling),
        tables=tables,
        time_zone=data["time_zone"],
        timing=timing,
        record=record,
        minimum_frequency=data.get("minimum_frequency"),
        blocks=blocks,
    )
    _check_sizes(manifest, faults)
    check_ceiling(manifest, faults)
    return manifest


def _part(data: dict[str, Any], name: str, shape: Any, faults: Faults) -> dict[str, Any]:
    return shaped(shape, data[name], (name,), faults) if name in data else {}


def _timing(data: dict[str, Any], faults: Faults) -> Timing | None:
    if data.get("timing") == "off":
        return None
    found = _part(data, "timing", TimingShape, faults)
    return Timing(**found) if "slot" in found else Timing()


def _check_zone(data: dict[str, Any], faults: Faults) -> None:
    if "time_zone" in data and data["time_zone"] not in time_zones():
        hint = "a name of the IANA list, such as Europe/Amsterdam"
        faults.add(("time_zone",), f"there is no time zone {data['time_zone']}", hint)


def _check_sizes(manifest: Manifest, faults: Faults) -> None:
    for table in manifest.tables:
        if manifest.unit.at_most * (table.rows_per_unit or 1) > MOST_ROWS_IN_ALL:
            path = ("tables", table.name, "rows_per_unit")
            faults.add(path, "times unit.at_most is more rows than can be counted exactly")


def _record(data: dict[str, Any], faults: Faults) -> tuple[tuple[str, str], ...]:
    """The record as pairs of dotted names and text, in the order of the file."""
    found = _part(data, "record", RecordShape, faults)
    destroy = found.pop("destroy", None)
    if destroy is not None:
        found["destroy"] = shaped(DestroyShape, destroy, ("record", "destroy"), faults)
    return tuple(_pairs(found))


def _pairs(found: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in found.items():
        match value:
            case dict():
                yield from _pairs(value, f"{prefix}{name}.")
            case list():
                yield prefix + name, ", ".join(value)
            case bool():
                yield prefix + name, "true" if value else "false"
            case _:
                yield prefix + name, str(value)


def _warnings(manifest: Manifest, document: Document) -> Iterator[ManifestFault]:
    for table in manifest.tables:
        path: Path = ("tables", table.name)
        names = [(path, table.name)]
        names += [((*path, "columns", column.name), column.name) for column in table.columns]
        for place, name in names:
            if not is_bare(name):
                yield _warning(document, place, f"SQL must quote this name: {quoted(name)}")
        for column in table.columns:
            place = (*path, "columns", column.name, "upper")
            if column.type is Type.TIMESTAMP and _is_day(_text(document, place)):
                yield _warning(document, place, "means the first moment of that day")


def _warning(document: Document, path: Path, message: str) -> ManifestFault:
    return ManifestFault(document.line(path), ".".join(map(str, path)), message)


def _text(document: Document, path: Path) -> str:
    value = document.root
    for step in path:
        value = value.get(step, {}) if isinstance(value, dict) else {}
    return value if isinstance(value, str) else ""


def _is_day(text: str) -> bool:
    return 0 < len(text) <= 10
