"""Books worth an audit: charges of every kind, acts and counts, and checkpoints in between."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from budgets.charge import QueryRecord
from budgets.ledger import Ledger
from budgets.storage import Storage
from gateway.audit.checkpoints import Checkpoints
from gateway.audit.exporting import lines
from gateway.audit.signing import Signer
from gateway.home import Home
from gateway.record import Deed, Record
from tests.budgets.books import PROJECT, claim, document, opened, ready, stage, tables
from tests.budgets.places import Place

TEXT = b'{"sql": "SELECT COUNT(*) FROM pings WHERE note = \'secret\'"}'


class Books:
    """A home, its ledger and all that is kept of it."""

    def __init__(self, root: Path, place: Place) -> None:
        self.home = Home(root).prepare()
        self.ledger = ready(place)
        self.place = place
        self.storage = Storage.open(place)
        self.record = Record(self.storage)
        self.signer = Signer(self.home)
        self.checkpoints = Checkpoints(self.home, self.storage, self.signer)

    def ask(self, digest: str) -> QueryRecord:
        """A query that is charged and released."""
        query = asked_for(self.ledger)
        wanted = replace(claim(query, stage(digest), analyst="anna"), asked=query.digest)
        charge = self.ledger.reserve(wanted)
        if charge.stages:
            self.ledger.started(charge)
        self.ledger.settle(charge, document(charge), tables(charge))
        return query

    def fail(self, digest: str) -> None:
        """A query whose run fails."""
        charge = self.ledger.reserve(claim(asked_for(self.ledger), stage(digest)))
        self.ledger.started(charge)
        self.ledger.fault(charge, "incident")

    def export(self, *, texts: bool = True) -> list[bytes]:
        """The lines of an export, each with its newline."""
        found = lines(self.home, self.storage, self.signer, texts=texts)
        return [line.encode("ascii") + b"\n" for line in found]


def asked_for(ledger: Ledger, text: bytes = TEXT) -> QueryRecord:
    """A query whose digest is that of its text, as the gateway makes them."""
    return ledger.accept(PROJECT, "anna", None, hashlib.sha256(text).hexdigest(), text)


def full(root: Path, place: Place) -> Books:
    """Books with something of everything."""
    books = Books(root, place)
    books.ask("a")
    books.checkpoints.take(keep=True)
    books.record.told(Deed.KEY_MADE, PROJECT, new="key", member="anna")
    books.record.count(Deed.REFUSED, "unknown-column", PROJECT)
    books.record.count(Deed.QUOTED, project=PROJECT)
    books.record.write()
    books.fail("b")
    books.ask("a")
    books.checkpoints.take(keep=True)
    books.record.told(Deed.KEY_REVOKED, PROJECT, old="key", member="anna")
    return books


__all__ = ["Books", "full", "opened"]
