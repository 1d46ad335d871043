"""Rehearsals: the same question over synthetic rows, for nothing and with nothing to lose.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a rehearsal is the same for both but for its noise, which depends on neither.
    Requires    a worker whose folder holds synthetic private files alone
                (`queries.deliver.synthetic`); plans made as those of queries are (P23).
    Why         the worker is told its folder when it starts, and there is no delivery in it. The
                rows follow from the sealed manifest and the public tables. No ledger is written.
    Tried by    tests/gateway/test_rehearsals.py
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from gateway import budgeting, document
from gateway.fairness import LONG, FairQueue, Span
from gateway.planning import Planned, Planner
from gateway.refusals import Busy, NotComposed
from gateway.registry import now
from gateway.submission import Question
from gateway.waves import Waves
from queries.catalog.delivered import MANIFEST, PRIVATE, PUBLIC
from queries.catalog.view import deliveries_of
from queries.enclave.client import Enclave
from queries.faults import Fault, WorkersUnavailable
from queries.language.refusals import QueryRefused
from queries.release.client import ReleaseEngine

SECONDS = 120
MEMORY = 1 << 30
MODULE = "queries.deliver.synthetic"


class Rehearsals:
    """Answers questions over synthetic rows; its one worker starts with the first of them."""

    def __init__(
        self,
        planner: Planner,
        engine: ReleaseEngine,
        line: FairQueue,
        turns: FairQueue,
        deliveries: Path,
        root: Path,
    ) -> None:
        self._planner, self._engine = planner, engine
        self._line, self._turns = line, turns
        self._deliveries, self._root = deliveries, root
        self._enclave: Enclave | None = None
        self._lock = threading.Lock()

    def answer(self, question: Question, member: str) -> dict[str, Any]:
        """The answer to a question over synthetic rows, in the shape of its release."""
        planned = self._planner.rehearsed(question, member)
        enclave = self._ready(planned)
        plan = planned.plan
        try:
            waves = Waves(enclave, self._engine)
            with self._line.turn(question.project, Span()):
                noisy = waves.run(plan, plan.stages, {}, _nothing) if plan.stages else {}
                with self._turns.turn(question.project, Span(LONG)):
                    answer = self._engine.compose(plan, noisy, float(question.confidence))
        except (Fault, WorkersUnavailable, ValueError):
            raise Busy() from None
        except QueryRefused as refusal:
            raise NotComposed(refusal.code) from None
        released = document.release(
            id=f"rehearsal-{secrets.token_hex(8)}",
            question=question,
            blocks=planned.blocks,
            plan=plan,
            answer=answer,
            loss=budgeting.loss_shown(planned.loss, planned.budget),
            budget={},
            stored=(),
            created=now(),
        )
        return {"synthetic": True} | {n: released[n] for n in released if n != "budget"}

    def close(self) -> None:
        """End the worker, if it was started."""
        if self._enclave is not None:
            self._enclave.close()

    def _ready(self, planned: Planned) -> Enclave:
        """The worker, once its folder has rows in the shape of this delivery."""
        with self._lock:
            self._root.mkdir(mode=0o700, exist_ok=True)
            deliveries = deliveries_of(planned.plan.delivery)
            for number, delivery in enumerate(deliveries):
                folder = self._root / delivery
                if not (folder / PRIVATE).exists():
                    self._make(folder, planned.blocks[number] if planned.blocks else None)
            if self._enclave is None:
                self._enclave = Enclave(self._root, workers=1, memory=MEMORY, threads=1)
            return self._enclave

    def _make(self, folder: Path, block: str | None) -> None:
        """Copy what is public of a delivery, and have a process of its own make rows of that."""
        folder.mkdir(mode=0o700, exist_ok=True)
        for file in (MANIFEST, PUBLIC):
            shutil.copyfile(self._deliveries / folder.name / file, folder / file)
        command = [sys.executable, "-I", "-m", MODULE, str(folder), *([block] if block else ())]
        made = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
        if made.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            raise Busy()


def _nothing() -> None:
    """No charge begins and no slot is kept."""
