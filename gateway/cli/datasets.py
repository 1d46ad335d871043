"""`sluis dataset`: check a manifest, register a delivery."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.output import emit, home_option, json_option, refusals_told
from gateway.cli.output import table as tabled

if TYPE_CHECKING:
    from queries.catalog.reading import Reading


@click.group()
def dataset() -> None:
    """Datasets: manifests and deliveries."""


@dataset.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@refusals_told
def check(file: Path, as_json: bool) -> None:
    """Explain what a manifest allows and what it lacks: all faults at once, with their lines."""
    from queries.catalog.reading import read

    reading = read(file)
    told = _allowed(reading)
    warnings = [str(fault) for fault in reading.warnings]
    if as_json:
        emit({"dataset": reading.manifest.dataset, "allows": told, "warnings": warnings})
        return
    click.echo(f"{file.name}: the manifest of dataset {reading.manifest.dataset} is complete.")
    for line in told:
        click.echo(f"  {line}")
    for line in warnings:
        click.echo(f"  note, {line}")


@dataset.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--block", help="Of a dataset that grows by blocks: the one whose rows these are.")
@home_option
@json_option
@refusals_told
def register(file: Path, block: str | None, home: str | None, as_json: bool) -> None:
    """Build a delivery from a manifest's source files and make it the present one.

    Of a dataset that grows by blocks it is that of one block (2026-H1): rows outside of its
    interval are left behind. The same block again is a correction, under the ceiling that stands.

    Interrupted or failed, it leaves the dataset as it was. What was clamped or dropped is shown
    here, to the provider, and nowhere else.
    """
    from gateway.cli.local import opened
    from gateway.deliveries import Deliveries

    with opened(home) as local:
        deliveries = Deliveries(local.home, local.storage)
        with progress_bar(hidden=as_json) as moved:
            made, delivery = deliveries.register(file, moved, block)
    if as_json:
        emit({
            "dataset": delivery.dataset, "delivery": delivery.id, "number": delivery.number,
            "block": delivery.block,
            "manifest_hash": delivery.manifest_hash, "report": list(made.report.lines()),
        })  # fmt: skip
        return
    where = "" if delivery.block is None else f", block {delivery.block},"
    click.echo(f"Delivery {delivery.number} of dataset {delivery.dataset}{where} is in place.")
    for line in made.report.lines():
        click.echo(f"  {line}")


@dataset.command()
@click.argument("name")
@home_option
@json_option
@refusals_told
def blocks(name: str, home: str | None, as_json: bool) -> None:
    """List the blocks of a growing dataset: the ceiling of each and how much of it was spent."""
    from gateway.cli.local import opened

    with opened(home) as local:
        told = local.steward.blocks(name)
    if as_json:
        emit(told)
        return
    words = ("block", ">epsilon", ">delta", ">spent", ">left")
    tabled("", words, [tuple(one.values()) for one in told])


def progress_bar(hidden: bool) -> Any:
    """A progress bar on standard error, as a context whose value takes (fraction, words)."""
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    @contextmanager
    def shown() -> Any:
        columns = (TextColumn("{task.description:<24}"), BarColumn(), TaskProgressColumn())
        console = Console(stderr=True)
        with Progress(*columns, console=console, disable=hidden, transient=True) as bar:
            task = bar.add_task("starting", total=1.0)
            yield lambda fraction, words: bar.update(task, completed=fraction, description=words)

    return shown()


def _allowed(reading: Reading) -> list[str]:
    """What may be asked under this manifest, table by table."""
    manifest = reading.manifest
    unit = manifest.unit
    said = [f"unit: {unit.name}, at most {unit.at_most:,}; noise hides all rows of one"]
    for table in manifest.tables:
        if table.public:
            said.append(f"{table.name}: public; may be joined and shown in full")
            continue
        sums = [c.name for c in table.columns if c.lower is not None and c.type in SUMMED]
        keys = [c.name for c in table.columns if c.categories or c.references]
        texts = [c.name for c in table.columns if c.type == "text" and c.name not in keys]
        held = [name for name in texts if name != table.unit_key]
        rows = table.rows_per_unit or 1
        line = (
            f"{table.name}: private, at most {rows:,} row{'s' if rows > 1 else ''} of a {unit.name}"
        )
        line += f"; may be summed: {', '.join(sums) or 'nothing'}"
        line += f"; groups in full: {', '.join(keys) or 'none'}"
        said.append(line + (f"; groups at a delta: {', '.join(held)}" if held else ""))
    return said


SUMMED = ("integer", "decimal")
