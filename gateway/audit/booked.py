"""What an audit export says against a receipt: whether its charge and its release stand in it.

The charge has to stand where the receipt says, with this query, these stages and this loss, at
every account of its path, and not taken back. The settlement after it holds the hash of what was
stored, so that nobody can sign two answers for one charge. Of what was served again it is the
charges of the queries that paid that have to stand. A key is believed up to where it was replaced,
and how late something was signed is told by where it stands in the chain, not by its own date.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from operator import ge
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from budgets.account import Kind
from budgets.auditing import OF_DATASET
from budgets.chain import Event
from gateway import document
from gateway.audit import receipts, signing, verifying
from gateway.audit.verifying import Verdict

Statement = Mapping[str, Any]
Line = Mapping[str, Any]

_ANOTHER_LOSS = "The charge is of another loss."
_ANOTHER_RELEASE = "The release is not, byte for byte, the one that was stored."
_UNSETTLED = "The export has no release of this query."
_REPLACED = "It is signed with a key that had been replaced by the time it was entered."


def charged(
    given: Mapping[str, Any], export: Iterable[bytes], keys: Sequence[Ed25519PublicKey]
) -> tuple[str, ...]:
    """What an export says against a receipt, or against a release and its receipt.

    Nothing, if the charge stands in it and the release is the one that was stored.
    """
    lines = list(export)
    if not (verdict := verifying.verify(lines, keys)).intact:
        return tuple(f"The export: {one}" for one in verdict.findings)
    told = [json.loads(line) for line in lines]
    if receipts.KIND not in given:
        return _charged(given, told, verdict)
    receipt = given[receipts.KIND]
    return (*_charged(receipt, told, verdict), *_stored(given, _settled(receipt, told)))


def _charged(given: Mapping[str, Any], told: Sequence[Line], verdict: Verdict) -> tuple[str, ...]:
    """The same of one receipt and those that it brings along, by the lines of an export."""
    paid = (
        f"The receipt of query {one['statement']['query']}: {finding}"
        for one in given.get("originals", [])
        for finding in _charged(one, told, verdict)
    )
    settled = _settled(given, told)
    wrong = _standing(given["statement"], told) or tuple(_answered(given["statement"], settled))
    asked = _questioned(given["statement"], told)
    return (*_timely(given, settled, verdict), *wrong, *asked, *paid)


def _timely(given: Mapping[str, Any], settled: Line | None, verdict: Verdict) -> Iterable[str]:
    """Whether a key signed that had not been replaced where the charge stands.

    What cost nothing stands where it was settled.
    """
    signed = signing.read(given, receipts.KIND)
    place = given["statement"]["position"]
    if place is None and settled is not None:
        place = {"chain": settled["chain"], "entry": settled["entry"]["number"]}
    if signed is None or place is None:
        return
    alive = [
        key
        for key in verdict.keys
        if (lengths := verdict.replaced.get(signing.shown(key))) is None
        or place["entry"] <= lengths.get(place["chain"], 0)
    ]
    if not signing.holds(signed, alive):
        yield _REPLACED


def _standing(statement: Statement, told: Sequence[Line]) -> tuple[str, ...]:
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
    paid = all(_paid(one, statement) for one in beside)
    return (*_entered(posted[-1], statement, position), *(() if paid else (_ANOTHER_LOSS,)))


def _settled(given: Mapping[str, Any], told: Sequence[Line]) -> Line | None:
    """The line that enters the release of a receipt's query, the last one."""
    chain, query = OF_DATASET + given["statement"]["dataset"], given["statement"]["query"]
    found = None
    for one in told:
        if one.get("chain") == chain and one["entry"]["event"] == Event.SETTLE:
            found = one if json.loads(one["entry"]["note"])["query"] == query else found
    return found


def _answered(statement: Statement, settled: Line | None) -> Iterable[str]:
    """Whether what the receipt is of was stored; what cost nothing says there what was asked."""
    if settled is None:
        yield _UNSETTLED
        return
    said = json.loads(settled["entry"]["note"]).get("asked")
    if statement["position"] is None and said != statement["asked"]:
        yield "The release is of another question."


def _stored(whole: Mapping[str, Any], settled: Line | None) -> Iterable[str]:
    """Whether a release is the one whose hash its settlement holds."""
    if settled is None:
        return
    released = {name: value for name, value in whole.items() if name != receipts.KIND}
    text = document.signed(released, whole[receipts.KIND])
    if hashlib.sha256(text).hexdigest() != json.loads(settled["entry"]["note"])["document"]:
        yield _ANOTHER_RELEASE


def _questioned(statement: Statement, told: Sequence[Line]) -> Iterable[str]:
    """Whether the question is the one that was asked, where the export has its text."""
    asked = (one["question"] for one in told if "question" in one)
    for one in asked:
        if one["query"] != statement["query"] or "text" not in one:
            continue
        question = json.loads(one["text"])
        if any(question[name] != statement[name] for name in ("sql", "options", "source")):
            yield "The question was another."


def _posts(line: Line, statement: Statement) -> bool:
    """Whether a line of an export enters the charge of this query at its root."""
    entry = line.get("entry", {})
    if line.get("chain") != statement["position"]["chain"] or entry.get("event") != Event.RESERVE:
        return False
    return bool(json.loads(entry["note"]).get("query") == statement["query"])


def _of_charge(line: Line, root: Mapping[str, Any], statement: Statement) -> bool:
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


def _stands(line: Line, position: Mapping[str, Any]) -> bool:
    """Whether a line of an export is the last entry of the charge."""
    here = bool(line.get("chain") == position["chain"])
    return here and bool(line["entry"]["number"] == position["entry"])


def _entered(
    entry: Mapping[str, Any], statement: Statement, position: Mapping[str, Any]
) -> Iterable[str]:
    note = json.loads(entry["note"])
    paid = [one["claimed"] for one in statement["stages"] if one["paid_by"] is None]
    if note["stages"] != paid:
        yield "The charge is for other stages."
    if note["asked"] != statement["asked"]:
        yield "The charge is for another question."
    if entry["number"] > position["entry"]:
        yield "The charge stands elsewhere."
