"""`sluis ledger`: its tables, whether it agrees with itself, its text, and where it lives."""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from gateway.cli.output import (
    REFUSED,
    emit,
    home_option,
    json_option,
    reason_option,
    refusals_told,
)


@click.group()
def ledger() -> None:
    """The ledger of charges."""


@ledger.command()
@home_option
@json_option
@refusals_told
def migrate(home: str | None, as_json: bool) -> None:
    """Bring the database to the tables of this version; again, it changes nothing.

    SQLite in a home is migrated when it is opened. A server's database is migrated by this alone,
    while no gateway uses it.
    """
    from budgets.storage import Storage
    from gateway.home import Home, private_files
    from gateway.settings import load

    settings = load(home=home)
    with private_files():
        Home(settings.home).prepare()
        storage = Storage.migrated(settings.ledger)
        try:
            stands = storage.revision()
        finally:
            storage.close()
    if as_json:
        emit({"revision": stands})
    else:
        click.echo(f"The database stands at revision {stands}.")


@ledger.command()
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@home_option
@json_option
@refusals_told
def export(file: str, home: str | None, as_json: bool) -> None:
    """Write the whole ledger to FILE (-: standard output) as JSON, one canonical line a row.

    Hashes of API keys are left out; all else is there, releases included. The last line has the
    number of rows and the SHA-256 of each table, and the head of each chain.
    """
    from budgets.exporting import lines
    from gateway.cli.local import opened
    from gateway.record import Deed

    last = "{}"
    with opened(home) as local, click.open_file(file, "w", encoding="ascii") as out:
        if local.storage.moved is None:
            local.record.told(Deed.LEDGER_EXPORTED)
        for last in lines(local.storage):
            out.write(last + "\n")
    if file != "-":
        _tell_proof(json.loads(last), as_json=as_json)


@ledger.command()
@click.option("--to", "address", required=True, help="postgresql://user@host:port/name")
@home_option
@json_option
@refusals_told
def move(address: str, home: str | None, as_json: bool) -> None:
    """Move the ledger of a home to an empty database of PostgreSQL, and prove that all is there.

    The home's own database refuses every charge from then on. Interrupted, the same command
    carries on. A password is better kept in PGPASSWORD or ~/.pgpass than on the command line.
    """
    from budgets.moving import move as moved
    from budgets.storage import Storage
    from gateway.home import Home, private_files, take_lock
    from gateway.settings import load

    place = Home(load(home=home).home).prepare()
    lock = take_lock(place)
    with private_files(), ExitStack() as closing:
        closing.callback(os.close, lock)
        source = Storage.open(place.database)
        closing.callback(source.close)
        target = Storage.migrated(address)
        closing.callback(target.close)
        proof = moved(source, target)
        where = target.name
    told = {
        "tables": {n: {"rows": c.rows, "sha256": c.digest} for n, c in proof.tables.items()},
        "heads": {name: {"head": head} for name, head in proof.heads.items()},
    }
    _tell_proof(told, as_json=as_json)
    if not as_json:
        click.echo(f"Moved to {where}. Set SLUIS_DATABASE to it wherever this home is used.")


def _tell_proof(told: dict[str, Any], *, as_json: bool) -> None:
    """Tables with their rows and hashes, and the heads of all chains."""
    if as_json:
        emit(told)
        return
    for name, content in told["tables"].items():
        click.echo(f"{name}: {content['rows']} rows, SHA-256 {content['sha256']}")
    for name, chain in told["heads"].items():
        click.echo(f"{name}: head {chain['head']}")


@ledger.command()
@click.argument("query")
@reason_option
@home_option
@json_option
@refusals_told
def redeem(query: str, reason: str, home: str | None, as_json: bool) -> None:
    """Let the query with this id, whose run failed, be asked once more under its own charge.

    Whoever in the project sends the same question again gets that run, for nothing. It happens
    once: should it fail too, the charge is gone.
    """
    from gateway.cli.local import opened, operator

    with opened(home) as local:
        project = local.ledger.project_of(query)
        local.steward.redeem(project, query, operator(), reason)
    if as_json:
        emit({"project": project, "query": query, "state": "queued"})
    else:
        click.echo(f"The question may be asked once more in project {project}, for nothing.")


@ledger.command()
@click.argument("dataset", required=False)
@click.option("--tight", is_flag=True, help="Count anew by privacy-loss distributions, too.")
@click.option(
    "--export",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read this export instead of the ledger of a home.",
)
@home_option
@json_option
@refusals_told
def report(
    dataset: str | None, tight: bool, file: Path | None, home: str | None, as_json: bool
) -> None:  # fmt: skip
    """Tell what all charges of ceiling, blocks and projects amount to, by each way of counting.

    For each account: what its rho converts to at its own delta, the sum of its epsilons where all
    charges are pure, and the least of the two, which holds. --tight adds what privacy-loss
    distributions say, and how much larger the least is; it needs the extra `report`.
    """
    from budgets import statements
    from gateway.cli.local import opened
    from gateway.cli.tightness import shown, tell

    with ExitStack() as closing:
        if file is None:
            local = closing.enter_context(opened(home))
            read = statements.from_ledger(closing.enter_context(local.storage.read()))
        else:
            read = statements.from_export(closing.enter_context(file.open(encoding="ascii")))
        names = [dataset] if dataset else list(statements.named(read("account")))
        told = {name: shown(statements.statements(read, name), tight) for name in names}
    if as_json:
        emit(told)
        return
    for name, lines in told.items():
        tell(name, lines)


@ledger.command()
@click.argument("dataset", required=False)
@home_option
@json_option
@refusals_told
def verify(dataset: str | None, home: str | None, as_json: bool) -> None:
    """Recompute every hash chain, every account and the hash of all that was released."""
    from gateway.cli.local import opened

    with opened(home) as local:
        names = [dataset] if dataset else local.registry.datasets()
        found = [local.ledger.verify(name) for name in names]
    if as_json:
        emit([
            {"dataset": one.dataset, "intact": one.intact, "entries": one.entries,
             "head": one.head, "broken_at": one.broken_at,
             "disagreements": list(one.disagreements)}
            for one in found
        ])  # fmt: skip
    for one in [] if as_json else found:
        click.echo(f"{one.dataset}: {'intact' if one.intact else 'BROKEN'}, {one.entries} entries")
        click.echo(f"  head {one.head}")
        if one.broken_at is not None:
            click.echo(f"  entry {one.broken_at} does not follow from those before it")
        for sentence in one.disagreements:
            click.echo(f"  {sentence}")
    sys.exit(0 if all(one.intact for one in found) else REFUSED)
