"""The release engine is sealed as the enclave is, on both of its connections."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from queries.release.engine import Connections
from tests.enclave.attempts import ATTEMPTS

IN_MEMORY = {"create", "insert", "delete", "attach memory"}
"""What these connections may do: their own memory is all that they can write to."""


@pytest.mark.parametrize("which", ["bare", "public"])
@pytest.mark.parametrize("name", sorted(ATTEMPTS.keys() - IN_MEMORY))
def test_an_attempt_fails(connections: Connections, tmp_path: Path, which: str, name: str) -> None:
    connection = connections.bare() if which == "bare" else connections.public("d1")
    with pytest.raises(duckdb.Error):
        connection.execute(ATTEMPTS[name].replace("visits", "areas").format(home=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_public_tables_cannot_be_changed(connections: Connections) -> None:
    connection = connections.public("d1")
    for sql in ("DELETE FROM areas", "DROP TABLE areas", "INSERT INTO areas SELECT * FROM areas"):
        with pytest.raises(duckdb.Error):
            connection.execute(sql)
    assert connection.execute("SELECT count(*) FROM areas").fetchall() == [(3,)]


def test_the_private_file_is_out_of_reach(connections: Connections, deliveries: Path) -> None:
    private = deliveries / "d1" / "private.duckdb"
    for sql in (f"ATTACH '{private}' AS p", f"SELECT * FROM read_duckdb('{private}')"):
        with pytest.raises(duckdb.Error):
            connections.public("d1").execute(sql)
    with pytest.raises(duckdb.CatalogException):
        connections.public("d1").execute("SELECT * FROM hidden")
