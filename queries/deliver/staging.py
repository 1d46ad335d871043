"""The folder of deliveries: one registration at a time, and a delivery appears whole or not at all.

A delivery is built in a hidden folder beside the others, flushed to the disk and renamed. A lock
that ends with its process tells a registration at work from one that was killed; what a killed one
left behind is removed by the next.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from queries.deliver.faults import RegistrationBusy

_LOCK = ".registering"
_PREFIX = ".staging-"


@dataclass(frozen=True, slots=True)
class Staging:
    """A hidden folder: `delivery` is what will be published, the rest is scratch."""

    root: Path
    deliveries: Path

    @property
    def delivery(self) -> Path:
        return self.root / "delivery"

    @property
    def work(self) -> Path:
        return self.root / "work.duckdb"

    @property
    def spill(self) -> Path:
        return self.root / "spill"

    def publish(self, name: str) -> Path:
        """Flush the delivery, make it read-only by intent and give it its name, in one step."""
        for file in self.delivery.iterdir():
            file.chmod(0o600)
            _flush(file)
        _flush(self.delivery)
        target = self.deliveries / name
        if target.exists():
            raise FileExistsError(name)
        self.delivery.rename(target)
        _flush(self.deliveries)
        return target


@contextlib.contextmanager
def staging(deliveries: Path, name: str) -> Iterator[Staging]:
    """A fresh hidden folder, gone afterwards; raises RegistrationBusy while another is at work."""
    deliveries.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(deliveries):
        remove_abandoned(deliveries)
        made = Staging(deliveries / f"{_PREFIX}{name}", deliveries)
        try:
            for folder in (made.root, made.delivery, made.spill):
                folder.mkdir(mode=0o700)
            yield made
        finally:
            shutil.rmtree(made.root, ignore_errors=True)


def remove_abandoned(deliveries: Path) -> None:
    """Remove what killed registrations left; call it under the lock alone."""
    for left in deliveries.glob(f"{_PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def _locked(deliveries: Path) -> Iterator[None]:
    handle = os.open(deliveries / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RegistrationBusy from None
        yield
    finally:
        os.close(handle)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
