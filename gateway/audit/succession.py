"""Succession: a gateway's signing key gives way to a new one, and each of them signs for that.

Both signatures stand in a line of the record, so an export carries them: who was given one of the
keys can check what the other signed. What the old key signs after that line is not believed, and
how late it was signed is told by how much of the record it speaks of, not by its own date. The new
key is made beside the old one and takes its place when the line is on disk; if that is cut off,
whoever signs next finishes it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from budgets.auditing import RECORD
from budgets.storage import Storage
from budgets.storage.faults import StorageUnusable
from budgets.storage.schema import act
from gateway.audit import signing
from gateway.audit.checkpoints import Checkpoints, chains
from gateway.audit.signing import Signed, Signer
from gateway.home import Home, HomeInUse, take_lock
from gateway.record import Deed, Record

KIND = "succession"
NEXT = f"{signing.NAME}.next"


class KeyRetired(StorageUnusable):
    """The home's signing key has given way to another, which is not there."""

    code = "signing-key-retired"
    hint = (
        "Put the file keys/signing of a later backup in its place; or remove it: a new key is "
        "made, which auditors have to be given by another way."
    )

    def __init__(self) -> None:
        super().__init__("The signing key of this home was replaced by another.")


@dataclass(frozen=True, slots=True)
class Succession:
    """One key in the place of another, from entry `number` of the record on."""

    number: int
    old: str
    new: str


def signer(home: Home, storage: Storage) -> Signer:
    """The signer of a home, whose key's change is finished first; KeyRetired if it was replaced."""
    with storage.read() as tx:
        lines = tx.execute(act.select().where(act.c.act == Deed.SIGNING_ROTATED.value)).all()
    told = [json.loads(line.about) for line in lines]
    if (home.keys / NEXT).exists() and Signer(home, NEXT).public in {one["new"] for one in told}:
        _placed(home)
    found = Signer(home)
    if found.public in {one["old"] for one in told}:
        raise KeyRetired
    return found


def kept(home: Home, storage: Storage) -> tuple[Signer, int]:
    """The signer of a home, and a descriptor: as long as that is open, its key does not change.

    Several homes may share one folder of keys, so the lock on a home alone would not do.
    """
    while True:
        found, place = signer(home, storage), home.keys / signing.NAME
        held = os.open(place, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_SH)
        same = os.path.samestat(os.fstat(held), place.stat())
        if same and Signer(home).public == found.public:
            return found, held
        os.close(held)


def _alone(home: Home) -> int:
    """A descriptor that nobody else signs beside; HomeInUse where somebody does."""
    held = os.open(home.keys / signing.NAME, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        raise HomeInUse(home.keys) from None
    return held


def rotate(home: Home, storage: Storage, record: Record) -> tuple[str, str]:
    """A new key in the place of the home's; the old one and the new. HomeInUse beside a server."""
    locks = [take_lock(home)]
    try:
        old = signer(home, storage)
        locks.append(_alone(home))
        Checkpoints(home, storage, old).take(keep=True)
        (home.keys / NEXT).unlink(missing_ok=True)  # of a change that was cut off before its line
        new = Signer(home, NEXT)
        named = {"old": old.public, "new": new.public}
        by = {f"by_{one}": key.sign(KIND, **named).signature for one, key in
              (("old", old), ("new", new))}  # fmt: skip
        record.told(Deed.SIGNING_ROTATED, **named, **by)
        _placed(home)
        Checkpoints(home, storage, Signer(home)).take(keep=True)
        return old.public, new.public
    finally:
        for lock in locks:
            os.close(lock)


def _placed(home: Home) -> None:
    """The new key stands where the old one stood, durably; nothing is left of that."""
    (home.keys / NEXT).replace(home.keys / signing.NAME)
    folder = os.open(home.keys, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def told(entry: Mapping[str, object]) -> Succession | None:
    """The succession that an entry of the record tells; ValueError where it is not signed by both.

    None if the entry is about something else.
    """
    if entry.get("act") != Deed.SIGNING_ROTATED.value:
        return None
    about = json.loads(str(entry["about"]))
    named = {"old": str(about["old"]), "new": str(about["new"])}
    for one, text in named.items():
        statement = {"kind": KIND, "version": 1} | named
        signed = Signed(statement, str(about[f"by_{one}"]))
        if not signing.holds(signed, [signing.public_key(text)]):
            raise ValueError("a succession that is not signed by both keys")
    return Succession(int(str(entry["number"])), named["old"], named["new"])


@dataclass(slots=True)
class Trusted:
    """The keys that were given, and those that follow from them; each until it was replaced."""

    given: Sequence[Ed25519PublicKey]
    _ends: dict[str, int] = field(default_factory=dict)
    _pairs: list[Succession] = field(default_factory=list)

    def add(self, found: Succession) -> None:
        """A succession, in the order of the record."""
        self._ends.setdefault(found.old, found.number)
        self._pairs.append(found)

    @property
    def ends(self) -> Mapping[str, int]:
        """The replaced keys, each with the line of the record that says so."""
        return self._ends

    def keys(self) -> Iterator[Ed25519PublicKey]:
        """All of them, whenever they were replaced."""
        return (signing.public_key(one) for one in sorted(self._known()))

    def holds(self, signed: Signed) -> bool:
        """Whether one of them signed the statement, and before it was replaced."""
        head = chains(signed).get(RECORD)
        length = 0 if head is None else head.length
        alive = [
            signing.public_key(one)
            for one in self._known()
            if one not in self._ends or length < self._ends[one]
        ]
        return signing.holds(signed, alive)

    def _known(self) -> set[str]:
        known = {signing.shown(key) for key in self.given}
        for pair in (*self._pairs, *reversed(self._pairs)):
            if known & {pair.old, pair.new}:
                known |= {pair.old, pair.new}
        return known
