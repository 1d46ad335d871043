"""Spill rooms: private directories for what an engine cannot hold in memory.

A room belongs to one pool and is locked while the pool lives. What a killed pool left behind is
removed by the next one that opens under the same root.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class SpillRoom:
    """A directory of mode 0700 with one directory in it for each living worker."""

    def __init__(self, root: Path) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(root):
            _sweep(root)
            self._path = Path(tempfile.mkdtemp(prefix="pool-", dir=root))
            self._lock = _lock(self._path)

    def new(self) -> Path:
        """A fresh directory for one worker."""
        return Path(tempfile.mkdtemp(prefix="worker-", dir=self._path))

    def remove(self, directory: Path) -> None:
        """Removes a worker's directory, once the worker is gone."""
        shutil.rmtree(directory, ignore_errors=True)

    def close(self) -> None:
        """Removes the room and all that is in it."""
        shutil.rmtree(self._path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _sweep(root: Path) -> None:
    """Removes rooms that nobody holds any more."""
    for room in root.glob("pool-*"):
        held = _lock(room)
        if held is not None:
            shutil.rmtree(room, ignore_errors=True)
            os.close(held)


def _lock(directory: Path) -> int | None:
    """A locked descriptor of the directory, or None where somebody else holds it."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    """Holds the root, so that no room is swept between being made and being locked."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        with suppress(OSError):
            os.close(descriptor)
