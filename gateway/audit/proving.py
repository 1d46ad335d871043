"""Checking a receipt with the manifest and a public key: the plan and the loss are derived again.

Nothing of the gateway is asked: the SQL is planned anew on the public facts that the receipt
carries, and what follows is compared with what was signed. An audit export, where one is given,
shows besides that the charge stands where the receipt says, with this query, these stages and this
loss.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from budgets.admission import due
from gateway.audit import facts, receipts, signing, verifying
from gateway.audit.facts import FactMissing, Remembered
from gateway.claims import claimed
from queries import codec
from queries.catalog.blocks import within
from queries.catalog.grant import Grant, narrowed
from queries.catalog.reading import parse
from queries.catalog.united import united
from queries.catalog.view import View
from queries.language.refusals import QueryRefused
from queries.plan.model import Plan
from queries.plan.planner import plan
from queries.plan.price import Options, Price

Statement = Mapping[str, Any]
Keys = Sequence[Ed25519PublicKey]


def prove(document: object, manifest: bytes, keys: Keys) -> tuple[str, ...]:
    """What is wrong with a receipt, or with a release and its receipt; nothing if all holds."""
    whole = document if isinstance(document, dict) and receipts.KIND in document else None
    given = document if whole is None else whole[receipts.KIND]
    signed = signing.read(given, receipts.KIND)
    if signed is None or not isinstance(given, dict):
        return ("This is no receipt.",)
    if not signing.holds(signed, keys):
        return ("The signature is not that of the given key.",)
    try:
        return (
            *_rederived(signed.statement, manifest),
            *_originals(signed.statement, given.get("originals", []), manifest, keys),
            *(() if whole is None else _released(signed.statement, whole)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return (f"The receipt has not the form of one ({type(error).__name__}).",)


def charged(document: Mapping[str, Any], export: Iterable[bytes], keys: Keys) -> tuple[str, ...]:
    """What an audit export says against a receipt; nothing if the charge stands in it."""
    statement = document.get(receipts.KIND, document)["statement"]
    position = statement["position"]
    lines = list(export)
    if not (verdict := verifying.verify(lines, keys)).intact:
        return tuple(f"The export: {one}" for one in verdict.findings)
    if position is None:
        return ()
    posted = [one for one in map(json.loads, lines) if _posts(one, statement)]
    if not posted:
        return ("The export has no charge of this query.",)
    last = [one for one in map(json.loads, lines) if _stands(one, position)]
    if not last or last[0]["hash"] != position["head"]:
        return ("The charge stands elsewhere.",)
    entry = posted[-1]["entry"]
    beside = [one["entry"]["account"] for one in map(json.loads, lines)
              if _beside(one, entry, statement)]  # fmt: skip
    if ("project", statement["project"]) not in [(kind, name) for kind, _, name in beside]:
        return ("The charge is another project's.",)
    if sorted(name for kind, _, name in beside if kind == "block") != statement["blocks"]:
        return ("The charge was not posted to the blocks that were read.",)
    asked = [one["question"] for one in map(json.loads, lines) if "question" in one]
    return (*_entered(entry, statement, position), *_questioned(asked, statement))


def _questioned(asked: Iterable[Mapping[str, Any]], statement: Statement) -> Iterable[str]:
    """Whether the question is the one that was asked, where the export has its text."""
    for one in asked:
        if one["query"] != statement["query"] or "text" not in one:
            continue
        question = json.loads(one["text"])
        if any(question[name] != statement[name] for name in ("sql", "options", "source")):
            yield "The question was another."


def _rederived(statement: Statement, manifest: bytes) -> list[str]:
    """What differs between a receipt and the plan that its SQL has under the manifest."""
    if statement["versions"] != receipts.versions():
        made = ", ".join(f"{name} {number}" for name, number in statement["versions"].items())
        return [f"It was made by {made}: derive it again with these."]
    if viewed(statement, manifest).manifest_hash != statement["manifest_hash"]:
        return ["The manifest is not the one that the delivery was sealed with."]
    try:
        made_again = planned(statement, manifest)
    except FactMissing:
        return ["The plan asks for public facts that the receipt has not."]
    except QueryRefused as refused:
        return [f"The query is refused under this manifest: {refused.code}."]
    return list(_differences(statement, made_again))


def viewed(statement: Statement, manifest: bytes) -> View:
    """The manifest as the project saw it, with the public facts of the receipt."""
    told, blocks = parse(manifest).manifest, statement["blocks"]
    told = united(told, blocks) if statement["together"] else within(told, *blocks)
    public = facts.tables(statement["facts"])
    whole = View(told, hashlib.sha256(manifest).hexdigest(), statement["delivery"], public)
    return narrowed(whole, Grant.of(statement["grant"]))


def planned(statement: Statement, manifest: bytes) -> Plan:
    """The plan of a receipt's SQL, on the facts that it carries."""
    remembered = Remembered(statement["facts"])
    seen = viewed(statement, manifest)
    view = replace(seen, releases=remembered.releases, about=statement["source"])
    moment = statement["moment"]
    return plan(
        statement["sql"],
        view,
        remembered,
        codec.loads(Price, codec.dumps(statement["price"])),
        codec.loads(Options, codec.dumps(statement["options"])),
        None if moment is None else datetime.fromisoformat(moment),
    )


def _differences(statement: Statement, again: Plan) -> Iterable[str]:
    if again.dataset != statement["dataset"]:
        yield f"The manifest is of dataset {again.dataset}."
    told = [
        {name: one[name] for name in one if name not in _OF_CHARGE} for one in _stages(statement)
    ]
    found = [receipts.stage_shown(stage, again) for stage in again.stages]
    if told != found:
        yield f"The mechanisms are not those of the plan: {_where(told, found)}."
    if receipts.plan_hash(again) != statement["plan"]:
        yield "The plan is not the one that was signed."
    claims = [claimed(stage, None) for stage in again.stages]
    for one, claim in zip(_stages(statement), claims, strict=False):
        if one["claimed"].partition("~")[0] != claim.digest:
            yield "A stage was claimed under another name."
    paid = [claim for one, claim in zip(_stages(statement), claims, strict=False)
            if one["paid_by"] is None]  # fmt: skip
    loss = receipts.loss_shown(due(paid, statement["floor"]))
    if loss != statement["loss"]:
        yield f"The loss is {statement['loss']}; it follows that it is {loss}."
    if (statement["position"] is None) != (not paid):
        yield "It says of a charge where there was none, or of none where there was one."


_OF_CHARGE = ("claimed", "paid_by")


def _stages(statement: Statement) -> list[dict[str, Any]]:
    return list(statement["stages"])


def _where(told: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]) -> str:
    """The first thing in which two lists of stages differ."""
    if len(told) != len(found):
        return f"{len(told)} stages for {len(found)}"
    for number, (mine, theirs) in enumerate(zip(told, found, strict=True), 1):
        for name in sorted(mine.keys() | theirs.keys()):
            if mine.get(name) != theirs.get(name):
                return f"{name} of stage {number}"
    return "their order"


def _originals(
    statement: Statement, given: Sequence[Any], manifest: bytes, keys: Keys
) -> Iterable[str]:
    """Whether each stage that served again was paid for by a query whose receipt holds."""
    known = {}
    for one in given:
        wrong = prove(one, manifest, keys)
        query = one["statement"]["query"]
        yield from (f"The receipt of query {query}: {finding}" for finding in wrong)
        known[query] = one["statement"]
    for stage in _stages(statement):
        if stage["paid_by"] is None:
            continue
        original = known.get(stage["paid_by"])
        names = [one["claimed"] for one in _stages(original or {"stages": []})
                 if one["paid_by"] is None]  # fmt: skip
        if stage["claimed"] not in names:
            yield f"No receipt shows that query {stage['paid_by']} paid for a stage."


def _released(statement: Statement, whole: Mapping[str, Any]) -> Iterable[str]:
    if receipts.release_hash(whole) != statement["release"]:
        yield "The release is not the one that the receipt is of."


def _posts(line: Mapping[str, Any], statement: Statement) -> bool:
    """Whether a line of an export enters the charge of this query at its root."""
    entry = line.get("entry", {})
    if line.get("chain") != statement["position"]["chain"] or entry.get("event") != "reserve":
        return False
    return bool(json.loads(entry["note"]).get("query") == statement["query"])


def _beside(line: Mapping[str, Any], root: Mapping[str, Any], statement: Statement) -> bool:
    """Whether a line of an export posts the same charge to another account of its path."""
    if line.get("chain") != statement["position"]["chain"]:
        return False
    entry = line["entry"]
    return bool(entry["event"] == "reserve" and entry["charge"] == root["charge"])


def _stands(line: Mapping[str, Any], position: Mapping[str, Any]) -> bool:
    """Whether a line of an export is the last entry of the charge."""
    here = bool(line.get("chain") == position["chain"])
    return here and bool(line["entry"]["number"] == position["entry"])


def _entered(
    entry: Mapping[str, Any], statement: Statement, position: Mapping[str, Any]
) -> Iterable[str]:
    note, loss = json.loads(entry["note"]), statement["loss"]
    paid = [one["claimed"] for one in _stages(statement) if one["paid_by"] is None]
    if note["stages"] != paid:
        yield "The charge is for other stages."
    if note["asked"] != statement["asked"]:
        yield "The charge is for another question."
    amounts = {name: entry[name] for name in ("rho", "delta", "epsilon") if entry[name]}
    if not amounts or any(loss[name] != amount for name, amount in amounts.items()):
        yield "The charge is of another loss."
    if entry["number"] > position["entry"]:
        yield "The charge stands elsewhere."
