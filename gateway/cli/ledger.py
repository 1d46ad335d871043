"""`sluis ledger`: its tables, and whether it agrees with itself."""

from __future__ import annotations

import sys

import click

from gateway.cli.output import REFUSED, emit, home_option, json_option, refusals_told


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
