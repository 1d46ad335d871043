"""Checking a receipt with the manifest and a public key: the plan and the loss are derived again.

Nothing of the gateway is asked: the SQL is planned anew on the public facts that the receipt
carries, and what follows is compared with what was signed. Whether the charge stands in the ledger
an audit export says (booked.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from budgets.admission import due
from gateway.audit import facts, receipts, signing
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
