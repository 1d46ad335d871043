"""A PostgreSQL server of the tests' own: started, killed and started again by them, gone with them.

It listens on a socket in a folder of its own, so any number run side by side. PostgreSQL refuses to
run as root, so root starts it as the user that the Debian package makes. Where no server is
installed the tests that need one are skipped, and say so.
"""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from budgets.storage import Storage

ACCOUNT = "sluis"
MISSING = (
    "PostgreSQL is not installed here, so nothing of it was tried: install the Debian package "
    "`postgresql` (as root, .ci/test does so itself)"
)
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "300",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    "log_min_messages": "fatal",
}


def programs() -> Path | None:
    """The folder of the server's programs, the latest version's; None if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_version)
    if found:
        return found[-1].parent
    here = shutil.which("postgres")
    return Path(here).resolve().parent if here and shutil.which("initdb") else None


def _version(path: Path) -> int:
    return int(path.parts[-3].partition(".")[0])


class Server:
    """One server with its data, in a folder of its own."""

    def __init__(self, folder: Path, bin: Path) -> None:
        self.folder, self._bin = folder, bin
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._made = count()
        self._mounted: list[Path] = []
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        made = ["--username", ACCOUNT, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        self._run("initdb", "-D", str(self._data), *made)

    def start(self) -> None:
        """Start, and return when connections are taken."""
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        command = [str(self._bin / "postgres"), "-D", str(self._data), "-k", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_as_postgres(), *command, *settings], stdout=log, stderr=log, cwd="/"
            )
        self._until_ready()

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """SIGQUIT: at once, as after a power cut. SIGINT: ending transactions, then clients."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    def leave(self) -> None:
        """Stop, and leave nothing behind."""
        self.stop()
        for place in self._mounted:
            subprocess.run(["umount", str(place)], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self, database: str) -> str:
        """The address of a database as gateways are given it."""
        return f"postgresql://{ACCOUNT}@/{database}?host={self.folder}"

    def create(self, template: str = "template0") -> str:
        """A new database, and its address."""
        name = f"books{next(self._made)}"
        self.do(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.address(name)

    @contextmanager
    def databases(self, template: str) -> Iterator[Callable[[], str]]:
        """What makes databases, all of which are dropped when the block ends."""
        made: list[str] = []

        def make() -> str:
            made.append(self.create(template))
            return made[-1]

        try:
            yield make
        finally:
            for address in made:
                self.drop(address)

    def drop(self, address: str) -> None:
        """Drop a database, whoever is connected to it."""
        self.do(f"DROP DATABASE {address.partition('@/')[2].partition('?')[0]} WITH (FORCE)")

    def end(self, number: int) -> None:
        """End the session of that process."""
        self.do(f"SELECT pg_terminate_backend({number}, 5000)")

    def small_disk(self, size: int) -> Path | None:
        """A disk of that many MiB for the server's files, or None where none can be mounted."""
        place = self.folder / "small"
        place.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(place)]
        if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode != 0:
            return None
        shutil.chown(place, "postgres", "postgres")
        self._mounted.append(place)
        return place

    def do(self, sql: str, database: str = "postgres") -> object:
        """Run one statement as the server's owner; its first value, if it has one."""
        with connected(self.address(database)) as connection:
            result = connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(sql))
            return result.scalar() if result.returns_rows else None

    def _until_ready(self) -> None:
        for _ in range(600):
            assert self._process is not None
            assert self._process.poll() is None, (self.folder / "log").read_text()
            ready = [str(self._bin / "pg_isready"), "-q", "-h", str(self.folder)]
            if subprocess.run(ready, check=False).returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def _run(self, program: str, *arguments: str) -> None:
        command = [*_as_postgres(), str(self._bin / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


def _as_postgres() -> list[str]:
    """What starts a program as a user that PostgreSQL accepts, and ends it with ourselves."""
    if os.geteuid() == 0:
        pwd.getpwnam("postgres")
        who = ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
        return ["setpriv", *who, "--pdeathsig", "QUIT", "--"]
    assert getpass.getuser()
    return ["setpriv", "--pdeathsig", "QUIT", "--"] if shutil.which("setpriv") else []


def memory() -> Path | None:
    """A folder in memory, or None where the system has none."""
    shared = Path("/dev/shm")
    return shared if shared.is_dir() else None


@contextmanager
def running_server(place: Path | None = None) -> Iterator[Server]:
    """A server that runs while the block does; skips the test where none is installed.

    Its data are in memory unless a place on a disk is named.
    """
    bin = programs()
    if bin is None:
        pytest.skip(MISSING)
    folder = Path(tempfile.mkdtemp(prefix="sluis-pg-", dir=place or memory()))
    made = Server(folder, bin)
    try:
        made.start()
        yield made
    finally:
        made.leave()


def with_blank(server: Server) -> Server:
    """The same server, with an empty, migrated database `blank` to copy."""
    server.do("CREATE DATABASE blank")
    Storage.migrated(server.address("blank")).close()
    return server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all tests of a process."""
    with running_server() as made:
        yield with_blank(made)


@contextmanager
def connected(address: str):  # type: ignore[no-untyped-def]
    """A plain connection, with nothing of the ledger's code."""
    engine = create_engine(
        address.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool
    )
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
