"""A receipt is derived again from SQL and manifest alone, and whatever is untrue in it is found."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.audit.booked import charged
from gateway.audit.proving import prove
from gateway.audit.receipts import release_hash
from gateway.audit.signing import Signer, public_key
from gateway.home import Home
from tests.gateway.running import COUNT, Gateway, make_home, running
from tests.gateway.test_cli import sluis

JOINED = (
    "SELECT a.residents, COUNT(*) AS n, SUM(v.cost) AS cost, AVG(v.cost) AS mean "
    "FROM visits v JOIN areas a ON v.area = a.area WHERE v.cost < 50 GROUP BY a.residents"
)
LATER = "SELECT COUNT(*) AS n FROM visits WHERE cost > (SELECT AVG(cost) FROM visits)"
NOTES = "SELECT note, COUNT(*) AS n FROM visits GROUP BY note"
TIMED = "SELECT COUNT(*) AS n, now() AS t FROM visits"
ROLLED = "SELECT area, COUNT(*) AS n FROM visits GROUP BY ROLLUP (area)"


@dataclass(frozen=True)
class Office:
    """A running gateway and all that somebody outside needs to check it."""

    gateway: Gateway
    manifest: bytes
    signer: Signer

    @property
    def keys(self) -> list[Any]:
        return [public_key(self.signer.public)]

    def prove(self, document: object) -> tuple[str, ...]:
        return prove(document, self.manifest, self.keys)

    def signed(self, receipt: Mapping[str, Any]) -> dict[str, Any]:
        """A receipt that the office signed, whatever it says."""
        statement = {n: receipt["statement"][n] for n in receipt["statement"]}
        kind, _ = statement.pop("kind"), statement.pop("version")
        return self.signer.sign(kind, **statement).document() | {
            "originals": receipt.get("originals", [])
        }


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    home = tmp_path_factory.mktemp("receipts") / "home"
    keys = make_home(home)
    manifest = (home.parent / "home-sources-visits" / "visits.yaml").read_bytes()
    with running(home, keys) as gateway:
        yield Office(gateway, manifest, Signer(Home(home)))


@pytest.mark.parametrize("sql", [COUNT, JOINED, LATER, NOTES, TIMED, ROLLED, "SELECT 1 AS x"])
def test_a_release_carries_a_receipt_that_holds(office: Office, sql: str) -> None:
    release = office.gateway.query(sql).json
    assert office.prove(release) == ()
    assert office.prove(release["receipt"]) == ()
    path = f"/v1/projects/p/queries/{release['id']}/receipt"
    assert office.gateway.ask("GET", path).json == release["receipt"]
    assert office.gateway.ask("GET", path, key="outsider").status == 404


def test_what_was_asked_by_error_or_in_a_pure_project_holds(office: Office) -> None:
    wanted = office.gateway.query(COUNT, max_error="40").json
    assert office.prove(wanted) == ()
    pure = office.gateway.query(COUNT, "pure", key="purist", epsilon="0.5").json
    assert pure["receipt"]["statement"]["loss"]["epsilon"] == 500_000_000_000
    assert office.prove(pure) == ()


def test_a_receipt_of_a_narrowed_project_holds_and_names_nothing_hidden(office: Office) -> None:
    tables = {"visits": ["person_id", "area"], "areas": ["area"]}
    granted = office.gateway.ask(
        "POST", "/v1/projects/other/grants", {"tables": tables, "reason": "less"}, "root"
    )
    assert granted.status == 201, granted.body
    release = office.gateway.query(COUNT, "other", key="outsider").json
    assert office.prove(release) == ()
    text = json.dumps(release["receipt"])
    assert "cost" not in text
    assert "residents" not in text
    wider = copy.deepcopy(release["receipt"])
    wider["statement"]["grant"] = None
    assert office.prove(office.signed(wider))


def test_a_replayed_release_carries_the_originals_receipt(office: Office) -> None:
    asked = COUNT.replace("GROUP", "WHERE cost < 77 GROUP")
    sql = asked.replace("people", "persons")
    first = office.gateway.query(asked, epsilon="0.3").json
    again = office.gateway.query(sql, epsilon="0.2").json
    assert again["replayed"] is True
    statement = again["receipt"]["statement"]
    assert statement["loss"] == {"rho": 0, "delta": 0, "epsilon": 0}
    assert statement["position"] is None
    originals = [one["statement"]["query"] for one in again["receipt"]["originals"]]
    assert statement["stages"][0]["paid_by"] in originals
    assert first["id"] == statement["stages"][0]["paid_by"]
    assert office.prove(again) == ()
    forgotten = office.signed(again["receipt"] | {"originals": []})
    assert office.prove(forgotten)
    for field, other in (("project", "other"), ("query", "another"), ("sql", COUNT)):
        false = copy.deepcopy(again["receipt"])
        false["originals"][0]["statement"][field] = other
        false["originals"] = [office.signed(one) for one in false["originals"]]
        assert office.prove(office.signed(false)), field


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict) and value:
        for name in value:
            yield from _leaves(value[name], (*path, name))
    elif isinstance(value, list) and value:
        for number in range(len(value)):
            yield from _leaves(value[number], (*path, number))
    else:
        yield path


def _altered(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int() | float():
            return 2 * value + 1
        case str():
            return value[:-1] + ("0" if not value.endswith("0") else "1") if value else "x"
        case None:
            return 1
    return [1]


FOLLOWED = {
    ("sql",),
    ("plan",),
    ("manifest_hash",),
    ("release",),
    ("loss", "rho"),
    ("price", "rho"),
}
"""What is found without the ledger; for some of the rest an export is needed."""
TOLD_BY_NOBODY = {("at",), ("floor",), ("price", "delta")}
"""When it was signed is the office's word; the ledger's entry has its own time. The least that a
query costs changes nothing where the loss is above it, and a delta nothing without thresholds."""


def test_every_altered_field_is_found_although_the_office_signs_it(office: Office) -> None:
    sql = JOINED.replace("50", "49")
    release = office.gateway.query(sql, epsilon="0.1").json
    export = office.gateway.ask("GET", "/v1/audit/export", key="auditor").body
    lines = export.splitlines(keepends=True)
    assert charged(release, lines, office.keys) == ()
    receipt, missed = release["receipt"], []
    for path in _leaves(receipt["statement"]):
        if path[0] in ("kind", "version", "facts") or path in TOLD_BY_NOBODY:
            continue
        false = copy.deepcopy(release)
        at = false["receipt"]["statement"]
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = _altered(at[path[-1]])
        false["receipt"] = office.signed(false["receipt"])
        found = office.prove(false)
        if not found and path not in FOLLOWED:
            found = charged(false, lines, office.keys)
        if not found:
            missed.append(path)
    assert missed == []


def test_another_dataset_and_other_mechanisms_are_found_without_an_export(office: Office) -> None:
    """Whatever else in the receipt, or in the ledger, would have told."""
    receipt = office.gateway.query(COUNT).json["receipt"]
    other = copy.deepcopy(receipt)
    other["statement"]["dataset"] = "other"
    assert "The manifest is of dataset visits." in office.prove(office.signed(other))
    stages = receipt["statement"]["stages"]
    renamed = copy.deepcopy(receipt)
    renamed["statement"]["stages"][0]["claimed"] = "0" * 64
    assert "A stage was claimed under another name." in office.prove(office.signed(renamed))
    for path in _leaves(stages):
        if path[-1] in ("claimed", "paid_by"):
            continue
        false = copy.deepcopy(receipt)
        at = false["statement"]["stages"]
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = _altered(at[path[-1]])
        found = office.prove(office.signed(false))
        assert any("The mechanisms are not those of the plan" in one for one in found), path


def test_facts_that_are_false_make_another_plan(office: Office) -> None:
    release = office.gateway.query(JOINED, epsilon="0.15").json
    for name in ("told", "tables"):
        false = copy.deepcopy(release["receipt"])
        false["statement"]["facts"][name] = {}
        assert office.prove(office.signed(false))
    told = release["receipt"]["statement"]["facts"]["told"]
    keys = next(name for name, one in told.items() if len(one.get("rows", [])) > 1)
    fewer = copy.deepcopy(release["receipt"])
    fewer["statement"]["facts"]["told"][keys]["rows"].pop()
    assert office.prove(office.signed(fewer))


def test_rows_that_were_altered_are_found(office: Office) -> None:
    release = office.gateway.query(COUNT, epsilon="0.11").json
    release["rows"][0][1] += 1
    assert office.prove(release) == ("The release is not the one that the receipt is of.",)
    assert office.prove(release["receipt"]) == ()


def test_another_answer_for_the_same_charge_is_found_although_the_office_signs_it(
    office: Office,
) -> None:
    """With a live key, over the very query and charge: the ledger holds the hash of the first."""
    release = office.gateway.query(COUNT, epsilon="0.13").json
    again = office.gateway.query(COUNT, epsilon="0.07").json
    export = office.gateway.ask("GET", "/v1/audit/export", key="auditor").body
    lines = export.splitlines(keepends=True)
    for one in (release, again):
        assert charged(one, lines, office.keys) == ()
        false = copy.deepcopy(one)
        false["rows"][0][1] += 1
        false["receipt"]["statement"]["release"] = release_hash(false)
        false["receipt"] = office.signed(false["receipt"])
        assert office.prove(false) == ()
        assert charged(false, lines, office.keys) == (
            "The release is not, byte for byte, the one that was stored.",
        )


def test_another_key_another_manifest_and_no_receipt_are_refused(
    office: Office, tmp_path: Path
) -> None:
    release = office.gateway.query(COUNT).json
    stranger = [public_key(Signer(Home(tmp_path / "other").prepare()).public)]
    assert prove(release, office.manifest, stranger)
    assert prove(release, office.manifest + b"\n", office.keys)
    for nothing in (None, 1, [], {}, {"receipt": 1}, {"statement": {}, "signature": ""}):
        assert office.prove(nothing)
    changed = copy.deepcopy(release)
    changed["receipt"]["statement"]["loss"]["rho"] += 7
    assert office.prove(changed) == ("The signature is not that of the given key.",)


@pytest.mark.slow
def test_the_command_says_yes_or_no_with_nothing_of_the_home(
    office: Office, tmp_path: Path
) -> None:
    release = office.gateway.query(JOINED, epsilon="0.12")
    export = office.gateway.ask("GET", "/v1/audit/export", key="auditor").body
    files = {"release": release.body, "manifest": office.manifest, "export": export}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    words = [
        "receipt", "verify", str(tmp_path / "release"), "--manifest", str(tmp_path / "manifest"),
        "--public-key", office.signer.public, "--audit", str(tmp_path / "export"),
    ]  # fmt: skip
    nowhere = {"SLUIS_HOME": str(tmp_path / "no"), "PYTHONHASHSEED": "7"}
    told = sluis(*words, **nowhere)
    assert told.stdout == "yes\n", told.stdout + told.stderr
    assert told.returncode == 0
    assert not (tmp_path / "no").exists()
    for forged in (b'{"rows": [[0]], ' + release.body[1:], b"[" * 100_000):
        (tmp_path / "release").write_bytes(forged)
        told = sluis(*words, **nowhere)
        assert told.stdout == "no\n  This is no receipt.\n", told.stderr
    (tmp_path / "release").write_bytes(release.body)
    (tmp_path / "manifest").write_bytes(office.manifest.replace(b"upper: 100", b"upper: 200"))
    told = sluis(*words, "--json", **nowhere)
    assert told.returncode == 1
    assert json.loads(told.stdout)["holds"] is False
