"""DuckDB as worker processes run it: sealed before any derived SQL reaches it.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       SQL on a sealed connection reads what was attached before the seal, and writes
                nowhere but to memory and to the worker's own encrypted spill.
    Requires    statements generated from the algebra alone: the engine itself would still answer
                EXPLAIN ANALYZE, SUMMARIZE or a table function about the rows it holds.
    Why         read-only alone leaves COPY, read_text and replacement scans open; closing external
                access, extensions and replacements and then locking the configuration ends them.
                What the engine makes of an expression may not hang on statistics of the rows
                either: with them this build folds a column of NULLs into constants, and fails on
                some that it could compute; so it plans without them.
    Tried by    tests/enclave/test_sealed.py, tests/release/test_sealed.py
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import duckdb

from queries.workers.settings import Settings

SHARE = 0.6
"""The engine's own limit, as a share of the process's: it does not count everything it holds."""

RESERVED = 400 << 20
"""What interpreter, libraries and the stacks of threads take, however small the limit is."""

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_unredacted_secrets": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
}

DELIVERY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


class NoSuchDelivery(Exception):
    """The id is not that of a delivery."""


def file_of(settings: Settings, delivery: str, name: str) -> Path:
    """A file of a delivery; the id may not lead anywhere else."""
    path = Path(settings.deliveries) / delivery / name
    if not DELIVERY.fullmatch(delivery) or not path.is_file():
        raise NoSuchDelivery
    return path


def sealed(
    database: str, settings: Settings, *, read_only: bool, first: Sequence[str] = ()
) -> duckdb.DuckDBPyConnection:
    """A connection on which `first` was run before everything outside it was closed for good."""
    config = dict(CONFIG)
    config |= {"threads": settings.threads, "memory_limit": f"{_megabytes(settings.memory)}MB"}
    connection = duckdb.connect(database, read_only=read_only, config=config)
    for statement in (*first, *_closing(settings)):
        connection.execute(statement)
    return connection


class NotOneSelect(Exception):
    """The text is not exactly one SELECT statement."""


def selected(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """The statement, if the engine's own parser agrees that it is one SELECT and no more."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise NotOneSelect
    return statements[0]


def quoted(text: str) -> str:
    """An SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def _closing(settings: Settings) -> tuple[str, ...]:
    """The order matters: spill cannot be set any more once external access is off.

    This build of the engine writes ciphertext only when told to use its own cipher, whose keys and
    nonces come from a generator that is not made for cryptography. What a crash leaves on a disk
    is unreadable at a glance, not to a cryptanalyst: the spill of sensitive data belongs on an
    encrypted file system.
    """
    return (
        "SET force_mbedtls_unsafe = true",
        "SET temp_file_encryption = true",
        f"SET temp_directory = {quoted(settings.spill)}",
        f"SET max_temp_directory_size = '{settings.spill_limit}B'",
        "SET TimeZone = 'UTC'",
        "SET disabled_optimizers = 'statistics_propagation'",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    )


def _megabytes(memory: int) -> int:
    return int(min(memory * SHARE, memory - RESERVED)) // 1_000_000
