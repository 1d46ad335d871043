"""Checking an audit export with nothing but a public key: no database, no home, no gateway.

Every chain is recomputed from its first entry, every checkpoint is compared with what the chains
had at its length, every question with the hash that was charged, and the closing signature with all
lines before it. What was changed, dropped, inserted or put in another order is named by its line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from budgets.auditing import RECORD, Head
from budgets.chain import GENESIS, canonical
from gateway.audit import checkpoints, exporting, signing, succession
from gateway.audit.draws import Draws
from gateway.audit.signing import Signed
from gateway.audit.succession import Trusted
from gateway.audit.totals import Totals

MOST_FINDINGS = 50


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a check: `findings` are sentences, none where all is as it was signed.

    `keys` are those that were given, and all that replaced them or that they replaced. Of each that
    was `replaced` it is told how long the chains were by then.
    """

    chains: Mapping[str, Head]
    questions: int
    checkpoints: int
    at: int | None
    findings: tuple[str, ...]
    accounts: Mapping[str, Any] = field(default_factory=dict)
    keys: tuple[Ed25519PublicKey, ...] = ()
    replaced: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def intact(self) -> bool:
        return not self.findings


def verify(
    lines: Iterable[bytes], keys: Sequence[Ed25519PublicKey], kept: Sequence[Signed] = ()
) -> Verdict:
    """Check the lines of an export; `kept` are checkpoints that somebody else has kept."""
    reading = _Reading(keys)
    for line in lines:
        reading.take(line)
    reading.end(kept)
    return Verdict(
        {name: one.head for name, one in reading.chains.items()},
        reading.questions,
        reading.checkpoints + len(kept),
        reading.at,
        tuple(reading.findings[:MOST_FINDINGS]),
        reading.totals.told(),
        tuple(reading.trusted.keys()),
        reading.replaced(),
    )


class Chain:
    """A chain as it is recomputed: the hash after each of its entries."""

    def __init__(self) -> None:
        self._hashes = bytearray()
        self.broken = False

    @property
    def length(self) -> int:
        return len(self._hashes) // 32

    @property
    def head(self) -> Head:
        return Head(self.length, self.at(self.length))

    def at(self, length: int) -> str:
        """The hash after so many entries; empty beyond the end."""
        if length <= 0:
            return GENESIS if length == 0 else "-"
        return bytes(self._hashes[32 * (length - 1) : 32 * length]).hex()

    def follows(self, entry: Mapping[str, Any], stored: str) -> bool:
        """Add an entry; says whether it has the next number and the hash that follows."""
        before = self.at(self.length).encode("ascii")
        digest = hashlib.sha256(before + b"\n" + canonical(entry).encode("ascii"))
        expected = self.length + 1
        self._hashes += digest.digest()
        return entry.get("number") == expected and stored == digest.hexdigest()


class _Reading:
    """The lines of an export as they pass."""

    def __init__(self, keys: Sequence[Ed25519PublicKey]) -> None:
        self.trusted = Trusted(keys)
        self._digest, self._lines = hashlib.sha256(), 0
        self._last: bytes = b""
        self._closing: Signed | None = None
        self._asked: dict[str, str] = {}
        self._checkpoints: list[tuple[str, Signed]] = []
        self.chains: dict[str, Chain] = {}
        self.questions = 0
        self.findings: list[str] = []
        self.totals = Totals()
        self.draws = Draws()

    @property
    def at(self) -> int | None:
        found = None if self._closing is None else self._closing.statement.get("at")
        return found if isinstance(found, int) else None

    @property
    def checkpoints(self) -> int:
        return len(self._checkpoints)

    def take(self, line: bytes) -> None:
        """Read one line with its newline; the last one taken is what closes the export."""
        self._digest.update(self._last)
        self._lines, self._last = self._lines + 1, line
        self._closing = None
        try:
            known = self._read(_said(line))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            known = False
        if not known:
            self.findings.append(f"Line {self._lines} is not one that an export has there.")

    def end(self, kept: Sequence[Signed]) -> None:
        """What can be said once all lines are read."""
        self._close()
        self.findings += self.totals.findings()
        self.findings += self.draws.findings()
        given = [("A checkpoint that was given", one) for one in kept]
        for where, one in (*self._checkpoints, *given):
            self._compare(where, one)
        if self._asked:
            name = next(iter(self._asked))
            self.findings.append(f"The question of query {name} is missing.")

    def replaced(self) -> dict[str, dict[str, int]]:
        """How long the chains were when keys were replaced, as the checkpoint after that tells."""
        signed = [one for _, one in self._checkpoints] + [self._closing] * bool(self._closing)
        told = [checkpoints.chains(one) for one in signed if one and self.trusted.holds(one)]
        lengths = [{name: head.length for name, head in chains.items()} for chains in told]
        lengths.sort(key=lambda chains: chains.get(RECORD, 0))
        return {
            key: next((one for one in lengths if one.get(RECORD, 0) >= number), {})
            for key, number in self.trusted.ends.items()
        }

    def _read(self, document: object) -> bool:
        match document:
            case {"format": exporting.FORMAT, "version": 1, "chains": [*names]}:
                self.chains = {str(name): Chain() for name in names}
                return self._lines == 1
            case {"chain": str(name), "entry": dict(entry), "hash": str(stored)}:
                return self._entry(name, entry, stored)
            case {"question": dict(question)}:
                return self._question(question)
            case {"drawn": {"charge": int(charge), "stages": [*stages]}}:
                self.draws.take(
                    charge, [(str(name), int(d), str(text)) for name, d, text in stages]
                )
                return True
            case {"statement": dict(), "signature": str()}:
                return self._signed(document)
        return False

    def _entry(self, name: str, entry: dict[str, Any], stored: str) -> bool:
        if (chain := self.chains.get(name)) is None:
            return False
        if not chain.follows(entry, stored) and not chain.broken:
            chain.broken = True
            self.findings.append(
                f"Line {self._lines}: entry {chain.length} of {name} does not follow from those "
                "before it."
            )
        if name != RECORD:
            self.totals.add(entry)
            self.draws.add(entry)
        elif (found := succession.told(entry)) is not None:
            self.trusted.add(found)
        self._remember(entry)
        return True

    def _remember(self, entry: Mapping[str, Any]) -> None:
        """The question that an entry says was asked."""
        if "asked" not in str(entry.get("note")):
            return
        note = json.loads(entry["note"])
        if note.get("asked"):
            self._asked[note["query"]] = note["asked"]

    def _question(self, question: Mapping[str, Any]) -> bool:
        self.questions += 1
        told, name = question.get("sha256"), str(question.get("query"))
        text = question.get("text")
        asked = self._asked.pop(name, told)
        hashed = told if text is None else hashlib.sha256(str(text).encode()).hexdigest()
        if not told == asked == hashed:
            self.findings.append(
                f"Line {self._lines}: the question of query {name} is not the one that was charged."
            )
        return True

    def _signed(self, document: object) -> bool:
        if (found := signing.read(document, exporting.KIND)) is not None:
            self._closing = found
            return True
        if (found := signing.read(document, checkpoints.KIND)) is not None:
            self._checkpoints.append((f"Line {self._lines}: the checkpoint", found))
            return True
        return False

    def _close(self) -> None:
        closing = self._closing
        if closing is None or not self._last.endswith(b"\n"):
            self.findings.append("The export has no end: its last lines are missing.")
            return
        if not self.trusted.holds(closing):
            self.findings.append("The closing signature is not that of the given key.")
        told = closing.statement
        if (told.get("lines"), told.get("sha256")) != (self._lines - 1, self._digest.hexdigest()):
            self.findings.append("The lines are not those that were signed.")
        self._compare("The closing statement", closing, signed=True)
        if {name: one.head for name, one in self.chains.items()} != checkpoints.chains(closing):
            self.findings.append("The chains do not end where the closing statement says.")

    def _compare(self, where: str, told: Signed, *, signed: bool = False) -> None:
        """Whether the chains had, at the length told, the hash told."""
        if not signed and not self.trusted.holds(told):
            self.findings.append(f"{where} is not signed with the given key.")
            return
        for name, head in checkpoints.chains(told).items():
            chain = self.chains.get(name)
            if chain is None or chain.at(head.length) != head.head:
                self.findings.append(f"{where} tells of {head.length} entries of {name}: not here.")


def _said(line: bytes) -> Any:
    """What a line says; ValueError unless it is the one text of it.

    A name that stood in it twice would mean one thing here and another to whoever reads it.
    """
    said = json.loads(line)
    if canonical(said).encode("ascii") != line.removesuffix(b"\n"):
        raise ValueError("a line is written in one way only")
    return said
