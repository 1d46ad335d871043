"""Diagnosis: every thing an installation rests on, looked at once, with what to do about it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from budgets.ledger import Ledger
from budgets.storage import Storage
from budgets.storage.faults import StorageUnusable
from gateway.audit import signing, succession
from gateway.audit.checkpoints import check
from gateway.home import Home, is_locked
from gateway.house import CHECKER_MEMORY
from gateway.registry import Registry
from gateway.settings import Settings
from queries.catalog.delivered import DeliveryDamaged, load_view
from queries.enclave.client import Enclave
from queries.plan.model import (
    Mechanism,
    Noise,
    NoisyColumn,
    Plan,
    Stage,
)
from queries.plan.post import Post

LEAST_DISK = 1 << 30
PINNED = ("duckdb", "opendp", "sqlglot")
ABOUT_ONE = 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: whether all is well, what was found, and what to do if it is not."""

    check: str
    ok: bool
    says: str
    do: str | None = None


def diagnose(settings: Settings) -> list[Finding]:
    """All findings, in the order in which one would mend them."""
    home = Home(settings.home)
    if not home.root.is_dir():
        do = "Make one: sluis dataset register FILE, or sluis demo."
        return [Finding("home", False, f"{home.root} is not there", do)]
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        lambda: _modes(home),
        lambda: _lock(home),
        lambda: _database(home, settings),
        lambda: _deliveries(home, settings),
        lambda: _memory(settings),
        lambda: _worker(home, settings),
        _pins,
        lambda: _disk(home),
        lambda: _clock(home),
    )
    return [finding for check in checks for finding in check()]


def _modes(home: Home) -> Iterator[Finding]:
    found = home.open_places()
    if not found:
        yield Finding("home", True, f"{home.root}, for its owner alone")
    for path, mode in found:
        name = path.relative_to(home.root.parent)
        yield Finding("home", False, f"{name} has mode {mode:04o}", f"chmod go= '{path}'")


def _lock(home: Home) -> Iterator[Finding]:
    yield Finding("server", True, "running" if is_locked(home) else "not running")


def _database(home: Home, settings: Settings) -> Iterator[Finding]:
    """Open, migrate and verify; what fails is named by its kind, never by an engine's words."""
    try:
        storage = Storage.open(settings.ledger)
        storage.beat()
    except StorageUnusable as error:
        yield Finding("database", False, str(error), error.hint)
        return
    except Exception as error:  # noqa: BLE001 - whatever it is, the database cannot be used
        do = "Restore the home from a backup, and keep what is there for inspection."
        if settings.database:
            do = "Is the server running, and may this user connect to it? See SLUIS_DATABASE."
        yield Finding("database", False, f"cannot be opened ({type(error).__name__})", do)
        return
    try:
        kind = "SQLite" if storage.embedded else "PostgreSQL"
        yield Finding("database", True, f"{kind}, at the latest revision, commits")
        yield _signed_for(home, storage)
        ledger = Ledger(storage)
        for name in Registry(storage).datasets():
            told = ledger.verify(name)
            says = f"{name}: {told.entries} entries, " + ("intact" if told.intact else "BROKEN")
            mend = f"Run: sluis ledger verify {name}; ask who edited it."
            yield Finding("ledger", told.intact, says, None if told.intact else mend)
    finally:
        storage.close()


def _signed_for(home: Home, storage: Storage) -> Finding:
    """What a server looks at before it starts: the latest checkpoint, and whose key is there."""
    try:
        check(home, storage)
        if (home.keys / signing.NAME).exists():
            succession.signer(home, storage)
    except StorageUnusable as error:
        return Finding("record", False, f"{error.code}: {error}", error.hint)
    except ValueError:
        do = f"Restore the file {home.checkpoint.name} or the keys of the home from a backup."
        return Finding("record", False, "its checkpoint or signing key cannot be read", do)
    return Finding("record", True, "the database holds all that was signed for")


def _deliveries(home: Home, settings: Settings) -> Iterator[Finding]:
    try:
        storage = Storage.open(settings.ledger)
    except Exception:  # noqa: BLE001 - told by the check of the database
        return
    try:
        found = [one for one in Registry(storage).deliveries() if one.active]
    finally:
        storage.close()
    for one in found:
        place = home.deliveries / one.directory
        fault = _seal(place, one.manifest_hash)
        do = None if fault is None else f"Register {one.dataset} again from its sources."
        says = f"{one.dataset} {one.number}: {fault or 'sealed as registered'}"
        yield Finding("delivery", fault is None, says, do)


def _seal(place: Path, manifest_hash: str) -> str | None:
    """What is wrong with a delivery's folder, or None."""
    try:
        view = load_view(place)
    except DeliveryDamaged:
        return "its files do not belong together"
    if view.manifest_hash != manifest_hash:
        return "its manifest is not the one that was registered"
    missing = [name for name in ("private.duckdb", "public.duckdb") if not (place / name).is_file()]
    return f"{missing[0]} is missing" if missing else None


def _worker(home: Home, settings: Settings) -> Iterator[Finding]:
    """Start a worker and have OpenDP confirm one map: the noise of a single count."""
    nothing = home.root / "nothing"
    nothing.mkdir(mode=0o700, exist_ok=True)
    began = time.monotonic()
    enclave = Enclave(nothing, workers=1, memory=settings.worker_memory << 20, threads=1)
    try:
        enclave.check(_sample())
    except Exception as error:  # noqa: BLE001 - whatever it is, no query could run
        do = "Is there memory for SLUIS_WORKER_MEMORY? Is OpenDP installed as pinned?"
        yield Finding("worker", False, f"does not start ({type(error).__name__})", do)
        return
    finally:
        enclave.close()
    took = time.monotonic() - began
    yield Finding("worker", True, f"starts in {took:.1f} s; OpenDP confirms its maps")


def _memory(settings: Settings) -> Iterator[Finding]:
    """All workers together, the one that checks maps included, within 70 % of the machine."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    asked = settings.workers * settings.worker_memory + CHECKER_MEMORY
    asked += settings.release_workers * settings.release_memory
    ok = asked <= 0.7 * whole
    do = "Lower SLUIS_WORKERS or SLUIS_WORKER_MEMORY."
    yield Finding("memory", ok, f"workers may use {asked} of {whole} MiB", None if ok else do)


def _sample() -> Plan:
    """A plan of one count at rho 1/2, whose map is known in closed form: 1 / (2 * scale^2)."""
    noise = Noise(Mechanism.GAUSSIAN, 1, 1, 1.000001, ABOUT_ONE // 2)
    column = NoisyColumn("m0", noise, 0, 1, 1, "BIGINT")
    stage = Stage("s0", hashlib.sha256(b"doctor").hexdigest(), "SELECT 1 AS m0", (), (column,))
    return Plan("-", "-", "-", (stage,), Post("SELECT 1", ()), 0, 1000)


def _pins() -> Iterator[Finding]:
    yield Finding("python", sys.version_info >= (3, 11), sys.version.split()[0])
    pinned = _pinned()
    for name in PINNED:
        try:
            here = version(name)
        except PackageNotFoundError:
            here = "missing"
        wanted = pinned.get(name, here)
        do = None if here == wanted else f"Install {name}=={wanted}: noise was tried with it."
        yield Finding(name, here == wanted, here, do)


def _pinned() -> dict[str, str]:
    try:
        listed = requires("sluis") or []
    except PackageNotFoundError:
        return {}
    pairs = (line.split(";")[0].strip().partition("==") for line in listed)
    return {name.strip(): wanted.strip() for name, _, wanted in pairs if wanted}


def _disk(home: Home) -> Iterator[Finding]:
    free = shutil.disk_usage(home.root).free
    do = "Make room: where nothing can be stored, charged answers are lost."
    says = f"{free / (1 << 30):.1f} GiB free"
    yield Finding("disk", free >= LEAST_DISK, says, do if free < LEAST_DISK else None)


def _clock(home: Home) -> Iterator[Finding]:
    """Not before the present deliveries: expiry and deadlines follow the clock."""
    latest = datetime(2024, 1, 1, tzinfo=UTC)
    for facts in home.deliveries.glob("*/delivery.json"):
        try:
            created = datetime.fromisoformat(json.loads(facts.read_bytes())["created"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        latest = max(latest, created)
    here = datetime.now(UTC)
    do = "Set the clock: keys expire and charges are lost by it."
    says = here.isoformat(timespec="seconds")
    yield Finding("clock", here >= latest, says, do if here < latest else None)
