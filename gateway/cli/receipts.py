"""`sluis receipt`: check what a release says of itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from gateway.cli.audit import key_option
from gateway.cli.output import REFUSED, emit, json_option, refusals_told


@click.group()
def receipt() -> None:
    """Receipts: what a release was, and what it cost."""


@receipt.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--manifest", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The manifest that the delivery was made from.",
)  # fmt: skip
@key_option
@click.option(
    "--audit", "export", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An audit export, to see that charge and release stand in the ledger.",
)  # fmt: skip
@json_option
@refusals_told
def verify(
    file: Path, manifest: Path, keys: tuple[str, ...], export: Path | None, as_json: bool
) -> None:
    """Derive plan and loss of a receipt (or of a release that has one) again: yes or no.

    SQL and manifest are all it takes, with the public facts that the receipt carries; no gateway,
    database or delivery is asked.
    """
    from gateway.audit.booked import charged
    from gateway.audit.proving import prove
    from gateway.audit.signing import public_key
    from gateway.audit.verifying import verify as verified

    known = [public_key(one) for one in keys]
    lines = [] if export is None else export.read_bytes().splitlines(keepends=True)
    if export is not None and (verdict := verified(lines, known)).intact:
        known = list(verdict.keys)
    try:
        document = json.loads(file.read_bytes(), object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        document = None
    found = list(prove(document, manifest.read_bytes(), known))
    if export is not None and not found:
        found += charged(document, lines, known)
    if as_json:
        emit({"holds": not found, "findings": found})
    else:
        click.echo("yes" if not found else "no")
        for sentence in found:
            click.echo(f"  {sentence}")
    sys.exit(REFUSED if found else 0)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object that has each name once: of two values others might read the one not checked."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice in one object")
    return found
