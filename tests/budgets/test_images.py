"""Crash images: the database and its log as a power cut would leave them, reopened."""

from __future__ import annotations

import random
import shutil
import sqlite3
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from budgets.charge import QueryState
from budgets.refusals import BudgetExceeded
from tests.budgets import invariants
from tests.budgets.books import (
    LATE,
    PROJECT,
    STEP,
    answered,
    capped,
    opened,
    reserved,
    stage,
)

HEADER, FRAME = 32, 24


def wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def page_size(log: bytes) -> int:
    size = struct.unpack(">I", log[8:12])[0]
    assert size in {1 << power for power in range(9, 17)}
    return int(size)


def cuts(log: bytes) -> Iterator[int]:
    """Every length at which a log can end: after each frame, and torn within the next one."""
    frame = FRAME + page_size(log)
    yield from (0, HEADER // 2)
    for end in range(HEADER, len(log) + 1, frame):
        yield end
        if end + frame <= len(log):
            yield end + FRAME + frame // 2


def image(folder: Path, database: bytes, log: bytes) -> Path:
    path = folder / "image.db"
    for name in ("image.db-shm", "image.db-wal"):
        (folder / name).unlink(missing_ok=True)
    path.write_bytes(database)
    if log:
        wal(path).write_bytes(log)
    return path


@pytest.fixture
def books(tmp_path: Path) -> Path:
    """A ledger whose project affords five charges, all of it in the database, none in the log."""
    path = tmp_path / "a.db"
    capped(path, 5)
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    db.close()
    return path


def everything(path: Path) -> None:
    """Each step of a charge, up to the last one that the budget affords."""
    ledger = opened(path)
    answered(ledger, stage("count"))
    answered(ledger, stage("count"))
    ledger.void(reserved(ledger))
    failed = reserved(ledger)
    ledger.started(failed)
    ledger.fault(failed, "incident")
    ledger.started(reserved(ledger))
    ledger.recover(LATE)
    answered(ledger)
    reserved(ledger)
    with pytest.raises(BudgetExceeded):
        answered(ledger)


@pytest.mark.slow
def test_the_log_cut_at_every_frame(books: Path, tmp_path: Path) -> None:
    database = books.read_bytes()
    everything(books)
    log = wal(books).read_bytes()
    assert books.read_bytes() == database, "nothing was moved from the log while it was written"
    seen = set()
    folder = tmp_path / "cut"
    folder.mkdir()
    for end in cuts(log):
        path = image(folder, database, log[:end])
        invariants.hold(path)
        taken = invariants.taken(path)
        assert taken % STEP == 0
        assert taken <= 5 * STEP
        seen.add(taken // STEP)
    assert seen == {0, 1, 2, 3, 4, 5}
    assert len(list(cuts(log))) > 100


@pytest.mark.slow
def test_the_log_damaged_in_every_frame(books: Path, tmp_path: Path) -> None:
    """A frame that was written badly ends the log there, with all that follows it."""
    database = books.read_bytes()
    everything(books)
    log = wal(books).read_bytes()
    frame = FRAME + page_size(log)
    folder = tmp_path / "damaged"
    folder.mkdir()
    for start in range(HEADER, len(log), frame):
        damaged = bytearray(log)
        damaged[start + FRAME + 100] ^= 0xFF
        invariants.hold(image(folder, database, bytes(damaged)))


def test_recovery_of_every_committed_image(books: Path, tmp_path: Path) -> None:
    """Wherever the log ends at a commit, recovery leaves no charge open and gives nothing back."""
    database = books.read_bytes()
    everything(books)
    log = wal(books).read_bytes()
    frame = FRAME + page_size(log)
    commits = [
        start + frame
        for start in range(HEADER, len(log), frame)
        if struct.unpack(">I", log[start + 4 : start + 8])[0]
    ]
    assert len(commits) > 15
    folder = tmp_path / "commits"
    folder.mkdir()
    for end in commits:
        path = image(folder, database, log[:end])
        before = invariants.taken(path)
        ledger = opened(path)
        ledger.recover(LATE)
        assert invariants.taken(path) == before
        states = {query.state for query in ledger.queries(PROJECT, limit=100)}
        assert QueryState.RUNNING not in states
        assert ledger.verify("mobility").intact
        invariants.hold(path)


def small_logs(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA wal_autocheckpoint = 20")


def copied(path: Path, into: Path) -> bool:
    """A copy of database and log; False where the log was begun anew meanwhile."""
    into.mkdir()
    with wal(path).open("rb") as file:
        salts = file.read(HEADER)[16:24]
    shutil.copyfile(path, into / path.name)
    shutil.copyfile(wal(path), wal(into / path.name))
    with wal(path).open("rb") as file:
        after = file.read(HEADER)[16:24]
    return len(salts) == 8 and after == salts == wal(into / path.name).read_bytes()[16:24]


def test_images_taken_while_threads_write(tmp_path: Path) -> None:
    """Copies made in the midst of charges and checkpoints hold all that was acknowledged."""
    path = tmp_path / "a.db"
    capped(path, 60)
    event.listen(Engine, "connect", small_logs)
    try:
        ledger = opened(path)
        acknowledged: list[str] = []

        def write() -> None:
            for _ in range(20):
                charge = answered(ledger)
                acknowledged.append(charge.query)

        threads = [threading.Thread(target=write) for _ in range(3)]
        for thread in threads:
            thread.start()
        taken = list(_images(path, tmp_path, acknowledged, threads))
        for thread in threads:
            thread.join()
    finally:
        event.remove(Engine, "connect", small_logs)
    assert len(acknowledged) == 60
    assert taken
    for copy, known in taken:
        invariants.hold(copy)
        reopened = opened(copy)
        for query in known:
            assert reopened.document(PROJECT, query) == f"release of {query}".encode()
    with pytest.raises(BudgetExceeded):
        answered(opened(path))


def _images(
    path: Path, folder: Path, acknowledged: list[str], threads: list[threading.Thread]
) -> Iterator[tuple[Path, tuple[str, ...]]]:
    number = 0
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.02)
        number += 1
        known = tuple(acknowledged)
        into = folder / f"image{number}"
        if wal(path).exists() and copied(path, into):
            yield into / path.name, known


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_log_cut_and_damaged_at_random_bytes(seed: int, books: Path, tmp_path: Path) -> None:
    """Wherever the power went, and whatever byte the disk has turned: a past state, whole."""
    database = books.read_bytes()
    everything(books)
    log = wal(books).read_bytes()
    chosen = random.Random(seed)
    folder = tmp_path / "random"
    folder.mkdir()
    seen = set()
    for number in range(100):
        damaged = bytearray(log[: chosen.randrange(len(log) + 1)])
        for _ in range(chosen.randrange(3)):
            if damaged:
                damaged[chosen.randrange(len(damaged))] ^= chosen.randrange(1, 256)
        own = folder / str(number)
        own.mkdir()
        path = image(own, database, bytes(damaged))
        invariants.hold(path)
        before = invariants.taken(path)
        opened(path).recover(LATE)
        assert invariants.taken(path) == before
        invariants.hold(path)
        seen.add(before // STEP)
    assert len(seen) > 2
