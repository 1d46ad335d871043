"""The record over HTTP and on the command line, for auditors, and what no other log may hold."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from budgets.chain import canonical
from gateway.audit.signing import public_key
from gateway.audit.verifying import verify
from tests.gateway.running import Gateway, make_home, running, start
from tests.gateway.test_cli import sluis

LITERAL = "zzliteralzz"
NUMBER = "4711.25"


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home = tmp_path_factory.mktemp("audit") / "home"
    with running(home, make_home(home), checkpoint=1) as found:
        yield found


def test_only_auditors_read_the_record(audited: Gateway) -> None:
    for path in ("/v1/audit", "/v1/audit/checkpoint", "/v1/audit/export"):
        assert audited.ask("GET", path, key="auditor").status == 200
        for key in ("analyst", "lead", "root"):
            assert audited.ask("GET", path, key=key).code == "not-permitted"


def test_every_access_is_there_with_who_what_and_loss(audited: Gateway) -> None:
    release = audited.query(f"SELECT COUNT(*) AS n FROM visits WHERE note = '{LITERAL}'").json
    page = audited.ask("GET", "/v1/audit?chain=dataset:visits&limit=1000", key="auditor").json
    paid = next(
        one
        for one in page["entries"]
        if one["about"].get("query") == release["id"] and one["act"] == "ledger.reserve"
    )
    assert paid["by"] == "analyst"
    assert paid["loss"]["rho"] == release["privacy_loss"]["rho"]
    assert page["next"] is None
    assert LITERAL not in json.dumps(page)


def test_pages_follow_one_another_and_can_be_narrowed(audited: Gateway) -> None:
    seen, cursor = [], "0"
    while cursor is not None:
        path = f"/v1/audit?limit=3&cursor={cursor}"
        page = audited.ask("GET", path, key="auditor").json
        seen += [one["number"] for one in page["entries"]]
        cursor = page["next"]
    assert seen == list(range(1, len(seen) + 1))
    made = audited.ask("GET", "/v1/audit?act=key.made&project=other", key="auditor").json
    assert [one["about"]["member"] for one in made["entries"]] == ["outsider"]
    assert audited.ask("GET", "/v1/audit?chain=no", key="auditor").status == 404
    assert audited.ask("GET", "/v1/audit?cursor=x", key="auditor").status == 422


def test_an_export_over_http_is_checked_with_a_kept_checkpoint(
    audited: Gateway, tmp_path: Path
) -> None:
    kept = audited.ask("GET", "/v1/audit/checkpoint", key="auditor").json
    audited.query()
    audited.query(f"SELECT COUNT(*) AS n FROM visits WHERE note = '{LITERAL}'")
    exported = audited.ask("GET", "/v1/audit/export", key="auditor").body
    key = kept["public_key"]
    lines = exported.splitlines(keepends=True)
    assert verify(lines, [public_key(key)]).findings == ()
    assert LITERAL.encode() in exported
    file, point = tmp_path / "audit", tmp_path / "checkpoint"
    file.write_bytes(exported)
    point.write_text(canonical({name: kept[name] for name in ("statement", "signature")}))
    words = ("audit", "verify", str(file), "--public-key", key, "--checkpoint", str(point))
    told = sluis(*words, "--json")
    assert told.returncode == 0, told.stdout
    assert json.loads(told.stdout)["intact"] is True
    file.write_bytes(exported.replace(b"outsider", b"somebody", 1))
    told = sluis(*words)
    assert told.returncode == 1
    assert "does not follow" in told.stdout


@pytest.mark.slow
def test_commands_export_and_sign_beside_a_running_server(audited: Gateway, tmp_path: Path) -> None:
    home, file, point = str(audited.home), tmp_path / "export", tmp_path / "point"
    key = sluis("audit", "key", SLUIS_HOME=home).stdout.strip()
    point.write_text(sluis("audit", "checkpoint", SLUIS_HOME=home).stdout)
    assert sluis("audit", "export", str(file), "--without-texts", SLUIS_HOME=home).returncode == 0
    assert LITERAL not in file.read_text()
    words = ("audit", "verify", str(file), "--public-key", key, "--checkpoint", str(point))
    told = sluis(*words)
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.startswith("intact")


@pytest.mark.slow
def test_checkpoints_are_kept_while_it_runs_and_when_it_stops(tmp_path: Path) -> None:
    home = tmp_path / "home"
    gateway = start(home, make_home(home), checkpoint=1)
    end = time.monotonic() + 30
    while not (home / "checkpoints").exists() and time.monotonic() < end:
        time.sleep(0.2)
    while_running = (home / "checkpoints").read_text().splitlines()
    assert len(while_running) == 1
    gateway.query()
    gateway.process.terminate()
    assert gateway.process.wait(60) == 0
    kept = (home / "checkpoints").read_text().splitlines()
    assert len(kept) > len(while_running)
    assert kept[-1] == (home / "checkpoint").read_text().strip()


@pytest.mark.slow
def test_a_server_does_not_start_on_a_database_that_forgets(tmp_path: Path) -> None:
    import shutil

    home, older = tmp_path / "home", tmp_path / "older.db"
    keys = make_home(home)
    shutil.copyfile(home / "sluis.db", older)
    with running(home, keys) as gateway:
        gateway.query()
    for name in ("sluis.db-wal", "sluis.db-shm"):
        (home / name).unlink(missing_ok=True)
    shutil.copyfile(older, home / "sluis.db")
    with pytest.raises(RuntimeError, match="ledger-forgets"):
        start(home, keys)


@pytest.mark.slow
def test_no_log_holds_a_literal_or_a_value_after_a_busy_day(tmp_path: Path) -> None:
    """Answers, refusals of every step, malformed requests, a fault, and a stop."""
    home = tmp_path / "home"
    with running(home, make_home(home), worker_memory=600, log_level="debug") as gateway:
        where = f"WHERE note = '{LITERAL}' OR cost = {NUMBER}"
        faulted(gateway, f"SELECT area, SUM(cost) AS {LITERAL} FROM visits {where} GROUP BY 1")
        asked = [
            f"SELECT COUNT(*) AS {LITERAL} FROM visits {where}",
            f"SELECT {LITERAL} FROM visits {where}",
            f"SELECT COUNT(*) FROM {LITERAL} {where}",
            f"SELECT COUNT(*) FROM visits {where} AND (",
            f"SELECT SUM(note) FROM visits {where}",
            f"SELECT '{LITERAL}' AS x, {NUMBER} AS y",
        ]
        for sql in asked:
            gateway.query(sql)
            gateway.ask("POST", "/v1/projects/p/quotes", {"sql": sql, "epsilon": "0.1"})
            gateway.ask("POST", "/v1/projects/p/rehearsals", {"sql": sql, "epsilon": "0.1"})
        gateway.query(asked[0], epsilon="100000")
        gateway.query(asked[0], options={LITERAL: NUMBER})
        gateway.ask("POST", "/v1/projects/p/queries", LITERAL.encode())
        gateway.ask("GET", f"/v1/projects/{LITERAL}/{NUMBER}?{LITERAL}={NUMBER}")
        gateway.ask("GET", "/v1/projects", key=LITERAL)
        metrics = gateway.ask("GET", "/metrics", key=None, port=gateway.metrics).body.decode()
        refused = gateway.ask("GET", "/v1/audit?limit=1000", key="auditor").body.decode()
    logged = (home / "serve.log").read_text()
    assert '"event": "fault"' in logged
    for text in (logged, metrics, refused):
        for word in (LITERAL, NUMBER, "SELECT", "n0", "7.25"):
            assert word not in text


def faulted(gateway: Gateway, sql: str) -> None:
    """A query whose delivery cannot be opened by the enclave: charged, and a fault."""
    (file,) = (gateway.home / "deliveries").glob("*/private.duckdb")
    file.chmod(0o600)
    whole = file.read_bytes()
    file.write_bytes(b"no database")
    assert gateway.query(sql).code == "fault"
    file.write_bytes(whole)
