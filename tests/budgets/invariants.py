"""What must hold of a ledger's file at any moment, read with nothing of the ledger's own code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from tests.budgets.places import Place, looking

PARTS = ("rho", "delta", "epsilon")
TAKEN = "event IN ('reserve', 'void', 'forfeit')"


Rows = Sequence[Mapping[str, Any]]


def hold(place: Place) -> None:
    """Fails unless the books keep every promise: never above a budget, never a release without
    its charge, nothing given back but by a void, one unbroken chain."""
    with looking(place) as db:
        if isinstance(place, Path):
            assert _one(db, "PRAGMA integrity_check") == "ok"
            assert not _rows(db, "PRAGMA foreign_key_check")
        _accounts_equal_their_entries(db)
        _projects_hold_what_they_keep(db)
        _nothing_is_charged_after_an_end(db)
        _charges_reach_the_whole_path(db)
        _releases_have_their_charge(db)
        _states_agree(db)
        _chains_are_whole(db)


def taken(place: Place, kind: str = "project") -> int:
    """The rho that stands charged, reserved or spent, in all accounts of a kind."""
    sql = "SELECT SUM(reserved_rho + spent_rho) FROM account WHERE kind = :kind"
    with looking(place) as db:
        return int(_one(db, sql, kind=kind))


def latest(place: Place) -> datetime:
    """The greatest time in the ledger."""
    with looking(place) as db:
        return datetime.fromtimestamp(_one(db, "SELECT MAX(at) FROM entry") // 10**6, UTC)


def _rows(db: Connection, sql: str, **values: object) -> Rows:
    return db.execute(text(sql), values).mappings().all()


def _one(db: Connection, sql: str, **values: object) -> Any:
    return db.execute(text(sql), values).scalar() or 0


def _accounts_equal_their_entries(db: Connection) -> None:
    for account in _rows(db, "SELECT * FROM account"):
        for part in PARTS:
            entered = f"SELECT SUM({part}) FROM entry WHERE account = :id AND "
            sums = _one(db, entered + TAKEN, id=account["id"])
            granted = (
                "event IN ('open', 'allocate', 'raise', 'transfer', 'limit', 'return', "
                "'earmark', 'lift')"
            )
            cap = _one(db, entered + granted, id=account["id"])
            open_ones = _one(
                db,
                f"SELECT SUM(e.{part}) FROM entry e JOIN charge c ON c.id = e.charge "
                "WHERE e.account = :id AND e.event = 'reserve' AND c.state = 'reserved'",
                id=account["id"],
            )
            assert account[f"reserved_{part}"] == open_ones
            assert account[f"reserved_{part}"] + account[f"spent_{part}"] == sums
            assert account[f"cap_{part}"] == cap
            assert 0 <= sums <= cap


def _projects_hold_what_they_keep(db: Connection) -> None:
    """What earmarks have not taken is set aside in their project, beside all that is taken."""
    for project in _rows(db, "SELECT * FROM account WHERE kind = 'project'"):
        for part in PARTS:
            kept = _one(
                db,
                f"SELECT SUM(cap_{part} - reserved_{part} - spent_{part}) FROM account "
                "WHERE kind = 'earmark' AND parent = :id",
                id=project["id"],
            )
            taken = project[f"reserved_{part}"] + project[f"spent_{part}"]
            assert project[f"allocated_{part}"] == kept
            assert taken + kept <= project[f"cap_{part}"]


def _nothing_is_charged_after_an_end(db: Connection) -> None:
    """By the entries alone: in their order, the latest time so far against the end that stood."""
    ends: dict[int, datetime | None] = {}
    latest: dict[str, int] = {}
    for entry in _rows(db, "SELECT * FROM entry ORDER BY dataset, number"):
        now = latest[entry["dataset"]] = max(latest.get(entry["dataset"], 0), entry["at"])
        note = json.loads(entry["note"])
        if entry["event"] in ("allocate", "term") and "until" in note:
            until = note["until"]
            ends[entry["account"]] = None if until is None else datetime.fromisoformat(until)
        end = ends.get(entry["account"])
        if entry["event"] == "reserve" and end is not None:
            assert now < round(end.timestamp() * 10**6)
    for root in _rows(db, "SELECT dataset, latest FROM account WHERE parent IS NULL"):
        assert root["latest"] == latest[root["dataset"]]


def _charges_reach_the_whole_path(db: Connection) -> None:
    """A charge posts to ceiling, blocks and project, or, when it runs nothing, to none."""
    for charge in _rows(db, "SELECT * FROM charge"):
        runs = _one(db, "SELECT COUNT(*) FROM stage WHERE charge = :id", id=charge["id"])
        posted = _rows(
            db,
            "SELECT a.kind, e.rho, e.delta FROM entry e JOIN account a ON a.id = e.account "
            "WHERE e.charge = :id AND e.event = 'reserve' ORDER BY e.number",
            id=charge["id"],
        )
        kinds = [row["kind"] for row in posted]
        blocks = kinds.count("block")
        assert kinds[: blocks + 2] == (["dataset", *["block"] * blocks, "project"] if runs else [])
        assert len({(row["rho"], row["delta"]) for row in posted if row["kind"] == "block"}) <= 1
        if runs:
            assert charge["rho"] > 0
        voids = "SELECT COUNT(*) FROM entry WHERE charge = :id AND event = 'void'"
        given_back = _one(db, voids, id=charge["id"])
        assert given_back == (len(posted) if charge["state"] == "void" else 0)


def _releases_have_their_charge(db: Connection) -> None:
    settled = _rows(db, "SELECT query FROM charge WHERE state = 'settled' ORDER BY query")
    released = _rows(db, "SELECT query FROM release ORDER BY query")
    assert [row["query"] for row in settled] == [row["query"] for row in released]
    stray = (
        "SELECT COUNT(*) FROM stage s JOIN charge c ON c.id = s.charge "
        "WHERE (s.document IS NOT NULL) <> (c.state = 'settled') OR s.state <> c.state"
    )
    assert _one(db, stray) == 0


def _states_agree(db: Connection) -> None:
    expected = {
        "reserved": "running",
        "settled": "released",
        "faulted": "faulted",
        "lost": "faulted",
    }
    rows = _rows(
        db,
        "SELECT q.state AS query, c.state AS charge, q.redeems FROM query q "
        "LEFT JOIN charge c ON c.query = q.number AND c.state <> 'void'",
    )
    for row in rows:
        waits = row["query"] == "queued" and row["redeems"] and row["charge"] in ("faulted", "lost")
        assert waits or row["query"] == expected.get(row["charge"], "queued")


def _chains_are_whole(db: Connection) -> None:
    for root in _rows(db, "SELECT * FROM account WHERE parent IS NULL"):
        digest, number = "0" * 64, 0
        entries = _rows(
            db,
            "SELECT e.*, a.kind, a.owner, a.name FROM entry e JOIN account a ON a.id = e.account "
            "WHERE e.dataset = :dataset ORDER BY e.number",
            dataset=root["dataset"],
        )
        for entry in entries:
            number += 1
            assert entry["number"] == number
            digest = hashlib.sha256(f"{digest}\n{_text(entry)}".encode()).hexdigest()
            assert entry["hash"] == digest
        assert (root["head"], root["length"]) == (digest, number)


def _text(entry: Mapping[str, Any]) -> str:
    same = ("at", "charge", "dataset", "delta", "epsilon", "event", "note", "number", "rho")
    value: dict[str, object] = {name: entry[name] for name in same}
    value["account"] = [entry["kind"], entry["owner"], entry["name"]]
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
