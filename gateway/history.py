"""The history of projects: what was asked, what became of it, and who may see it meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from budgets.charge import QueryRecord, QueryState
from budgets.ledger import Ledger
from budgets.refusals import NothingAllocated, UnknownQuery
from budgets.standing import BudgetStatus
from gateway import budgeting, document, submission
from gateway.access import Act, Caller
from gateway.refusals import NotFound
from gateway.slots import seconds_until

REFUSED = "refused"


class History:
    """Past and pending queries; `soon` tells in how many seconds what waits may have its turn."""

    def __init__(self, ledger: Ledger, soon: Callable[[], int]) -> None:
        self._ledger, self._soon = ledger, soon

    def page(self, caller: Caller, project: str, cursor: str | None, limit: int) -> dict[str, Any]:
        """A page of a project's queries, newest first, as far as this caller may see them."""
        me = None if caller.may(Act.OVERSEE, project) else caller.member
        after = int(cursor) if cursor else None
        found = self._ledger.queries(project, after, limit + 1, seen_by=me)
        budget = self._budget(project)
        page = found[:limit]
        more = str(page[-1].number) if len(found) > limit else None
        return {"queries": [_shown(query, budget) for query in page], "next": more}

    def one(self, caller: Caller, project: str, id: str) -> tuple[dict[str, Any], int | None]:
        """One query with its release, and in how many seconds it may have ended; or NotFound.

        Until it has ended it is there for the member who asked, and for those who oversee.
        """
        me = None if caller.may(Act.OVERSEE, project) else caller.member
        try:
            query = self._ledger.query(project, id, seen_by=me)
        except UnknownQuery:
            raise NotFound() from None
        return self._with_release(query), self._again(query)

    def released(self, project: str, id: str) -> bytes | None:
        """The release of a query, to the byte, or None where there is none."""
        found = self._ledger.document(project, id)
        return None if found is None or document.refusal_in(found) is not None else found

    def _again(self, query: QueryRecord) -> int | None:
        if not query.pending:
            return None
        return self._soon() if query.state is QueryState.QUEUED else seconds_until(query.due)

    def _with_release(self, query: QueryRecord) -> dict[str, Any]:
        shown = _shown(query, self._budget(query.project))
        released = self._ledger.document(query.project, query.id)
        code = document.refusal_in(released) if released is not None else None
        opened = None if released is None or code is not None else document.read(released)
        return shown | {"release": opened, "not_composed": code}

    def _budget(self, project: str) -> BudgetStatus | None:
        try:
            return self._ledger.budget(project)
        except NothingAllocated:
            return None


def _shown(query: QueryRecord, budget: BudgetStatus | None) -> dict[str, Any]:
    """A query without its release. Its loss is told once it is charged."""
    loss = (
        None if query.loss is None or budget is None else budgeting.loss_shown(query.loss, budget)
    )
    faulted = query.state is QueryState.FAULTED
    refused = query.state is QueryState.QUEUED and query.refusal is not None
    return {
        "id": query.id,
        "project": query.project,
        "member": query.member,
        "sql": submission.read(query.request).sql,
        "state": REFUSED if refused else query.state.value,
        "privacy_loss": loss,
        "incident": query.incident if faulted else None,
        "refusal": json.loads(query.refusal) if refused and query.refusal else None,
        "created_at": query.created.isoformat(timespec="seconds"),
    }
