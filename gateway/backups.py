"""Backups: a home copied while it is used, and put back only where that forgets no charge.

A backup has the ledger as one file of SQLite, whichever database it is of, proved row by row; the
present deliveries; and a checkpoint. Keys are left out unless they are asked for: whoever holds
deliveries and pseudonym keys together can look for a person in them.

Privacy note
    Neighbours  as each dataset's manifest declares them.
    Claim       after a restore no loss can be spent a second time (P17).
    Requires    the checkpoint of the home, or one that somebody kept: it is younger than a backup.
    Why         a ledger that lacks an entry which any checkpoint, or the database that stands in
                the home, has is refused. Where nothing tells what was charged since the backup, or
                more was, only `spend_rest` goes on: it charges all that is left of every ceiling,
                which is as much as can have been spent.
    Tried by    tests/gateway/test_backups.py
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from budgets.auditing import heads, holds
from budgets.ledger import Ledger
from budgets.moving import copy
from budgets.storage import Storage
from budgets.storage.faults import Moved
from gateway.audit import checkpoints, signing
from gateway.audit.checkpoints import Checkpoints
from gateway.audit.signing import Signed
from gateway.audit.succession import signer
from gateway.home import FOLDER, Home
from gateway.record import Deed, Record
from gateway.registry import Registry

TOLD = "backup.json"
DATABASE = "sluis.db"
DELIVERIES = "deliveries"
KEYS = "keys"


class BackupUnusable(Exception):
    """A backup cannot be taken or put back like this; `hint` says what to do."""

    code = "backup-unusable"

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class NotABackup(BackupUnusable):
    """The folder holds no whole backup."""

    code = "not-a-backup"


class BackupForgets(BackupUnusable):
    """The backup lacks charges that were made, or nothing shows that it does not."""

    code = "backup-forgets"


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: the length of each chain, and how many files beside the ledger."""

    chains: dict[str, int]
    deliveries: tuple[str, ...]
    keys: bool


def back_up(home: Home, storage: Storage, folder: Path, *, keys: bool) -> Backup:
    """Copy a home that may be in use to a new folder; it is whole once `backup.json` stands."""
    if storage.moved is not None:
        raise Moved(storage.moved)
    if folder.exists() and any(folder.iterdir()):
        raise BackupUnusable(f"{folder} is not empty.")
    folder.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    folder.chmod(FOLDER)
    Record(storage).told(Deed.BACKED_UP, keys="yes" if keys else "no")
    kept = Storage.open(folder / DATABASE)
    try:
        copy(storage, kept)
        told = Checkpoints(home, kept, signer(home, kept)).now()
        present = sorted(str(one.directory) for one in Registry(kept).deliveries() if one.active)
    finally:
        kept.close()
    for name in present:
        _copied(home.deliveries / name, folder / DELIVERIES / name)
    if keys:
        _copied(home.keys, folder / KEYS)
    _tell(folder, told)
    return _of(folder, told)


def read(folder: Path) -> tuple[Backup, Signed]:
    """What a folder holds, and its checkpoint; NotABackup unless every file is as it was."""
    try:
        told = json.loads((folder / TOLD).read_bytes())
        found = signing.read(told["checkpoint"], checkpoints.KIND)
        files = dict(told["files"])
    except (OSError, ValueError, KeyError, TypeError):
        raise NotABackup(f"{folder} holds no whole backup.") from None
    if found is None or files != _hashes(folder):
        raise NotABackup(f"The files of {folder} are not those that were backed up.")
    return _of(folder, found), found


def restore(
    home: Home,
    place: Path | str,
    folder: Path,
    given: Sequence[Signed],
    *,
    trusted: Sequence[Ed25519PublicKey] = (),
    keys: Path | None = None,
    spend_rest: bool = False,
) -> Backup:
    """Put a backup in the place of a home's ledger; BackupForgets where that forgets a charge.

    Checkpoints that are given count where one of the `trusted` keys signed them, or one of the home
    or of those that come along. No server may run on the home. What stood in its place before is
    kept beside it.
    """
    found, _ = read(folder)
    along = keys or (folder / KEYS if found.keys else None)
    if not spend_rest:
        _refuse_unsigned(given, [*trusted, *_public(home.keys), *_public(along)])
    copied = home.root / f".{DATABASE}.{secrets.token_hex(4)}"
    _copied_file(folder / DATABASE, copied)  # it may have to be brought to this version
    kept = Storage.open(copied)
    try:
        known = [*given, *([one] if (one := checkpoints.latest(home)) is not None else [])]
        if not spend_rest:
            _refuse_forgetting(kept, known, place)
        _keys(home, along)
        _placed(kept, place)
    finally:
        kept.close()
        copied.unlink()
    for name in found.deliveries:
        if not (home.deliveries / name).exists():
            _copied(folder / DELIVERIES / name, home.deliveries / name)
    _opened(home, place, spend_rest=spend_rest)
    return found


def _opened(home: Home, place: Path | str, *, spend_rest: bool) -> None:
    """Write off what is unknown, tell of the restore, and sign for what stands now."""
    storage = Storage.open(place)
    ledger, names = Ledger(storage), Registry(storage).datasets()
    try:
        with Record(storage).act(Deed.RESTORED, spent="yes" if spend_rest else "no") as tx:
            for name in names if spend_rest else ():
                ledger.forfeit(name, "restore", "charges since the backup", within=tx)
        for file in (home.checkpoint, home.checkpoints):
            with suppress(FileNotFoundError):
                file.rename(_aside(file))
        Checkpoints(home, storage, signer(home, storage)).take(keep=True)
    finally:
        storage.close()


def _refuse_unsigned(given: Sequence[Signed], keys: Sequence[Ed25519PublicKey]) -> None:
    """A checkpoint that anybody may have written shows nothing of what was charged."""
    if not all(signing.holds(one, keys) for one in given):
        raise BackupUnusable(
            "A checkpoint that was given is signed by no key that is known here.",
            hint="Give the gateway's public key, once for each that signed (--public-key), or its "
            "keys (--keys).",
        )


def _public(keys: Path | None) -> list[Ed25519PublicKey]:
    """The public half of the signing key in a folder, if there is one."""
    secret = None if keys is None else keys / signing.NAME
    if secret is None or not secret.is_file():
        return []
    return [Ed25519PrivateKey.from_private_bytes(secret.read_bytes()).public_key()]


def _refuse_forgetting(kept: Storage, known: Sequence[Signed], place: Path | str) -> None:
    """BackupForgets unless the ledger has all that is known of it, and something is known."""
    standing = _heads(place)
    if not known and standing is None:
        raise BackupForgets(
            "Nothing shows what was charged since this backup.",
            hint="Give a checkpoint that was kept (--checkpoint), or charge all that is left of "
            "every ceiling (--spend-rest).",
        )
    told = [checkpoints.chains(one) for one in known] + ([] if standing is None else [standing])
    with kept.read() as tx:
        for chains in told:
            for chain, head in chains.items():
                if not holds(tx, chain, head):
                    raise BackupForgets(
                        f"This backup lacks entries of {chain}: {head.length} were signed for.",
                        hint="Take a later backup. --spend-rest restores this one and charges all "
                        "that is left of every ceiling.",
                    )


def _heads(place: Path | str) -> Any:
    """Where the chains of the ledger in place end; None if there is none that can be read."""
    if isinstance(place, Path) and not place.exists():
        return None
    try:
        storage = Storage.open(place)
    except Exception:  # noqa: BLE001 - what cannot be opened is what a restore is for
        return None
    try:
        with storage.read() as tx:
            found = heads(tx)
    except Exception:  # noqa: BLE001 - as above
        return None
    finally:
        storage.close()
    return found if any(one.length for one in found.values()) else None


def _placed(kept: Storage, place: Path | str) -> None:
    """The ledger in its place, whole or not at all; a file that stood there is put aside."""
    if isinstance(place, str):
        target = Storage.migrated(place)
        try:
            copy(kept, target)
        finally:
            target.close()
        return
    fresh = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    target = Storage.open(fresh)
    try:
        copy(kept, target)
    finally:
        target.close()
    aside = _aside(place)
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(f"{place}{suffix}").rename(f"{aside}{suffix}")
    fresh.rename(place)


def _aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.before-{secrets.token_hex(4)}")


def _keys(home: Home, source: Path | None) -> None:
    """The keys of a backup, where the home has none of that name; other ones are refused."""
    for file in () if source is None else sorted(source.iterdir()):
        mine = home.keys / file.name
        if not mine.exists():
            _copied_file(file, mine)
        elif mine.read_bytes() != file.read_bytes():
            raise BackupUnusable(
                f"The home has another key {file.name} than the backup.",
                hint="Restore into an empty home, or leave the keys of the backup out.",
            )


def _copied(source: Path, target: Path) -> None:
    """A folder of files, private, each on disk when this returns."""
    target.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    for file in sorted(source.iterdir()):
        if file.is_file() and not file.name.startswith("."):
            _copied_file(file, target / file.name)


def _copied_file(source: Path, target: Path) -> None:
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    shutil.copyfile(source, fresh)
    shutil.copymode(source, fresh)
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.rename(target)


def _tell(folder: Path, told: Signed) -> None:
    """What makes a folder a backup, written last."""
    text = json.dumps({"checkpoint": told.document(), "files": _hashes(folder)}, indent=1)
    fresh = folder / f".{TOLD}"
    with fresh.open("w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(folder / TOLD)


def _of(folder: Path, told: Signed) -> Backup:
    names = (folder / DELIVERIES).iterdir() if (folder / DELIVERIES).is_dir() else ()
    return Backup(
        {name: one.length for name, one in checkpoints.chains(told).items()},
        tuple(sorted(one.name for one in names)),
        (folder / KEYS).is_dir(),
    )


def _hashes(folder: Path) -> dict[str, str]:
    files = (one for one in sorted(folder.rglob("*")) if one.is_file())
    return {str(one.relative_to(folder)): _hash(one) for one in _lasting(files)}


def _lasting(files: Iterable[Path]) -> Iterable[Path]:
    """All but what tells of the rest, and what SQLite keeps beside a file that is open."""
    return (one for one in files if one.name not in (TOLD, f".{TOLD}") and "db-" not in one.suffix)


def _hash(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
