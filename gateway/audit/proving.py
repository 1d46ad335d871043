"""Checking a receipt with the manifest and a public key: the plan and the loss are derived again.

Nothing of the gateway is asked: the SQL is planned anew on the public facts that the receipt
carries, and what follows is compared with what was signed. An audit export, where one is given,
shows besides that the charge stands where the receipt says, with this query, these stages and this
loss, at every account of its path, and that it was not taken back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import ge
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from budgets.account import Kind
from budgets.admission import due
from budgets.chain import Event
from gateway.audit import facts, receipts, signing, verifying
from gateway.audit.facts import FactMissing, Remembered
from gateway.audit.verifying import Verdict
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
    """What an audit export says against a receipt; nothing if the charge stands in it.

    Of what was served again it is the charges of the queries that paid that have to stand.
    """
    lines = list(export)
    if not (verdict := verifying.verify(lines, keys)).intact:
        return tuple(f"The export: {one}" for one in verdict.findings)
    given = document.get(receipts.KIND, document)
    return _charged(given, [json.loads(line) for line in lines], verdict)


def _charged(
    given: Mapping[str, Any], told: Sequence[Mapping[str, Any]], verdict: Verdict
) -> tuple[str, ...]:
    """The same of one receipt and those that it brings along, by the lines of an export."""
    paid = (
        f"The receipt of query {one['statement']['query']}: {finding}"
        for one in given.get("originals", [])
        for finding in _charged(one, told, verdict)
    )
    return (*_timely(given, verdict), *_standing(given["statement"], told), *paid)


def _timely(given: Mapping[str, Any], verdict: Verdict) -> tuple[str, ...]:
    """Whether a key signed that was not replaced before the charge was entered.

    How late it was signed is told by where its charge stands, not by its own date.
    """
    signed = signing.read(given, receipts.KIND)
    position = None if signed is None else signed.statement["position"]
    if signed is None or position is None:
        return ()
    chain, entry = position["chain"], position["entry"]
    alive = [
        key
        for key in verdict.keys
        if (lengths := verdict.replaced.get(signing.shown(key))) is None
        or entry <= lengths.get(chain, 0)
    ]
    if signing.holds(signed, alive):
        return ()
    return ("It is signed with a key that had been replaced when its charge was entered.",)


def _standing(statement: Statement, told: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Whether the charge of a receipt stands as it says."""
    if (position := statement["position"]) is None:
        return ()
    posted = [one["entry"] for one in told if _posts(one, statement)]
    if not posted:
        return ("The export has no charge of this query.",)
    last = [one for one in told if _stands(one, position)]
    if not last or last[0]["hash"] != position["head"]:
        return ("The charge stands elsewhere.",)
    own = [one["entry"] for one in told if _of_charge(one, posted[-1], statement)]
    beside = [one for one in own if one["event"] == Event.RESERVE]
    accounts = [one["account"] for one in beside]
    if (Kind.PROJECT, statement["project"]) not in [(kind, name) for kind, _, name in accounts]:
        return ("The charge is another project's.",)
    if sorted(name for kind, _, name in accounts if kind == Kind.BLOCK) != statement["blocks"]:
        return ("The charge was not posted to the blocks that were read.",)
    if any(one["event"] == Event.VOID for one in own):
        return ("The charge was taken back.",)
    asked = [one["question"] for one in told if "question" in one]
    return (
        *_entered(posted[-1], statement, position),
        *(() if all(_paid(one, statement) for one in beside) else (_OF_ANOTHER_LOSS,)),
        *_questioned(asked, statement),
    )


_OF_ANOTHER_LOSS = "The charge is of another loss."


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
    """Whether each stage that served again was paid for by the project, by a receipt that holds."""
    known = {}
    for one in given:
        wrong = prove(one, manifest, keys)
        query = one["statement"]["query"]
        yield from (f"The receipt of query {query}: {finding}" for finding in wrong)
        known[query] = one["statement"]
    for stage in _stages(statement):
        if stage["paid_by"] is None:
            continue
        original = known.get(stage["paid_by"], {"stages": []})
        names = [one["claimed"] for one in _stages(original) if one["paid_by"] is None]
        own = original.get("project") == statement["project"]
        if not own or stage["claimed"] not in names:
            yield f"No receipt shows that query {stage['paid_by']} paid for a stage."


def _released(statement: Statement, whole: Mapping[str, Any]) -> Iterable[str]:
    if receipts.release_hash(whole) != statement["release"]:
        yield "The release is not the one that the receipt is of."


def _posts(line: Mapping[str, Any], statement: Statement) -> bool:
    """Whether a line of an export enters the charge of this query at its root."""
    entry = line.get("entry", {})
    if line.get("chain") != statement["position"]["chain"] or entry.get("event") != Event.RESERVE:
        return False
    return bool(json.loads(entry["note"]).get("query") == statement["query"])


def _of_charge(line: Mapping[str, Any], root: Mapping[str, Any], statement: Statement) -> bool:
    """Whether a line of an export enters something of the same charge, at any account."""
    if line.get("chain") != statement["position"]["chain"]:
        return False
    return bool(line["entry"]["charge"] == root["charge"])


def _paid(entry: Mapping[str, Any], statement: Statement) -> bool:
    """Whether an account was posted the loss, as it counts; a block may pay more than once."""
    loss, posted = statement["loss"], [entry[name] for name in ("rho", "delta", "epsilon")]
    counted = [[loss["rho"], loss["delta"], 0]]
    if loss["epsilon"] is not None and not loss["delta"]:
        counted.append([0, 0, loss["epsilon"]])
    if entry["account"][0] == Kind.BLOCK:
        return any(any(one) and all(map(ge, posted, one)) for one in counted)
    return any(posted) and posted in counted


def _stands(line: Mapping[str, Any], position: Mapping[str, Any]) -> bool:
    """Whether a line of an export is the last entry of the charge."""
    here = bool(line.get("chain") == position["chain"])
    return here and bool(line["entry"]["number"] == position["entry"])


def _entered(
    entry: Mapping[str, Any], statement: Statement, position: Mapping[str, Any]
) -> Iterable[str]:
    note = json.loads(entry["note"])
    paid = [one["claimed"] for one in _stages(statement) if one["paid_by"] is None]
    if note["stages"] != paid:
        yield "The charge is for other stages."
    if note["asked"] != statement["asked"]:
        yield "The charge is for another question."
    if entry["number"] > position["entry"]:
        yield "The charge stands elsewhere."
