"""What must hold of a ledger's file at any moment, read with nothing of the ledger's own code."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path

PARTS = ("rho", "delta", "epsilon")
TAKEN = "event IN ('reserve', 'void')"


def hold(path: Path) -> None:
    """Fails unless the file keeps every promise: never above a budget, never a release without
    its charge, nothing given back but by a void, one unbroken chain."""
    db = sqlite3.connect(path)
    db.row_factory = sqlite3.Row
    try:
        assert [tuple(row) for row in db.execute("PRAGMA integrity_check")] == [("ok",)]
        assert not db.execute("PRAGMA foreign_key_check").fetchall()
        _accounts_equal_their_entries(db)
        _charges_reach_the_whole_path(db)
        _releases_have_their_charge(db)
        _states_agree(db)
        _chains_are_whole(db)
    finally:
        db.close()


def taken(path: Path, kind: str = "project") -> int:
    """The rho that stands charged, reserved or spent, in all accounts of a kind."""
    db = sqlite3.connect(path)
    try:
        return int(
            _one(db, "SELECT SUM(reserved_rho + spent_rho) FROM account WHERE kind = ?", kind)
        )
    finally:
        db.close()


def _one(db: sqlite3.Connection, sql: str, *values: object) -> object:
    return db.execute(sql, values).fetchone()[0] or 0


def _accounts_equal_their_entries(db: sqlite3.Connection) -> None:
    for account in db.execute("SELECT * FROM account").fetchall():
        for part in PARTS:
            entered = f"SELECT SUM({part}) FROM entry WHERE account = ? AND "
            sums = _one(db, entered + TAKEN, account["id"])
            cap = _one(db, entered + "event IN ('open', 'allocate', 'raise')", account["id"])
            open_ones = _one(
                db,
                f"SELECT SUM(e.{part}) FROM entry e JOIN charge c ON c.id = e.charge "
                "WHERE e.account = ? AND e.event = 'reserve' AND c.state = 'reserved'",
                account["id"],
            )
            assert account[f"reserved_{part}"] == open_ones
            assert account[f"reserved_{part}"] + account[f"spent_{part}"] == sums
            assert account[f"cap_{part}"] == cap
            assert 0 <= sums <= cap


def _charges_reach_the_whole_path(db: sqlite3.Connection) -> None:
    """A charge posts to project and ceiling, or, when it runs nothing, to neither."""
    for charge in db.execute("SELECT * FROM charge").fetchall():
        runs = _one(db, "SELECT COUNT(*) FROM stage WHERE charge = ?", charge["id"])
        posted = db.execute(
            "SELECT a.kind, e.rho, e.delta FROM entry e JOIN account a ON a.id = e.account "
            "WHERE e.charge = ? AND e.event = 'reserve' ORDER BY e.number",
            (charge["id"],),
        ).fetchall()
        kinds = [row["kind"] for row in posted]
        assert kinds[:2] == (["dataset", "project"] if runs else [])
        if runs:
            assert charge["rho"] > 0
        given_back = _one(
            db, "SELECT COUNT(*) FROM entry WHERE charge = ? AND event = 'void'", charge["id"]
        )
        assert given_back == (len(posted) if charge["state"] == "void" else 0)


def _releases_have_their_charge(db: sqlite3.Connection) -> None:
    settled = db.execute("SELECT query FROM charge WHERE state = 'settled' ORDER BY query")
    released = db.execute("SELECT query FROM release ORDER BY query")
    assert [row[0] for row in settled] == [row[0] for row in released]
    stray = (
        "SELECT COUNT(*) FROM stage s JOIN charge c ON c.id = s.charge "
        "WHERE (s.document IS NOT NULL) <> (c.state = 'settled') OR s.state <> c.state"
    )
    assert _one(db, stray) == 0


def _states_agree(db: sqlite3.Connection) -> None:
    expected = {
        "reserved": "running",
        "settled": "released",
        "faulted": "faulted",
        "lost": "faulted",
    }
    rows = db.execute(
        "SELECT q.state AS query, c.state AS charge FROM query q "
        "LEFT JOIN charge c ON c.query = q.number AND c.state <> 'void'"
    )
    for row in rows:
        assert row["query"] == expected.get(row["charge"], "queued")


def _chains_are_whole(db: sqlite3.Connection) -> None:
    for root in db.execute("SELECT * FROM account WHERE parent IS NULL").fetchall():
        digest, number = "0" * 64, 0
        entries = db.execute(
            "SELECT e.*, a.kind, a.owner, a.name FROM entry e JOIN account a ON a.id = e.account "
            "WHERE e.dataset = ? ORDER BY e.number",
            (root["dataset"],),
        )
        for entry in entries:
            number += 1
            assert entry["number"] == number
            digest = hashlib.sha256(f"{digest}\n{_text(entry)}".encode()).hexdigest()
            assert entry["hash"] == digest
        assert (root["head"], root["length"]) == (digest, number)


def _text(entry: sqlite3.Row) -> str:
    same = ("at", "charge", "dataset", "delta", "epsilon", "event", "note", "number", "rho")
    value: dict[str, object] = {name: entry[name] for name in same}
    value["account"] = [entry["kind"], entry["owner"], entry["name"]]
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
