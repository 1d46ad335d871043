"""The house: storage, ledger, registry, workers and runner, opened and closed together.

What a resource or a command needs is one method here; whether the caller may have it has been
decided before.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import structlog

from budgets.admission import Policy
from budgets.amounts import charged
from budgets.ledger import Ledger
from budgets.storage import Storage
from budgets.waiting import Waiting
from gateway import budgeting, document, growing
from gateway.access import Caller
from gateway.administration import Administration
from gateway.audit.books import Books
from gateway.bootstrap import Bootstrap
from gateway.catalog import Catalog
from gateway.fairness import FairQueue, Room
from gateway.grants import Grants
from gateway.history import History
from gateway.home import Home
from gateway.identity import Identity
from gateway.planning import Planner
from gateway.prices import PricePolicy
from gateway.provision import Provision
from gateway.rates import Failures, Rates
from gateway.redoing import Redone
from gateway.refusals import NotFound, Stopping
from gateway.registry import Project, Registry, now
from gateway.rehearsals import Rehearsals
from gateway.runner import Outcome, Runner
from gateway.service import Service
from gateway.settings import Settings
from gateway.steward import Steward
from gateway.submission import Question, Submission
from queries.enclave.client import Enclave
from queries.release.client import ReleaseEngine

log = structlog.get_logger()

MEBIBYTE = 1 << 20
CHECKER_MEMORY = 512
BEAT_SECONDS = 1.0
RECOVER_SECONDS = 5.0
PATIENCE_SECONDS = 30.0
REPLACED_FOR = timedelta(minutes=10)


class House:
    """One running gateway on one home."""

    def __init__(self, settings: Settings) -> None:
        self.home = Home(settings.home).prepare()
        self.policy = price_policy(settings)
        self.storage = Storage.open(settings.ledger)
        self.ledger = Ledger(self.storage, Policy(floor=self.policy.floor))
        self.books = Books(self.home, self.storage, settings.checkpoint)
        self.record = self.books.record
        self.registry = Registry(self.storage, self.record)
        self.bootstrap = Bootstrap(self.storage, self.record)
        grants = Grants(self.storage)
        self.administration = Administration(
            self.record, self.ledger, self.registry, lambda name: self.planner.view(name).manifest
        )
        redone = Redone(self.registry, self.ledger, self.home.deliveries)
        self.steward = Steward(self.ledger, self.record, redone)
        self._engines(settings)
        each, most = max(1, settings.threads // 4), max(1, settings.threads * 3 // 4)
        turns = FairQueue(settings.release_workers, each, most, PATIENCE_SECONDS)
        self._queue = FairQueue(
            settings.workers, settings.queued_project, settings.queued, settings.queue
        )
        self._room = Room(each, most, self._queue.soon)
        self._waiting = Waiting(self.storage)
        self.identity = Identity(self.registry, settings)
        self.rates, self.failures = Rates(self.storage, settings.rate), Failures()
        self.planner = Planner(
            self.registry,
            grants,
            self.ledger,
            self._engine,
            self.home.deliveries,
            self.policy,
            turns,
        )
        self.catalog = Catalog(self.registry, grants, self.planner, self.ledger)
        self.provision = Provision(self.planner, self.ledger)
        self._rehearsals = Rehearsals(
            self.planner,
            self._engine,
            FairQueue(1, each, most, PATIENCE_SECONDS),
            turns,
            self.home.deliveries,
            self.home.root / "rehearsals",
        )
        self.past = History(self.ledger, self._queue.soon)
        self._runner = self._answering(settings, turns)
        self._closing = threading.Event()
        self._beaten = 0.0
        self.storage.beat()  # a ledger that cannot commit serves nobody
        self.recover()
        if self.storage.embedded:  # no other gateway could charge what waits here
            self._forsake(now() + timedelta(days=1))
        self._keeper = threading.Thread(target=self._keep, name="recover", daemon=True)
        self._keeper.start()

    def _answering(self, settings: Settings, turns: FairQueue) -> Runner:
        """What brings questions to their answers, with a thread for each that waits or runs."""
        service = Service(
            self.ledger,
            self._waiting,
            self.planner,
            self._enclave,
            self._checker,
            self._engine,
            self._queue,
            turns,
            self.policy,
            self.books.signer,
            settings.queue,
            settings.wait,
        )
        threads = settings.threads + settings.queued + settings.workers
        return Runner(service, self._queue, self._room, threads)

    def _engines(self, settings: Settings) -> None:
        """Workers: those on the deliveries, one that checks maps and sees none, and the release's.

        The checker has a folder of its own without deliveries, so a check never waits behind a
        query, and a quote has no path to private rows (P22, P23).
        """
        deliveries, spill = self.home.deliveries, self.home.root / "spill"
        nothing = self.home.root / "nothing"
        nothing.mkdir(mode=0o700, exist_ok=True)
        self._enclave = Enclave(
            deliveries,
            workers=settings.workers,
            memory=settings.worker_memory * MEBIBYTE,
            threads=settings.worker_threads,
            spill=spill,
        )
        self._checker = Enclave(
            nothing, workers=1, memory=CHECKER_MEMORY * MEBIBYTE, threads=1, spill=spill
        )
        self._engine = ReleaseEngine(
            deliveries,
            workers=settings.release_workers,
            memory=settings.release_memory * MEBIBYTE,
            spill=spill,
        )

    # -- queries ----------------------------------------------------------------------------------

    def submit(
        self, asked: Submission, patience: float | None, gone: Callable[[], bool]
    ) -> Outcome:
        """Answer a submission, or say that it has not ended."""
        return self._runner.submit(asked, patience, gone)

    def quote(self, question: Question, member: str) -> dict[str, Any]:
        """What an answer would cost and how exact it would be."""
        with self._room.one(question.project):
            return self.planner.quote(question, member)

    def rehearse(self, question: Question, member: str) -> dict[str, Any]:
        """The answer to a question over synthetic rows."""
        with self._room.one(question.project):
            return self._rehearsals.answer(question, member)

    def receipt(self, project: str, id: str) -> dict[str, Any]:
        """The signed receipt of a query that was charged and has ended, or NotFound."""
        found = self.ledger.document(project, id)
        given = None if found is None else document.read(found).get("receipt")
        if given is None:
            raise NotFound()
        return dict(given)

    # -- projects and budgets ---------------------------------------------------------------------

    def budget(self, project: str) -> dict[str, Any]:
        """A project's budget for people; NothingAllocated before it has one."""
        self.registry.project(project)
        status = self.ledger.budget(project)
        view = self.planner.granted(project)
        told = budgeting.shown(status, view, self.policy.floor)
        earmarks = self.ledger.earmarks(project)
        told["earmarks"] = budgeting.kept(earmarks, status, view, self.policy.floor)
        return told | growing.shown(view.manifest, self.ledger)

    def projects(self, caller: Caller) -> list[dict[str, Any]]:
        """The projects that this caller may see."""
        return [project_shown(one) for one in self.registry.projects(caller.sees)]

    def project(self, name: str) -> dict[str, Any]:
        """One project."""
        return project_shown(self.registry.project(name))

    def presets(self, name: str) -> dict[str, str]:
        """What a question of a project costs at each preset."""
        shares = self.registry.project(name).presets.shares()
        return {preset.value: budgeting.percent(share) for preset, share in shares.items()}

    def limits(self, project: str) -> list[dict[str, str]]:
        """What single members may spend of a project, and have left."""
        return self.steward.limits(project, self.registry.project(project).dataset)

    def allocations(self, project: str) -> list[dict[str, str]]:
        """Every allocation of a project, oldest first, from the ledger's own entries."""
        dataset = self.registry.project(project).dataset
        return budgeting.allocations(self.ledger.entries(dataset), project)

    # -- life -------------------------------------------------------------------------------------

    def ready(self) -> bool:
        """Whether queries are taken and the ledger can commit; it is tried once a second at most.

        Anybody may ask, and each commit waits for a disk.
        """
        if self._runner.stopping:
            return False
        if time.monotonic() - self._beaten > BEAT_SECONDS:
            try:
                self.storage.beat()
            except Exception as error:  # noqa: BLE001 - whatever it is, nothing could be charged
                log.error("ledger cannot commit", kind=type(error).__name__)
                return False
            self._beaten = time.monotonic()
        return True

    def recover(self) -> None:
        """Charges past their deadline are lost, and stay charged; this is said in the log."""
        for query in self.ledger.recover(now()):
            log.error("answer lost", query=query)
        for dataset in self.registry.datasets():
            if self.ledger.expire(dataset):
                log.info("allocation expired", dataset=dataset)
        self._forsake(now())

    def _forsake(self, at: datetime) -> None:
        """Queries that wait past their time were not charged, and never will be."""
        for query in self._waiting.forsake(at, document.refused(Stopping())):
            log.info("query forsaken", query=query)

    def tidy(self) -> None:
        """Remove deliveries that were replaced a while ago and that no query reads any more."""
        found = self.registry.deliveries()
        newest = {(one.dataset, one.block): one.registered for one in found if one.active}
        for one in found:
            place = self.home.deliveries / one.directory
            replaced = newest.get((one.dataset, one.block))
            if one.active or replaced is None or now() - replaced < REPLACED_FOR:
                continue
            if place.is_dir() and not self.ledger.in_use(one.id):
                shutil.rmtree(place, ignore_errors=True)
                shutil.rmtree(self.home.root / "rehearsals" / place.name, ignore_errors=True)
                log.info("delivery removed", dataset=one.dataset, number=one.number)

    def close(self) -> None:
        """Finish what is charged, then end the workers."""
        self._closing.set()
        self._runner.stop()
        for part in (self._rehearsals, self._enclave, self._checker, self._engine):
            part.close()
        self.books.close()
        self.storage.close()

    def _keep(self) -> None:
        while not self._closing.wait(RECOVER_SECONDS):
            try:
                self.recover()
                self.books.write()
                self.registry.write_use()
                self.tidy()
            except Exception as error:  # noqa: BLE001 - a full disk must not end the keeper
                log.error("recovery failed", kind=type(error).__name__)


def price_policy(settings: Settings) -> PricePolicy:
    """The rules about prices that an operator chose."""
    return PricePolicy(
        floor=charged(Fraction(settings.rho_floor)),
        most=Fraction(settings.request_share),
        delta_share=Fraction(settings.delta_share),
    )


def project_shown(project: Project) -> dict[str, Any]:
    """A project as JSON."""
    return {
        "name": project.name,
        "dataset": project.dataset,
        "title": project.title,
        "frozen": project.frozen,
        "created_at": project.created.isoformat(timespec="seconds"),
    }
