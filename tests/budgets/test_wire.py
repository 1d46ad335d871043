"""Statements that are sent to a real server without waiting: what goes in, comes out, and fails."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from budgets.storage.wire import Wire
from tests.postgres import Server

ANY = 0
INT8, TEXT, BYTEA, BOOL = 20, 25, 17, 16


@pytest.fixture
def driver(server: Server) -> Iterator[psycopg.Connection]:
    with server.databases("blank") as made, psycopg.connect(made()) as connection:
        yield connection


@pytest.fixture
def wire(driver: psycopg.Connection) -> Wire:
    return Wire(driver, psycopg)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (INT8, 2**63 - 1),
        (INT8, -(2**63)),
        (TEXT, "caf\u00e9 \u2028 'x' \\"),
        (TEXT, ""),
        (BYTEA, b"\x00\xff'"),
        (BYTEA, b""),
        (BOOL, True),
        (BOOL, False),
        (INT8, None),
        (BYTEA, None),
    ],
)
def test_a_value_comes_back_as_it_went(wire: Wire, kind: int, value: object) -> None:
    assert wire.send(b"same", b"SELECT $1", (kind,), (value,)).fetchall() == [(value,)]


def test_a_value_of_another_kind_is_not_sent(wire: Wire) -> None:
    with pytest.raises(TypeError, match="float"):
        wire.send(b"same", b"SELECT $1", (ANY,), (0.5,))


def test_statements_are_done_in_order_in_one_transaction(
    wire: Wire, driver: psycopg.Connection
) -> None:
    wire.send(b"make", b"CREATE TEMPORARY TABLE t (a BIGINT)", (), ())
    sent = [wire.send(b"add", b"INSERT INTO t VALUES ($1), ($1)", (INT8,), (n,)) for n in range(3)]
    assert [one.rowcount for one in sent] == [-1, -1, -1]
    counted = wire.send(b"count", b"SELECT count(*), sum(a)::bigint FROM t", (), ())
    assert counted.fetchall() == [(6, 6)]
    assert [one.rowcount for one in sent] == [2, 2, 2]
    assert driver.info.transaction_status.name == "INTRANS"
    assert driver.execute("SELECT count(*) FROM t").fetchone() == (6,)


def test_the_first_error_is_told_and_the_session_goes_on(
    wire: Wire, driver: psycopg.Connection
) -> None:
    wire.send(b"one", b"SELECT 1", (), ())
    wire.send(b"bad", b"SELECT 1 / $1", (INT8,), (0,))
    never = wire.send(b"late", b"SELECT 2", (), ())
    with pytest.raises(psycopg.errors.DivisionByZero):
        wire.answered()
    assert never.rowcount == -1
    assert driver.info.transaction_status.name == "INERROR"
    driver.rollback()
    for name, sql in ((b"bad", b"SELECT 1 / $1"), (b"late", b"SELECT 2 / $1")):
        assert wire.send(name, sql, (INT8,), (1,)).fetchall() in ([(1,)], [(2,)])


def test_more_is_sent_and_answered_than_either_side_holds(wire: Wire) -> None:
    """Neither waits for the other to read."""
    large = b"x" * 500_000
    sent = [wire.send(b"same", b"SELECT $1", (BYTEA,), (large,)) for _ in range(20)]
    assert all(one.fetchall() == [(large,)] for one in sent)


def test_a_session_that_was_ended_is_told_as_lost(
    wire: Wire, driver: psycopg.Connection, server: Server
) -> None:
    wire.send(b"one", b"SELECT 1", (), ()).fetchall()
    server.end(driver.info.backend_pid)
    with pytest.raises(psycopg.OperationalError):
        wire.send(b"one", b"SELECT 1", (), ()).fetchall()
    assert driver.closed
