"""The record: whatever is done, over HTTP or on a terminal, leaves a line."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from budgets import record
from budgets.charge import Claim, StageClaim
from budgets.ledger import Ledger
from budgets.loss import PrivacyLoss
from budgets.record import Line
from budgets.refusals import AllocationExceeded
from budgets.storage import Storage, acts
from gateway.access import Role
from gateway.http.app import create
from gateway.record import Actor, Deed, Record, acts_as
from gateway.registry import Registry
from gateway.settings import Settings
from tests.gateway.running import Gateway, make_home, running
from tests.gateway.test_cli import sluis

Ask = Callable[[Gateway], Any]


def lines(home: Path) -> list[Line]:
    storage = Storage.open(home / "sluis.db")
    try:
        with storage.read() as tx:
            found = list(acts.lines(tx))
    finally:
        storage.close()
    assert record.first_break(found) is None
    return [line for line, _ in found]


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home = tmp_path_factory.mktemp("record") / "home"
    with running(home, make_home(home)) as found:
        yield found


def _made(gateway: Gateway) -> str:
    asked = {"member": "lead", "role": "lead", "project": "p"}
    return str(gateway.ask("POST", "/v1/keys", asked, "root").json["id"])


def _failed(home: Path) -> str:
    """A query of project p whose run failed after it was charged."""
    storage = Storage.open(home / "sluis.db")
    try:
        ledger = Ledger(storage)
        query = ledger.accept("p", "analyst", None, secrets.token_hex(32), b"{}")
        stage = StageClaim(query.id, PrivacyLoss(10**7), (1.0,), "discrete-gaussian")
        charge = ledger.reserve(Claim(query.id, "p", (stage,), datetime.now(UTC)))
        ledger.started(charge)
        ledger.fault(charge, "incident")
        return query.id
    finally:
        storage.close()


def _frozen(gateway: Gateway) -> Any:
    found = gateway.ask("POST", "/v1/datasets/visits/freeze", {"reason": "asked"}, "root")
    gateway.ask("POST", "/v1/datasets/visits/thaw", {"reason": "agreed"}, "root")
    return found


def _lifted(gateway: Gateway) -> Any:
    path, reason = "/v1/projects/p/earmarks", {"reason": "done"}
    gateway.ask("POST", f"{path}/audit/lift", reason, "lead")  # nothing is kept yet
    gateway.ask("POST", path, {"name": "audit", "share": "1%", "reason": "w"}, "lead")
    return gateway.ask("POST", f"{path}/audit/lift", reason, "lead")


DONE: dict[tuple[str, str], Ask] = {
    ("POST", "/v1/projects"): lambda g: g.ask(
        "POST", "/v1/projects", {"name": "new", "dataset": "visits"}, "root"
    ),
    ("POST", "/v1/projects/<project>/allocations"): lambda g: g.ask(
        "POST",
        "/v1/projects/empty/allocations",
        {"epsilon": "1", "delta": "1e-9", "reason": "w"},
        "root",
    ),
    ("POST", "/v1/projects/<project>/grants"): lambda g: g.ask(
        "POST", "/v1/projects/empty/grants", {"tables": {"areas": None}, "reason": "r"}, "root"
    ),
    ("POST", "/v1/projects/<project>/transfers"): lambda g: g.ask(
        "POST", "/v1/projects/p/transfers", {"to": "other", "epsilon": "1", "reason": "w"}, "root"
    ),
    ("POST", "/v1/projects/<project>/limits"): lambda g: g.ask(
        "POST", "/v1/projects/p/limits", {"member": "lead", "epsilon": "1", "reason": "w"}, "root"
    ),
    ("PUT", "/v1/projects/<project>/term"): lambda g: g.ask(
        "PUT", "/v1/projects/p/term", {"until": "2900-01-01T00:00:00Z", "reason": "w"}, "root"
    ),
    ("POST", "/v1/projects/<project>/earmarks"): lambda g: g.ask(
        "POST", "/v1/projects/p/earmarks", {"name": "report", "share": "1%", "reason": "w"}, "lead"
    ),
    ("POST", "/v1/projects/<project>/earmarks/<earmark>/lift"): lambda g: _lifted(g),
    ("PUT", "/v1/projects/<project>/presets"): lambda g: g.ask(
        "PUT",
        "/v1/projects/p/presets",
        {"rough": "1%", "normal": "1%", "precise": "2%", "reason": "w"},
        "lead",
    ),
    ("POST", "/v1/projects/<project>/freeze"): lambda g: g.ask(
        "POST", "/v1/projects/other/freeze", {"reason": "stolen"}, "root"
    ),
    ("POST", "/v1/projects/<project>/queries/<id>/redemption"): lambda g: g.ask(
        "POST", f"/v1/projects/p/queries/{_failed(g.home)}/redemption", {"reason": "full"}, "root"
    ),
    ("POST", "/v1/datasets/<dataset>/ceiling"): lambda g: g.ask(
        "POST", "/v1/datasets/visits/ceiling", {"epsilon": "910", "reason": "agreed"}, "root"
    ),
    ("POST", "/v1/datasets/<dataset>/overcommitment"): lambda g: g.ask(
        "POST", "/v1/datasets/visits/overcommitment", {"per_cent": 150, "reason": "few"}, "root"
    ),
    ("POST", "/v1/datasets/<dataset>/freeze"): lambda g: _frozen(g),
    ("POST", "/v1/datasets/<dataset>/thaw"): lambda g: g.ask(
        "POST", "/v1/datasets/visits/thaw", {"reason": "agreed"}, "root"
    ),
    ("POST", "/v1/projects/<project>/thaw"): lambda g: g.ask(
        "POST", "/v1/projects/p/thaw", {"reason": "looked"}, "root"
    ),
    ("POST", "/v1/projects/<project>/members"): lambda g: g.ask(
        "POST", "/v1/projects/p/members", {"member": "zoe", "role": "analyst"}, "lead"
    ),
    ("DELETE", "/v1/projects/<project>/members/<member>/<role>"): lambda g: g.ask(
        "DELETE", "/v1/projects/p/members/reviewer/reviewer", None, "lead"
    ),
    ("POST", "/v1/members"): lambda g: g.ask(
        "POST", "/v1/members", {"member": "yan", "role": "auditor"}, "root"
    ),
    ("POST", "/v1/keys"): lambda g: g.ask(
        "POST", "/v1/keys", {"member": "lead", "role": "lead", "project": "p"}, "root"
    ),
    ("POST", "/v1/keys/<id>/rotation"): lambda g: g.ask(
        "POST", f"/v1/keys/{_made(g)}/rotation", {}, "root"
    ),
    ("DELETE", "/v1/members/<member>"): lambda g: g.ask(
        "DELETE", "/v1/members/newcomer", None, "root"
    ),
    ("PUT", "/v1/keys/<id>/rate"): lambda g: g.ask(
        "PUT", f"/v1/keys/{_made(g)}/rate", {"rate": 100}, "root"
    ),
    ("DELETE", "/v1/keys/<id>"): lambda g: g.ask("DELETE", f"/v1/keys/{_made(g)}", None, "root"),
}
"""A request that succeeds, for every route that changes something. A new route is added here."""

COUNTED = {
    ("POST", "/v1/projects/<project>/queries"),
    ("POST", "/v1/projects/<project>/quotes"),
    ("POST", "/v1/projects/<project>/rehearsals"),
    ("POST", "/v1/datasets/<dataset>/budget-plans"),
}
"""Routes whose acts are counted, beside what the ceiling's own chain tells."""

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}


def _routes() -> set[tuple[str, str]]:
    found = create(Settings(), None).url_map.iter_rules()
    return {
        (method, rule.rule)
        for rule in found
        for method in CHANGING & (rule.methods or set())
        if rule.rule.startswith("/v1/")
    }


def test_every_route_that_changes_something_is_tried_here() -> None:
    assert _routes() == DONE.keys() | COUNTED | {("POST", "/v1/bootstrap")}


@pytest.mark.parametrize("route", sorted(DONE), ids=" ".join)
def test_a_route_that_changes_something_leaves_a_line(
    busy: Gateway, route: tuple[str, str]
) -> None:
    before = len(lines(busy.home))
    answer = DONE[route](busy)
    assert 200 <= answer.status < 300, answer.body
    told = [one for one in lines(busy.home)[before:] if "count" not in one.about]
    assert told
    assert {one.outcome for one in told} == {"done"}
    assert all(one.by in busy.keys and one.key is not None for one in told)


@pytest.mark.slow
def test_what_changes_nothing_is_counted(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, make_home(home)) as gateway:
        before = len(lines(home))
        gateway.query("SELECT secretcolumn FROM visits")
        gateway.query("SELECT secretcolumn FROM visits")
        path = "/v1/projects/p/"
        for kind in ("quotes", "rehearsals"):
            body = {"sql": "SELECT COUNT(*) FROM visits", "epsilon": "0.1"}
            assert gateway.ask("POST", path + kind, body).status == 200
        gateway.ask("GET", "/v1/projects/secretproject/budget")
        gateway.ask("GET", "/v1/projects", key="sluis_" + "x" * 43)
        gateway.ask("POST", "/v1/projects", {"name": "mine", "dataset": "visits"})
    told = lines(home)[before:]
    found = {(one.by, one.act, one.project, one.outcome): json.loads(one.about) for one in told}
    assert found == {
        ("analyst", "query.asked", "p", "unknown-column"): {"count": 2},
        ("analyst", "query.quoted", "p", "done"): {"count": 1},
        ("analyst", "query.rehearsed", "p", "done"): {"count": 1},
        ("analyst", "request.refused", None, "not-found"): {"count": 1},
        ("analyst", "request.refused", None, "not-permitted"): {"count": 1},
        ("nobody", "sign-in", None, "not-authenticated"): {"count": 1},
    }


COMMANDS = (
    "project create fresh --dataset visits --epsilon 1 --delta 1e-9",
    "project allocate p --epsilon 0.5 --reason more",
    "project transfer p other --epsilon 1 --reason moved",
    "project limit p lead --epsilon 1 --reason first",
    "project term p --until 2900-01-01 --reason agreed",
    "project earmark p report --share 1% --reason later",
    "project lift p report --reason cancelled",
    "project presets p --rough 0.5% --reason cheaper",
    "project freeze p --reason stolen",
    "project thaw p --reason looked",
    "grant give p visits areas.area --reason contract",
    "dataset overcommit visits --per-cent 150 --reason few",
    "dataset freeze visits --reason asked",
    "dataset thaw visits --reason agreed",
    "key create mia --project p",
    "key rate {key} --requests 100",
    "key rotate {key}",
    "key revoke {key}",
    "member end purist",
    "member add ned --role analyst --project p",
    "member remove lead --role lead --project p",
    "dataset register {manifest}",
    "ledger redeem {failed} --reason full",
    "dataset raise visits --epsilon 910 --reason agreed",
    "ledger export {out}",
    "audit export {out}",
    "audit rotate",
)
"""A call that succeeds, for every command that changes something in a home."""

CHANGE_NOTHING = {
    "dataset check", "dataset blocks", "dataset show", "project list", "key list", "member list",
    "grant list", "doctor", "serve", "demo", "ledger verify", "ledger migrate", "ledger move",
    "ledger report",
    "audit key", "audit checkpoint", "audit verify",
    "receipt verify",
    "backup", "restore",
    "query", "quote", "rehearse", "budget plan", "history",
}  # fmt: skip
"""Commands that read, that ask a server (which records), or that keep every row as it is."""


def test_every_command_that_changes_something_is_tried_here() -> None:
    from tests.house.pages import commands

    found = {name.removeprefix("sluis ") for name, _ in commands()}
    leaves = {one for one in found if not any(other.startswith(f"{one} ") for other in found)}
    tried = {" ".join(one.split()[:2]) for one in COMMANDS}
    assert leaves - {"sluis"} == tried | CHANGE_NOTHING | {"bootstrap"}


@pytest.mark.slow
def test_a_command_that_changes_something_leaves_a_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    make_home(home)
    storage = Storage.open(home / "sluis.db")
    key = Registry(storage).all_keys()[0].id
    storage.close()
    manifest = tmp_path / "home-sources-visits" / "visits.yaml"
    for command in COMMANDS:
        before = len(lines(home))
        failed = _failed(home) if "{failed}" in command else ""
        words = command.format(
            key=key, failed=failed, manifest=manifest, out=tmp_path / "out"
        ).split()
        done = sluis(*words, "--json", SLUIS_HOME=str(home))
        assert done.returncode == 0, done.stdout + done.stderr
        told = lines(home)[before:]
        assert told, command
        assert all(one.by.startswith("operator") for one in told)


@pytest.mark.slow
def test_entering_an_empty_house_leaves_its_lines(tmp_path: Path) -> None:
    home = tmp_path / "home"
    secret = sluis("bootstrap", SLUIS_HOME=str(home)).stdout.strip()
    with running(home, {}) as gateway:
        body = {"secret": secret, "member": "ada"}
        assert gateway.ask("POST", "/v1/bootstrap", body, None).status == 201
    told = [(one.act, one.by) for one in lines(home)]
    assert told[0][0] == "bootstrap.made"
    assert ("bootstrap.used", "ada") in told


def test_an_act_and_its_line_are_kept_together_or_not_at_all(tmp_path: Path) -> None:
    from fractions import Fraction

    from budgets.ledger import Ledger

    home = tmp_path / "home"
    make_home(home)
    storage = Storage.open(home / "sluis.db")
    told, ledger = Record(storage), Ledger(storage)
    before = len(lines(home))
    with pytest.raises(AllocationExceeded), told.act(Deed.PROJECT_ALLOCATED, "p") as tx:
        ledger.allocate("p", Fraction(10**4), None, "ada", "", within=tx)
    assert len(lines(home)) == before
    acts_as(Actor("ada", "key"))
    Registry(storage, told).give_role("ben", Role.ANALYST, "p")
    assert [(one.by, one.key, one.act) for one in lines(home)[before:]] == [
        ("ada", "key", "member.added"),
        ("ada", "key", "role.given"),
    ]
    storage.close()


def test_the_gateway_writes_through_the_record_alone() -> None:
    """`storage.begin()` is opened by `Record`, and ledgers act within its transaction."""
    import re

    from tests.house.tree import ROOT, sources

    acting = "raise|redeem|overcommit|open|allocate|transfer|limit|term|lift|freeze|thaw"
    for path in sources():
        if not path.is_relative_to(ROOT / "gateway") or path.name == "record.py":
            continue
        text = path.read_text("utf-8")
        assert "storage.begin(" not in text, path
        for call in re.finditer(rf"ledger\.(?:{acting})\w*\(", text):
            assert "within=" in text[call.start() : call.start() + 300], (path, call.group())
