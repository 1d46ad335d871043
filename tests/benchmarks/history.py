"""A ledger with a long past: one real charge, its rows copied as often as wanted.

Each copy is a query, a charge, a stage, a release and its entries, with names and hashes of their
own, chained as the ledger itself would have chained them, so that `verify` finds nothing to say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, select, text

from budgets import drawn
from budgets.chain import Entry, link
from budgets.charge import Charge
from budgets.ledger import Ledger
from budgets.storage import accounts, journal, rows
from budgets.storage.schema import account, charge, entry, query, release, stage
from tests.budgets.books import DATASET, asked, claim, document, tables
from tests.budgets.books import stage as staged
from tests.budgets.places import Place, looking

BATCH = 5_000
Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Past:
    """The one charge that is copied, and where the copies begin."""

    charge: Charge
    rows: Mapping[str, Row]
    entries: Sequence[Entry]
    accounts: Sequence[int]
    number: int


def grow(place: Place, ledger: Ledger, more: int, cost: int) -> int:
    """Add so many settled charges of that cost; returns how many entries there are then."""
    one = _answered(ledger, cost)
    with looking(place) as tx:
        past = _past(tx, one)
        root = accounts.roots(tx)[0]
        head, length = journal.head(tx, root.id)
        for start in range(1, more + 1, BATCH):
            count = range(start, min(start + BATCH, more + 1))
            head, length = _add(tx, past, count, head, length)
        spent = account.c.spent_rho + more * cost
        of = [*{*past.accounts}]
        tx.execute(account.update().where(account.c.id.in_(of)).values(spent_rho=spent))
        tx.execute(account.update().where(account.c.id == root.id).values(head=head, length=length))
        for table in (query, charge, stage):
            rows.count_on(tx, table)
        if tx.dialect.name == "postgresql":
            tx.execute(text("ANALYZE"))  # as it does by itself, where it is not a test's
    return length


def _answered(ledger: Ledger, cost: int) -> Charge:
    query = asked(ledger)
    made = ledger.reserve(claim(query, staged(query.id, cost)))
    ledger.started(made)
    ledger.settle(made, document(made), tables(made))
    return made


def _past(tx: Connection, one: Charge) -> _Past:
    number = tx.execute(select(query.c.number).where(query.c.id == one.query)).scalar_one()
    of = {query: query.c.number == number, release: release.c.query == number,
          charge: charge.c.id == one.id, stage: stage.c.charge == one.id}  # fmt: skip
    found = {
        table.name: dict(tx.execute(select(table).where(which)).mappings().one())
        for table, which in of.items()
    }
    entries = [item for item, _ in journal.entries(tx, DATASET) if item.charge == one.id]
    posted = tx.execute(
        select(entry.c.account).where(entry.c.charge == one.id).order_by(entry.c.number)
    ).scalars()
    return _Past(one, found, entries, list(posted), number)


def _add(tx: Connection, past: _Past, count: range, head: str, length: int) -> tuple[str, int]:
    """Copies with these numbers, and where the chain ends with them."""
    new: dict[Table, list[Row]] = {query: [], release: [], charge: [], stage: [], entry: []}
    for each in count:
        name = f"{each:032x}"
        renamed = _renamed(past.charge, name, past.rows["stage"]["mechanisms"])
        number, which = past.number + each, past.charge.id + each
        new[query].append({**past.rows["query"], "number": number, "id": name})
        new[release].append({"query": number, "document": f"release of {name}".encode()})
        new[charge].append({**past.rows["charge"], "id": which, "query": number})
        new[stage].append(
            {**past.rows["stage"], "id": past.rows["stage"]["id"] + each, "digest": name,
             "charge": which, "document": f"table of {name}".encode()}
        )  # fmt: skip
        for item, posted in zip(past.entries, past.accounts, strict=True):
            length += 1
            made = item._replace(number=length, charge=which, note=renamed(item.note))
            head = link(head, made)
            new[entry].append(_row(made, posted, head))
    for table, made_rows in new.items():
        _put(tx, table, made_rows)
    return head, length


def _renamed(one: Charge, name: str, mechanisms: str) -> Callable[[str], str]:
    """A note of that charge as the copy of this name has it, hashes of its bytes included."""
    words = [tuple(drawn.digest([(each, mechanisms)]) for each in (one.query, name)),
             (one.query, name)]  # fmt: skip
    for of in ("release of", "table of"):
        words.append(tuple(_hash(f"{of} {each}") for each in (one.query, name)))  # type: ignore[arg-type]

    def renamed(note: str) -> str:
        for before, after in words:
            note = note.replace(before, after)
        return note

    return renamed


def _hash(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()


def _row(made: Entry, posted: int, head: str) -> Row:
    amounts = made.amounts
    return {
        "dataset": made.dataset, "number": made.number, "event": made.event, "account": posted,
        "charge": made.charge, "rho": amounts.rho, "delta": amounts.delta,
        "epsilon": amounts.epsilon, "note": made.note, "at": made.at, "hash": head,
    }  # fmt: skip


def _put(tx: Connection, table: Table, made: Sequence[Row]) -> None:
    """Insert rows as fast as the driver can."""
    quote = tx.dialect.identifier_preparer
    names = list(made[0])
    into = f"{quote.format_table(table)} ({', '.join(map(quote.quote, names))})"
    driver: Any = tx.connection.driver_connection
    if tx.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        driver.executemany(f"INSERT INTO {into} VALUES ({marks})", list(_values(table, made)))
        return
    with driver.cursor().copy(f"COPY {into} FROM STDIN") as copy:
        for row in _values(table, made):
            copy.write_row(row)


def _values(table: Table, made: Sequence[Row]) -> Iterator[list[Any]]:
    """The values of rows as the driver takes them; times are whole microseconds."""
    written = {name: table.c[name].type for name in made[0]}
    for row in made:
        yield [
            written[name].written(value) if hasattr(value, "tzinfo") else value  # type: ignore[attr-defined]
            for name, value in row.items()
        ]
