"""Rows of the record of acts: added at its end and read back, never changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, insert, select, type_coerce

from budgets.chain import GENESIS, canonical
from budgets.record import Line, link
from budgets.storage.columns import Moment
from budgets.storage.schema import act

_LAST = select(act.c.number, act.c.hash).order_by(act.c.number.desc()).limit(1)
_LINE = (
    *(act.c[name] for name in ("number", "by", "key", "act", "project", "outcome", "about")),
    type_coerce(act.c.at, BigInteger),
    act.c.hash,
)


@dataclass(frozen=True, slots=True)
class Done:
    """What is about to be recorded; the chain gives it its number."""

    act: str
    by: str
    key: str | None = None
    project: str | None = None
    outcome: str = "done"
    about: Mapping[str, object] = field(default_factory=dict)


def append(tx: Connection, done: Sequence[Done], at: datetime) -> None:
    """Add lines at the end of the record, in a transaction that no other administrative act shares.

    Should two ever meet here, the number is taken already and one of them is undone.
    """
    number, digest = last(tx)
    rows = []
    for one in done:
        number += 1
        line = Line(
            number, one.by, one.key, one.act, one.project, one.outcome,
            canonical(dict(one.about)), Moment.written(at),
        )  # fmt: skip
        digest = link(digest, line)
        shown = {name: getattr(line, name) for name in line.__slots__}
        rows.append(shown | {"at": at, "hash": digest})
    if rows:
        tx.execute(insert(act), rows)


def last(tx: Connection) -> tuple[int, str]:
    """How many lines there are, and the hash of the last one."""
    row = tx.execute(_LAST).first()
    return (0, GENESIS) if row is None else (row.number, row.hash)


def lines(tx: Connection, after: int = 0) -> Iterator[tuple[Line, str]]:
    """Every line after number `after`, in order, each with its stored hash."""
    wanted = select(*_LINE).where(act.c.number > after).order_by(act.c.number)
    for row in tx.execution_options(yield_per=1000).execute(wanted):
        yield _read(row)


def _read(row: Row[Any]) -> tuple[Line, str]:
    values = tuple(row)
    return Line(*values[:-1]), values[-1]
