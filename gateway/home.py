"""The home: one private folder that holds everything embedded (database, deliveries, keys, lock).

Folders have mode 0700 and files 0600. One server at a time may own a home: it holds a lock that the
operating system gives back when the process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

FOLDER = 0o700
FILE = 0o600


class HomeInUse(Exception):
    """Another server owns this home."""

    code = "home-in-use"

    def __init__(self, root: Path) -> None:
        super().__init__(f"Another sluis server is already running on {root}.")


@dataclass(frozen=True, slots=True)
class Home:
    """The places inside a home folder."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "sluis.db"

    @property
    def deliveries(self) -> Path:
        return self.root / "deliveries"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def checkpoint(self) -> Path:
        """The latest checkpoint."""
        return self.root / "checkpoint"

    @property
    def checkpoints(self) -> Path:
        """Those that are kept."""
        return self.root / "checkpoints"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    def prepare(self) -> Home:
        """Make what is missing, private from the first moment."""
        for folder in (self.root, self.deliveries, self.keys):
            folder.mkdir(mode=FOLDER, parents=True, exist_ok=True)
        self.root.chmod(FOLDER)
        return self

    def open_places(self) -> list[tuple[Path, int]]:
        """Files and folders that others than the owner may reach, with their modes."""
        found = []
        for path in [self.root, *self.root.rglob("*")]:
            if path.is_symlink():
                continue
            mode = path.stat().st_mode & 0o777
            if mode & 0o077:
                found.append((path, mode))
        return found


def kept_secret(path: Path) -> bytes:
    """The 32 secret bytes in a file; made, whole and durable, if it is not there yet."""
    if not path.exists():
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    return path.read_bytes()


@contextmanager
def private_files() -> Iterator[None]:
    """Whatever is created inside is for the owner alone."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def take_lock(home: Home) -> int:
    """Own the home until this process and the children it forks have ended; or HomeInUse."""
    descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT, FILE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise HomeInUse(home.root) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def is_locked(home: Home) -> bool:
    """Whether a server owns the home at this moment."""
    if not home.lock.exists():
        return False
    try:
        os.close(take_lock(home))
    except HomeInUse:
        return True
    return False
