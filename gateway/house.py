"""The house: storage, ledger, registry, workers and runner, opened and closed together.

What a resource or a command needs is one method here; whether the caller may have it has been
decided before.
"""

from __future__ import annotations

import shutil
import threading
import time
from datetime import timedelta
from fractions import Fraction
from typing import Any

import structlog

from budgets.admission import Policy
from budgets.amounts import charged
from budgets.charge import QueryRecord, QueryState
from budgets.ledger import Ledger
from budgets.refusals import NothingAllocated, UnknownQuery
from budgets.reporting import BudgetStatus
from budgets.storage import Storage
from gateway import budgeting, document, growing, submission
from gateway.access import Act, Caller
from gateway.administration import Administration
from gateway.audit.books import Books
from gateway.bootstrap import Bootstrap
from gateway.catalog import Catalog
from gateway.grants import Grants
from gateway.home import Home
from gateway.planning import Planner
from gateway.prices import PricePolicy
from gateway.refusals import NotFound
from gateway.registry import Project, Registry, now
from gateway.rehearsals import Rehearsals
from gateway.runner import Outcome, Runner
from gateway.service import Service
from gateway.settings import Settings
from gateway.slots import Permits, seconds_until
from gateway.steward import Steward
from gateway.submission import Question, Submission
from gateway.turns import Turns
from queries.enclave.client import Enclave
from queries.release.client import ReleaseEngine

log = structlog.get_logger()

MEBIBYTE = 1 << 20
CHECKER_MEMORY = 512
BEAT_SECONDS = 1.0
RECOVER_SECONDS = 5.0
PATIENCE_SECONDS = 30.0
REPLACED_FOR = timedelta(minutes=10)
PENDING = (QueryState.QUEUED, QueryState.RUNNING)


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
        self.steward = Steward(self.ledger, self.record)
        self._engines(settings)
        turns = Turns(max(1, settings.release_workers - 1), settings.threads // 4, PATIENCE_SECONDS)
        self.planner = Planner(
            self.registry,
            grants,
            self.ledger,
            self._engine,
            self.home.deliveries,
            self.policy,
            turns,
        )
        self.catalog = Catalog(self.registry, grants, self.planner)
        service = Service(
            self.ledger,
            self.planner,
            self._enclave,
            self._checker,
            self._engine,
            Permits(settings.workers, settings.queue),
            turns,
            self.policy,
            self.books.signer,
            settings.queue,
            settings.wait,
        )
        self._rehearsals = Rehearsals(
            self.planner, self._engine, turns, self.home.deliveries, self.home.root / "rehearsals"
        )
        self._runner = Runner(service, settings.threads)
        self._closing = threading.Event()
        self._beaten = 0.0
        self.storage.beat()  # a ledger that cannot commit serves nobody
        self.recover()
        self._keeper = threading.Thread(target=self._keep, name="recover", daemon=True)
        self._keeper.start()

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

    def submit(self, asked: Submission, patience: float | None) -> Outcome:
        """Answer a submission, or say that it still runs."""
        return self._runner.submit(asked, patience)

    def quote(self, question: Question, member: str) -> dict[str, Any]:
        """What an answer would cost and how exact it would be."""
        return self.planner.quote(question, member)

    def rehearse(self, question: Question, member: str) -> dict[str, Any]:
        """The answer to a question over synthetic rows."""
        return self._rehearsals.answer(question, member)

    def history(
        self, caller: Caller, project: str, cursor: str | None, limit: int
    ) -> dict[str, Any]:
        """A page of a project's queries, newest first, as far as this caller may see them."""
        me = None if caller.may(Act.OVERSEE, project) else caller.member
        after = int(cursor) if cursor else None
        found = self.ledger.queries(project, after, limit + 1, seen_by=me)
        budget = self._budget(project)
        page = found[:limit]
        more = str(page[-1].number) if len(found) > limit else None
        return {"queries": [_shown(query, budget) for query in page], "next": more}

    def query(self, caller: Caller, project: str, id: str) -> tuple[dict[str, Any], int | None]:
        """One query with its release, and in how many seconds it may have ended; or NotFound.

        Until it has ended it is there for the member who asked, and for those who oversee.
        """
        try:
            query = self.ledger.query(project, id)
        except UnknownQuery:
            raise NotFound() from None
        mine = query.member == caller.member or caller.may(Act.OVERSEE, project)
        if query.state in PENDING and not mine:
            raise NotFound()
        again = seconds_until(query.due) if query.state in PENDING else None
        return self._with_release(query), again

    def _with_release(self, query: QueryRecord) -> dict[str, Any]:
        project, id = query.project, query.id
        shown = _shown(query, self._budget(project))
        released = self.ledger.document(project, id)
        code = document.refusal_in(released) if released is not None else None
        opened = None if released is None or code is not None else document.read(released)
        return shown | {"release": opened, "not_composed": code}

    def released(self, project: str, id: str) -> bytes | None:
        """The release of a query, to the byte, or None where there is none."""
        found = self.ledger.document(project, id)
        return None if found is None or document.refusal_in(found) is not None else found

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
        found = self.registry.project(project)
        status = self.ledger.budget(project)
        view = self.planner.granted(project)
        told = budgeting.shown(status, view, self.policy.floor)
        return told | growing.shown(view.manifest, self.registry.blocks(found.dataset))

    def projects(self, caller: Caller) -> list[dict[str, Any]]:
        """The projects that this caller may see."""
        return [project_shown(one) for one in self.registry.projects() if caller.roles(one.name)]

    def project(self, name: str) -> dict[str, Any]:
        """One project."""
        return project_shown(self.registry.project(name))

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

    def _budget(self, project: str) -> BudgetStatus | None:
        try:
            return self.ledger.budget(project)
        except NothingAllocated:
            return None


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


def _shown(query: QueryRecord, budget: BudgetStatus | None) -> dict[str, Any]:
    """A query without its release. Its loss is told once it is charged."""
    loss = (
        None if query.loss is None or budget is None else budgeting.loss_shown(query.loss, budget)
    )
    faulted = query.state is QueryState.FAULTED
    return {
        "id": query.id,
        "project": query.project,
        "member": query.member,
        "sql": submission.read(query.request).sql,
        "state": query.state.value,
        "privacy_loss": loss,
        "incident": query.incident if faulted else None,
        "created_at": query.created.isoformat(timespec="seconds"),
    }
