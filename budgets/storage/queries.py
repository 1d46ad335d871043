"""Rows of queries and their releases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    String,
    and_,
    bindparam,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from budgets.charge import ChargeState, QueryRecord, QueryState
from budgets.loss import PrivacyLoss
from budgets.refusals import ChargeClosed, UnknownQuery
from budgets.storage.columns import afterwards, fixed, following
from budgets.storage.prepared import Answer, Prepared
from budgets.storage.schema import charge, query, release

_RECORDS = select(
    query, charge.c.deadline, charge.c.rho, charge.c.delta, charge.c.epsilon
).select_from(
    query.outerjoin(
        charge,
        and_(charge.c.query == query.c.number, charge.c.state != fixed(ChargeState.VOID)),
    )
)

_OWN = and_(query.c.id == bindparam("name"), query.c.project == bindparam("of"))
_BY_ID = Prepared(_RECORDS.where(_OWN))
_USED: BindParameter[str] = bindparam("used", type_=String)
_BY_KEY = Prepared(
    _RECORDS.where(query.c.project == bindparam("of"), query.c.key.between(_USED, _USED))
    .order_by(query.c.key)  # so the index of keys serves better than that of the project's queries
    .limit(literal_column("1", Integer))
)
_MOVE = Prepared(
    update(query)
    .where(query.c.id == bindparam("name"), query.c.state == bindparam("before"))
    .values(state=bindparam("after"), incident=bindparam("because"))
)
_STANDS = Prepared(select(query.c.project, query.c.state).where(query.c.id == bindparam("name")))
_TAKE = Prepared(
    update(query)
    .where(
        query.c.id == bindparam("name"),
        afterwards(query.c.project) == bindparam("of"),
        query.c.state == fixed(QueryState.QUEUED),
    )
    .values(state=QueryState.RUNNING.value, incident=None, refusal=None, due=bindparam("ends"))
    .returning(query.c.number, query.c.redeems, following(charge.c.id).label("charge"))
)
_REDEEM = (
    update(query)
    .where(
        query.c.id == bindparam("name"),
        query.c.state == fixed(QueryState.FAULTED),
        query.c.redeems.is_(None),
    )
    .values(state=QueryState.QUEUED.value, redeems=bindparam("failed"))
)
_LAPSE = (
    update(query)
    .where(query.c.id == bindparam("name"), query.c.state == fixed(QueryState.QUEUED))
    .values(state=QueryState.FAULTED.value)
)
_REDEEMED = Prepared(
    _RECORDS.where(
        query.c.project == bindparam("of"),
        query.c.digest == bindparam("asked"),
        query.c.state == fixed(QueryState.QUEUED),
        query.c.redeems.is_not(None),
    ).limit(1)
)
_RELEASE = Prepared(
    update(query)
    .where(query.c.id == bindparam("name"), query.c.state == fixed(QueryState.RUNNING))
    .values(state=QueryState.RELEASED.value, incident=None)
)
_QUEUED = query.c.state == fixed(QueryState.QUEUED)
_WAIT = (
    update(query)
    .where(query.c.id == bindparam("name"), _QUEUED)
    .values(due=bindparam("until"), refusal=None)
)
_DECLINE = (
    update(query).where(query.c.id == bindparam("name"), _QUEUED).values(refusal=bindparam("why"))
)


def _shown(member: str | BindParameter[str]) -> ColumnElement[bool]:
    """Whether a query is shown to a member: it has ended, or is the member's own."""
    return or_(
        query.c.state == fixed(QueryState.RELEASED),
        query.c.state == fixed(QueryState.FAULTED),
        query.c.refusal.is_not(None),
        query.c.member == member,
    )


_SEEN = Prepared(_RECORDS.where(_OWN, _shown(bindparam("by"))))
_STORE = Prepared(
    insert(release)
    .from_select(
        ["query", "document"],
        select(query.c.number, bindparam("released", type_=LargeBinary)).where(
            query.c.id == bindparam("name")
        ),
    )
    .inline()
)
_ADD = Prepared(
    insert(query).returning(query.c.number),
    *("id", "project", "member", "key", "digest", "request", "created", "incident", "due", "state"),
)


def add(
    tx: Connection,
    name: str,
    project: str,
    member: str,
    key: str | None,
    digest: str,
    request: bytes,
    created: datetime,
    due: datetime | None = None,
) -> QueryRecord:
    """A new query, queued, under this id; until `due` it waits to be charged."""
    values = {
        "id": name, "project": project, "member": member, "key": key, "digest": digest,
        "request": request, "created": created, "incident": None, "due": due,
    }  # fmt: skip
    number: int = _ADD.send(tx, values | {"state": QueryState.QUEUED.value}).scalar()
    return QueryRecord(**values, number=number, state=QueryState.QUEUED, deadline=None, loss=None)  # type: ignore[arg-type]


def wait(tx: Connection, name: str, until: datetime | None) -> None:
    """A queued query waits to be charged, again maybe, until then."""
    tx.execute(_WAIT, {"name": name, "until": until})


def decline(tx: Connection, name: str, why: str) -> bool:
    """A query waits no longer and was not charged; says whether it was queued."""
    return tx.execute(_DECLINE, {"name": name, "why": why}).rowcount == 1


def forgotten(tx: Connection, now: datetime) -> Sequence[tuple[str, str]]:
    """Project and id of the queries that wait past their time: nobody charges them any more."""
    past = and_(_QUEUED, query.c.refusal.is_(None), query.c.due < now)
    rows = tx.execute(select(query.c.project, query.c.id).where(past))
    return [(row.project, row.id) for row in rows]


def get(tx: Connection, project: str, name: str) -> QueryRecord:
    """The query of that id, if it is this project's."""
    if (found := find(tx, project, name)) is None:
        raise UnknownQuery
    return found


def find(tx: Connection, project: str, name: str) -> QueryRecord | None:
    """The query of that id in this project, or None."""
    row = _BY_ID.first(tx, {"name": name, "of": project})
    return None if row is None else _read(row)


def seen(tx: Connection, project: str, name: str, member: str) -> QueryRecord:
    """The query of that id, if it is this project's and has ended or is the member's own.

    The database leaves out what is not, so that nothing is done for it that is not done in vain.
    """
    if (row := _SEEN.first(tx, {"name": name, "of": project, "by": member})) is None:
        raise UnknownQuery
    return _read(row)


def project_of(tx: Connection, name: str) -> str:
    """The project of the query with that id."""
    found: str | None = tx.execute(select(query.c.project).where(query.c.id == name)).scalar()
    if found is None:
        raise UnknownQuery
    return found


def by_key(tx: Connection, project: str, key: str) -> QueryRecord | None:
    """The query that this idempotency key made, or None."""
    row = _BY_KEY.first(tx, {"of": project, "used": key})
    return None if row is None else _read(row)


def listed(
    tx: Connection, project: str, before: int | None, limit: int, seen_by: str | None = None
) -> Sequence[QueryRecord]:
    """The latest queries of a project, latest first, from below number `before`.

    Those that have not ended are left out unless they are of the member `seen_by`, if one is named.
    """
    wanted = _RECORDS.where(query.c.project == project)
    if seen_by is not None:
        wanted = wanted.where(_shown(seen_by))
    if before is not None:
        wanted = wanted.where(query.c.number < before)
    return [_read(row) for row in tx.execute(wanted.order_by(query.c.number.desc()).limit(limit))]


def move(
    tx: Connection,
    name: str,
    before: QueryState,
    after: QueryState,
    incident: str | None = None,
) -> None:
    """Change a query's state; ChargeClosed, before the commit, if it was not `before`."""
    words = {"before": before.value, "after": after.value, "because": incident}
    _MOVE.write(tx, {"name": name} | words, ChargeClosed())


def take(tx: Connection, project: str, name: str, due: datetime | None) -> Answer:
    """Take a query of a project from queued to running; `due` is when its slot ends.

    Asks for its number, the charge that it redeems, and a number that no charge has: that of the
    next one. Nothing is answered where it was not queued.
    """
    return _TAKE.send(tx, {"of": project, "name": name, "ends": due})


def state(tx: Connection, project: str, name: str) -> QueryState | None:
    """The state of a query, or None if the project has none of that id."""
    row = _STANDS.first(tx, {"name": name})
    return None if row is None or row.project != project else QueryState(row.state)


def redeem(tx: Connection, name: str, failed: int) -> bool:
    """Let a faulted query be asked once more, under that charge; says whether it is the first."""
    return tx.execute(_REDEEM, {"name": name, "failed": failed}).rowcount == 1


def lapse(tx: Connection, name: str) -> bool:
    """Let a redeemed query be faulted again; says whether it still waited."""
    return tx.execute(_LAPSE, {"name": name}).rowcount == 1


def redeemed(tx: Connection, project: str, digest: str) -> QueryRecord | None:
    """A query of a project with this body that waits to be asked under its redeemed charge."""
    row = _REDEEMED.first(tx, {"of": project, "asked": digest})
    return None if row is None else _read(row)


def store(tx: Connection, name: str, document: bytes) -> None:
    """Take a query from running to released, with its release; ChargeClosed if it did not run."""
    _RELEASE.write(tx, {"name": name}, ChargeClosed())
    _STORE.write(tx, {"name": name, "released": document}, ChargeClosed())


def document(tx: Connection, project: str, name: str) -> bytes | None:
    """The stored release of a query of this project, or None."""
    found: bytes | None = tx.execute(
        select(release.c.document)
        .join(query, query.c.number == release.c.query)
        .where(query.c.project == project, query.c.id == name)
    ).scalar()
    return found


def _read(row: Any) -> QueryRecord:
    return QueryRecord(
        id=row.id,
        number=row.number,
        project=row.project,
        member=row.member,
        key=row.key,
        digest=row.digest,
        request=row.request,
        state=QueryState(row.state),
        created=row.created,
        deadline=row.deadline,
        loss=None if row.rho is None else PrivacyLoss(row.rho, row.delta, row.epsilon),
        incident=row.incident,
        due=row.due,
        refusal=row.refusal,
        redeems=row.redeems,
    )
