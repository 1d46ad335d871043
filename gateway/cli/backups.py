"""`sluis backup` and `sluis restore`: a home copied while it is used, and put back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.output import emit, home_option, json_option, refusals_told

if TYPE_CHECKING:
    from gateway.backups import Backup

folder_argument = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))


@click.command()
@folder_argument
@click.option("--with-keys", is_flag=True, help="Copy the keys of pseudonyms and signatures too.")
@home_option
@json_option
@refusals_told
def backup(folder: Path, with_keys: bool, home: str | None, as_json: bool) -> None:
    """Copy ledger and present deliveries to a new FOLDER, beside a running server.

    The ledger is copied as of one moment and proved row by row, whichever database it is in. Keys
    are better copied once and kept apart: with them deliveries can be searched for a person.
    """
    from gateway.backups import back_up
    from gateway.cli.local import opened

    with opened(home) as local:
        found = back_up(local.home, local.storage, folder, keys=with_keys)
    _tell(found, "Backed up", as_json=as_json)


@click.command()
@folder_argument
@click.option(
    "--checkpoint", "kept", multiple=True, type=click.Path(exists=True, dir_okay=False),
    help="A file of checkpoints that were kept elsewhere.",
)  # fmt: skip
@click.option(
    "--public-key", "public", multiple=True,
    help="The public key that signed them, or a file that holds it; more than once for several.",
)  # fmt: skip
@click.option(
    "--keys", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of keys that were kept apart.",
)  # fmt: skip
@click.option(
    "--spend-rest", is_flag=True,
    help="Restore whatever was charged since, and charge all that is left of every ceiling.",
)  # fmt: skip
@home_option
@json_option
@refusals_told
def restore(
    folder: Path, kept: tuple[str, ...], public: tuple[str, ...], keys: Path | None,
    spend_rest: bool, home: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Put the backup in FOLDER in the place of a home's ledger, while no server runs.

    Refused where it forgets a charge: where the home's last checkpoint, one that is given, or the
    ledger that stands there has entries that the backup has not; and where nothing tells.
    """
    from gateway.audit.checkpoints import read_all
    from gateway.audit.signing import public_key
    from gateway.backups import restore as restored
    from gateway.cli.local import operator
    from gateway.home import Home, private_files, take_lock
    from gateway.record import Actor, acts_as
    from gateway.settings import load

    settings = load(home=home)
    given = [one for name in kept for one in read_all(Path(name).read_text("utf-8").splitlines())]
    trusted = [public_key(one) for one in public]
    acts_as(Actor(operator()))
    with private_files():
        place = Home(settings.home).prepare()
        lock = take_lock(place)
        try:
            found = restored(
                place, settings.ledger, folder, given, trusted=trusted, keys=keys,
                spend_rest=spend_rest,
            )  # fmt: skip
        finally:
            os.close(lock)
    _tell(found, "Restored", as_json=as_json)


def _tell(found: Backup, done: str, *, as_json: bool) -> None:
    if as_json:
        emit({
            "chains": found.chains, "deliveries": list(found.deliveries), "keys": found.keys,
        })  # fmt: skip
        return
    click.echo(f"{done}, proved row by row:")
    for name, length in found.chains.items():
        click.echo(f"  {name}: {length} entries")
    keys = "keys" if found.keys else "no keys"
    click.echo(f"  {len(found.deliveries)} deliveries, {keys}")
