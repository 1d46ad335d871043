"""The command line: exit codes, JSON everywhere, readable refusals, quick help."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.gateway.running import COUNT, Gateway, make_home


def sluis(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli.run", *words],
        env=os.environ | variables, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def client(gateway: Gateway, key: str = "analyst") -> dict[str, str]:
    return {"SLUIS_URL": f"http://127.0.0.1:{gateway.port}", "SLUIS_KEY": gateway.keys[key]}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("cli") / "home"
    make_home(place)
    return place


def test_help_is_quick() -> None:
    took = []
    for _ in range(3):
        began = time.monotonic()
        assert sluis("--help").returncode == 0
        took.append(time.monotonic() - began)
    assert min(took) < 1.5, "0.3 s on a quiet machine"


def test_a_query_is_a_table_with_margins_and_what_is_left(gateway: Gateway) -> None:
    told = sluis("query", "--project", "p", "--share", "1%", COUNT, **client(gateway))
    assert told.returncode == 0, told.stderr
    assert "north" in told.stdout
    assert "+-" in told.stdout
    assert "Left of the budget: " in told.stdout


def test_a_histogram_is_shown_by_bin(gateway: Gateway) -> None:
    sql = "SELECT HISTOGRAM(cost, [10, 100]) AS h FROM visits"
    told = sluis("query", "--project", "p", "--share", "1%", sql, **client(gateway))
    assert told.returncode == 0, told.stderr
    assert "10=" in told.stdout
    assert told.stdout.partition("Margins hold")[0].count("+-") == 1


def test_json_is_one_document(gateway: Gateway) -> None:
    told = sluis("query", "--project", "p", "--rho", "0.01", "--json", COUNT, **client(gateway))
    assert json.loads(told.stdout)["rows"]
    for command in ("budget", "history"):
        told = sluis(command, "--project", "p", "--json", **client(gateway))
        assert json.loads(told.stdout)


def test_a_refusal_points_at_its_place(gateway: Gateway) -> None:
    sql = "SELECT area,\n  COUNT(nothing) AS n FROM visits GROUP BY area"
    told = sluis("query", "--project", "p", "--share", "1%", sql, **client(gateway))
    assert told.returncode == 1
    lines = told.stderr.splitlines()
    caret = next(number for number, line in enumerate(lines) if line.strip() == "^")
    assert lines[caret - 1][lines[caret].index("^") :].startswith("nothing")
    assert "unknown-column" in told.stderr


def test_quotes_budgets_and_history_are_readable(gateway: Gateway) -> None:
    told = sluis("quote", "--project", "p", "--share", "2%", COUNT, **client(gateway))
    assert told.stdout.startswith("Costs ")
    assert "remaining" in sluis("budget", "--project", "p", **client(gateway)).stdout
    assert "released" in sluis("history", "--project", "p", **client(gateway)).stdout


def test_exit_codes_tell_usage_refusal_and_silence_apart(gateway: Gateway) -> None:
    assert sluis("query", "--project", "p", COUNT, **client(gateway)).returncode == 2
    assert sluis("query", "--project", "q", "--rho", "1", COUNT, **client(gateway)).returncode == 1
    nowhere = {"SLUIS_URL": "http://127.0.0.1:9", "SLUIS_KEY": "sluis_x"}
    told = sluis("budget", "--project", "p", **nowhere)
    assert told.returncode == 3
    assert "no gateway answers" in told.stderr
    assert sluis("budget", "--project", "p", SLUIS_URL="x", SLUIS_KEY="y").returncode == 2


@pytest.mark.slow
def test_a_key_is_printed_alone_and_listed_without_its_text(home: Path) -> None:
    made = sluis("key", "create", "bo", "--project", "p", "--role", "analyst", "--home", str(home))
    key = made.stdout.strip()
    assert key.startswith("sluis_")
    assert len(key.split()) == 1
    listed = json.loads(sluis("key", "list", "--json", "--home", str(home)).stdout)
    mine = next(one for one in listed if one["member"] == "bo")
    assert key not in json.dumps(listed)
    assert sluis("key", "revoke", mine["id"], "--home", str(home)).returncode == 0
    assert sluis("key", "revoke", "unknown", "--home", str(home)).returncode == 1


@pytest.mark.slow
def test_projects_are_made_and_funded_on_the_terminal(home: Path) -> None:
    at = ("--home", str(home))
    words = ("project", "create", "new", "--dataset", "visits", "--epsilon", "1", "--json", *at)
    assert json.loads(sluis(*words).stdout)["budget"] is True
    again = sluis(*words)
    assert again.returncode == 1
    assert json.loads(again.stdout)["code"] == "name-taken"
    words = ("project", "allocate", "new", "--epsilon", "0.5", "--json", *at)
    assert sluis(*words).returncode == 2
    assert "Say why" in sluis(*words, "--reason", " ").stdout
    more = sluis(*words, "--reason", "they need it")
    assert json.loads(more.stdout)["epsilon"] == "1.5"
    listed = json.loads(sluis("project", "list", "--json", *at).stdout)
    assert "new" in {one["project"] for one in listed}
    assert sluis("member", "add", "cy", "--role", "lead", "--project", "new", *at).returncode == 0
    assert "cy" in sluis("member", "list", "--project", "new", *at).stdout
    gone = ("member", "remove", "cy", "--role", "lead", "--project", "new", *at)
    assert [sluis(*gone).returncode for _ in range(2)] == [0, 1]


def test_the_ledger_verifies_and_an_edit_is_found(tmp_path: Path) -> None:
    import sqlite3

    place = tmp_path / "home"
    make_home(place)
    assert "intact" in sluis("ledger", "verify", "--home", str(place)).stdout
    with sqlite3.connect(place / "sluis.db") as database:
        database.execute("UPDATE account SET cap_rho = cap_rho + 1 WHERE kind = 'project'")
    told = sluis("ledger", "verify", "visits", "--home", str(place))
    assert told.returncode == 1
    assert "BROKEN" in told.stdout


def test_a_manifest_with_faults_is_told_all_of_them(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("dataset: x\ntitle: y\nunit: {name: u}\ncolour: blue\n")
    told = sluis("dataset", "check", str(bad))
    assert told.returncode == 1
    assert "line 3" in told.stderr
    assert "colour" in told.stderr
    assert sluis("dataset", "check", str(tmp_path / "none.yaml")).returncode == 1


def test_a_manifest_that_fits_says_what_it_allows(home: Path) -> None:
    manifest = home.parent / "home-sources-visits" / "visits.yaml"
    told = sluis("dataset", "check", str(manifest))
    assert told.returncode == 0
    assert "may be summed: cost" in told.stdout
    again = sluis("dataset", "register", str(manifest), "--json", "--home", str(home))
    assert json.loads(again.stdout)["number"] == 2
    assert len(list((home / "deliveries").glob("*/delivery.json"))) == 2


@pytest.mark.slow
def test_registering_the_same_rows_under_another_name_is_refused(home: Path) -> None:
    folder = home.parent / "home-sources-visits"
    other = folder / "other.yaml"
    text = (folder / "visits.yaml").read_text()
    other.write_text(text.replace("dataset: visits", "dataset: other"))
    told = sluis("dataset", "register", str(other), "--home", str(home))
    assert told.returncode == 1
    assert "already registered" in told.stderr
    other.write_text(text.replace("epsilon: 900", "epsilon: 901"))
    assert sluis("dataset", "register", str(other), "--home", str(home)).returncode == 1
