"""Faults of operation: a disk that is full or cannot be written, a server set to lose commits.

A full disk is one whose files may grow no further than a limit, wherever a write meets it: after
any number of bytes of any step. What was told as done is done; whatever else is whole or absent.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from budgets.ledger import Ledger
from budgets.storage import Storage
from budgets.storage.faults import NotDurable, StorageBusy
from tests.budgets import invariants
from tests.budgets.books import (
    DATASET,
    LATE,
    PROJECT,
    STEP,
    answered,
    asked,
    claim,
    document,
    opened,
    ready,
    reserved,
    stage,
    tables,
)
from tests.postgres import Server

Act = Callable[[], object]
PAGE = 4096


def accepting(ledger: Ledger) -> Act:
    return lambda: asked(ledger)


def reserving(ledger: Ledger) -> Act:
    query = asked(ledger)
    return lambda: ledger.reserve(claim(query, stage(query.id)))


def settling(ledger: Ledger) -> Act:
    charge = reserved(ledger)
    ledger.started(charge)
    return lambda: ledger.settle(charge, document(charge), tables(charge))


def voiding(ledger: Ledger) -> Act:
    charge = reserved(ledger)
    return lambda: ledger.void(charge)


def faulting(ledger: Ledger) -> Act:
    charge = reserved(ledger)
    ledger.started(charge)
    return lambda: ledger.fault(charge, "incident")


def recovering(ledger: Ledger) -> Act:
    ledger.started(reserved(ledger))
    return lambda: ledger.recover(LATE)


def allocating(ledger: Ledger) -> Act:
    return lambda: ledger.allocate(PROJECT, Fraction(1, 10), None, "ada", "more")


def freezing(ledger: Ledger) -> Act:
    return lambda: ledger.freeze(PROJECT, "ada", "a look")


ACTS = {
    "accept": accepting, "reserve": reserving, "settle": settling, "void": voiding,
    "fault": faulting, "recover": recovering, "allocate": allocating, "freeze": freezing,
}  # fmt: skip


def marks(ledger: Ledger) -> tuple[object, ...]:
    """All that an act may change."""
    budget = ledger.budget(PROJECT)
    query = next(iter(ledger.queries(PROJECT, limit=1)), None)
    return (
        query and (query.id, query.state, ledger.document(PROJECT, query.id)),
        (budget.reserved, budget.spent, budget.epsilon, budget.frozen),
        ledger.verify(DATASET).entries,
    )


DONE, REFUSED, HALF = 0, 1, 2


def outcome(path: Path, make: Callable[[Ledger], Act], room: int) -> int:
    """Do it in a child whose files may grow by so many bytes, and say what became of it."""
    child = os.fork()
    if child == 0:
        code = 9
        try:
            code = _outcome(path, make, room)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _outcome(path: Path, make: Callable[[Ledger], Act], room: int) -> int:
    ledger = opened(path)
    act = make(ledger)
    before = marks(ledger)
    log = path.with_name(path.name + "-wal").stat().st_size
    limit = max(log, path.stat().st_size) + room
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        act()
    except OperationalError:
        return REFUSED if marks(ledger) == before else HALF
    return DONE if marks(ledger) != before else HALF


@pytest.mark.slow
@pytest.mark.parametrize("name", ACTS)
def test_a_disk_that_is_full_at_any_byte_of_an_act(name: str, tmp_path: Path) -> None:
    """From no room at all to enough: what was refused is absent, what was told as done is there."""
    seen = []
    for room in (0, 1, 31, PAGE, PAGE + 24, 3 * PAGE, 5 * PAGE + 100, 10 * PAGE, 60 * PAGE):
        path = tmp_path / f"{name}{room}.db"
        answered(ready(path))
        seen.append(outcome(path, ACTS[name], room))
        invariants.hold(path)
        assert opened(path).verify(DATASET).intact
        opened(path).recover(LATE)
        invariants.hold(path)
    assert set(seen) == {DONE, REFUSED}
    assert seen[0] == REFUSED
    assert seen[-1] == DONE


def test_it_charges_again_once_there_is_room(disk: Path) -> None:
    """A real disk, filled to its last byte, and a gateway that goes on when it has room again."""
    path = disk / "a.db"
    ledger = ready(path)
    charge = reserved(ledger)
    ledger.started(charge)
    _fill(disk / "filler")
    with pytest.raises(OperationalError, match="full"):
        ledger.settle(charge, os.urandom(200_000), tables(charge))
    (disk / "filler").unlink()
    assert invariants.taken(path) == STEP
    assert opened(path).recover(LATE) == (charge.query,)
    answered(ledger)
    assert invariants.taken(path) == 2 * STEP
    invariants.hold(path)


def test_a_disk_that_cannot_be_written_is_refused_at_start(disk: Path) -> None:
    """Mounted read-only: nothing is charged, and what stood there stands afterwards."""
    path = disk / "a.db"
    ledger = ready(path)
    query = asked(ledger)
    ledger._storage.close()
    assert _mount("-o", "remount,ro", str(disk))
    with pytest.raises(OSError, match="Read-only"):
        opened(path)
    assert _mount("-o", "remount,rw", str(disk))
    opened(path).reserve(claim(query, stage("count")))
    assert invariants.taken(path) == STEP
    invariants.hold(path)


READ_ONLY = "PRAGMA query_only = ON"


def test_a_file_that_cannot_be_written_while_it_runs_charges_nothing(tmp_path: Path) -> None:
    """Every connection refuses to write: each step is refused, and nothing is half done."""
    path = tmp_path / "a.db"
    ledger = ready(path)
    query = asked(ledger)
    before = marks(ledger)
    for connection in (ledger._storage.read, ledger._storage.begin):
        with connection() as tx:
            tx.exec_driver_sql(READ_ONLY)
    for act in (
        lambda: ledger.reserve(claim(query, stage("count"))),
        lambda: asked(ledger),
        lambda: ledger.allocate(PROJECT, Fraction(1, 10), None, "ada", "more"),
        ledger._storage.beat,
    ):
        with pytest.raises(OperationalError, match="readonly"):
            act()
    assert marks(ledger) == before
    invariants.hold(path)


def test_a_file_that_is_opened_twice_keeps_what_is_committed_next(tmp_path: Path) -> None:
    """Another process that is the last to close the file, as it thinks, takes its log away."""
    path = tmp_path / "a.db"
    first = ready(path)
    asked(first)
    second = opened(path)
    code = f"import sqlite3; c = sqlite3.connect({str(path)!r}); "
    look = code + "print(c.execute('SELECT COUNT(*) FROM query').fetchone()[0]); c.close()"
    subprocess.run([sys.executable, "-c", look], check=True)
    charge = reserved(first)
    seen = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True)
    assert seen.stdout.strip() == "2"
    assert second.query(PROJECT, charge.query).loss is not None
    assert invariants.taken(path) == STEP


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of a few MiB; skipped where none can be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or not _mount("-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)):
        pytest.skip("a disk cannot be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _mount(*given: str) -> bool:
    return subprocess.run(["mount", *given], check=False).returncode == 0


def _fill(file: Path) -> None:
    with pytest.raises(OSError, match="No space"), file.open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(PAGE))


ROLE = "careless"


def test_a_role_that_may_lose_commits_is_refused_at_start_and_later(server: Server) -> None:
    """`synchronous_commit` of a role, set before a gateway starts, or while it runs: connections
    that it has keep what they promised, and it makes no new one."""
    with server.databases("blank") as make:
        address = make()
        ledger = ready(address)
        name = address.partition("@/")[2].partition("?")[0]
        server.do(f"CREATE ROLE {ROLE} LOGIN SUPERUSER")
        try:
            theirs = address.replace("sluis@", f"{ROLE}@")
            running = opened(theirs)
            answered(running)
            server.do(f"ALTER ROLE {ROLE} IN DATABASE {name} SET synchronous_commit = off")
            answered(running)
            with pytest.raises(NotDurable, match="synchronous_commit"):
                Storage.open(theirs)
            with running._storage.read(), pytest.raises((NotDurable, StorageBusy)):
                answered(running)
            assert invariants.taken(address) == 2 * STEP
            assert ledger.verify(DATASET).intact
        finally:
            server.do(f"DROP OWNED BY {ROLE}", name)
            server.do(f"DROP ROLE {ROLE}")
