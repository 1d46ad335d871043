"""Private tables: repaired, keyed by the unit's pseudonym, bounded, sorted, written.

The rows of a unit never leave each other: a table is written in slices of the pseudonym's range,
each of which holds all rows of the units in it. So memory is bounded whatever the table's size,
and the slices one after another are the whole table sorted by unit.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       which rows of a unit are stored, with which values and ordinals, depends on that
                unit's own source rows, the keys, the manifest and public tables alone.
    Requires    a pseudonym of its own for every id (queries.deliver.units); repairs that look at
                one row (queries.deliver.repair).
    Why         every window below is partitioned by the unit. The ordinal is the rank in a total
                order on the stored values, so rows that tie are equal and either order gives the
                same file (P3). Repeated keys and cells keep their first row by it. Above the cap
                the rows with the smallest HMAC(cap key, unit, content, rank) are kept: any choice
                that looks at one unit's own rows and a secret is sound (P7, P15). A row without a
                parent that was stored is dropped; the parent is of the same unit, since a key
                shared by two units fails the registration (P14). Cutting the range into slices
                depends on the number of rows, and moves no row: it decides only when each unit
                is written.
    Tried by    tests/deliver/test_neighbours.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from queries.catalog.manifest import Manifest, Table
from queries.catalog.storage import ORDINAL, UNIT, has_enum, stored_columns, stored_type
from queries.deliver import sql
from queries.deliver.engine import Engine, number
from queries.deliver.faults import RegistrationFailed
from queries.deliver.pseudonym import hmac_hex
from queries.deliver.repair import Repair, Violation, repairs
from queries.deliver.report import Count, TableReport
from queries.deliver.stage import ID, Staged
from queries.deliver.units import UNITS

ROWS_A_SLICE = 1_000_000
MOST_SLICES = 256
_RANGE = 2**63


@dataclass(frozen=True, slots=True)
class Writing:
    """All that is known about a table before it is written."""

    staged: Staged
    repairs: dict[str, Repair]
    dropping: tuple[Violation, ...]
    repeated: bool
    above_cap: bool

    @property
    def table(self) -> Table:
        return self.staged.table

    @property
    def bounded(self) -> bool:
        """Whether rows that fit may be dropped because of the unit's other rows."""
        return self.repeated or self.above_cap or bool(self.table.grain)


def in_order(tables: tuple[Table, ...]) -> Iterator[Table]:
    """The private tables, each after the one that its way to the unit leads through."""
    done: set[str] = set()
    waiting = [table for table in tables if not table.public]
    while waiting:
        ready = [t for t in waiting if t.unit_via is None or t.unit_via.table in done]
        if not ready:
            raise ValueError("a way to the unit has no end")
        yield from ready
        done.update(table.name for table in ready)
        waiting = [table for table in waiting if table.name not in done]


def write_private(
    engine: Engine, manifest: Manifest, staged: Staged, advance: Callable[[float], None]
) -> TableReport:
    """Write one private table; its parent is written already."""
    table = staged.table
    repeated = _check_keys(engine, staged)
    found = repairs(manifest, table)
    violations = tuple(v for repair in found.values() for v in repair.violations)
    dropping = tuple(v for v in violations if v.outcome == "drop")
    writing = Writing(staged, found, dropping, repeated, _above_cap(engine, staged))
    target = f"private.main.{sql.name(table.name)}"
    engine.execute(f"CREATE TABLE {target} ({_definition(table)})")
    slices = max(1, min(MOST_SLICES, -(-staged.rows // ROWS_A_SLICE)))
    for place in range(slices):
        first, last = _RANGE * place // slices, _RANGE * (place + 1) // slices - 1
        engine.execute(f"INSERT INTO {target} {_slice(writing, first, last)}")
        advance((place + 1) / slices)
    report = _report(engine, writing, violations, target)
    engine.execute(f"DROP TABLE {staged.relation}")
    return report


def _definition(table: Table) -> str:
    columns = [f"{UNIT} BIGINT NOT NULL", f"{ORDINAL} INTEGER NOT NULL"]
    for column in stored_columns(table):
        kind = (
            sql.enum(column.categories) if has_enum(table, column) else stored_type(table, column)
        )
        columns.append(f"{sql.name(column.name)} {kind}")
    return sql.listed(columns)


def _with_units(staged: Staged, where: str = "") -> str:
    """SQL: the staged rows that have a unit, each with its pseudonym."""
    way = staged.table.unit_via
    if way is None:
        units = f"(SELECT {ID}, {UNIT} FROM {UNITS} {where})"
        return f"SELECT u.{UNIT}, s.* FROM {staged.relation} s JOIN {units} u USING ({ID})"
    parent = f"private.main.{sql.name(way.table)}"
    units = f"(SELECT {sql.name(way.key)} AS _key, {UNIT} FROM {parent} {where})"
    joined = f"JOIN {units} u ON s.{sql.name(way.column)} = u._key"
    return f"SELECT u.{UNIT}, s.* FROM {staged.relation} s {joined}"


def _check_keys(engine: Engine, staged: Staged) -> bool:
    """Whether a key is repeated within a unit; a key shared by two units fails (P14)."""
    table = staged.table
    if not table.key:
        return False
    way = table.unit_via.column if table.unit_via else None
    own = table.unit_key in table.key or way in table.key
    names = [ID if name == table.unit_key else sql.name(name) for name in table.key]
    source = staged.relation if own or way is None else f"({_with_units(staged)})"
    unit = ID if way is None else UNIT
    shared = "false" if own else f"min({unit}) <> max({unit})"
    whole = " AND ".join(f"{name} IS NOT NULL" for name in {*names, unit if not own else names[0]})
    row = engine.execute(
        f"SELECT count(*), count_if(shared) FROM (SELECT {shared} AS shared FROM {source} "
        f"WHERE {whole} GROUP BY {sql.listed(names)} HAVING count(*) > 1)"
    ).fetchone()
    repeated, both = row or (0, 0)
    if both:
        raise RegistrationFailed(f"{table.name}: {both:,} keys are shared by two units")
    return bool(repeated)


def _above_cap(engine: Engine, staged: Staged) -> bool:
    """Whether any unit has more rows than declared, before repairs."""
    cap = staged.table.rows_per_unit or 1
    way = staged.table.unit_via
    source, unit = staged.relation, ID
    if way is not None:
        source, unit = f"({_with_units(staged)})", UNIT
    rows = f"SELECT count(*) AS n FROM {source} WHERE {unit} IS NOT NULL GROUP BY {unit}"
    return number(engine, f"SELECT max(n) FROM ({rows})") > cap


def _slice(writing: Writing, first: int, last: int) -> str:
    """SQL: the rows to store of the units whose pseudonyms lie in one range."""
    table = writing.table
    names = [sql.name(column.name) for column in stored_columns(table)]
    steps = [
        ("joined", _with_units(writing.staged, f"WHERE {UNIT} BETWEEN {first} AND {last}")),
        ("repaired", _repaired(writing)),
        ("kept", f"SELECT * FROM repaired WHERE {_keep(writing)}"),
        ("ranked", f"SELECT *, {_rank(UNIT, names or ['1'])} AS _rank FROM kept"),
    ]
    if writing.repeated:
        steps.append(("keyed", _first_of(steps[-1][0], table.key, table)))
    if table.grain:
        steps.append(("grained", _first_of(steps[-1][0], table.grain, table)))
    if writing.above_cap:
        steps.extend(_capped(steps[-1][0], table, names))
    chosen = steps[-1][0]
    ordinal = "_rank" if chosen == "ranked" else _rank(UNIT, ["_rank"])
    columns = sql.listed([UNIT, f"CAST({ordinal} - 1 AS INTEGER) AS {ORDINAL}", *names])
    texts = sql.listed(f"{name} AS ({query})" for name, query in steps)
    return f"WITH {texts} SELECT {columns} FROM {chosen} ORDER BY {UNIT}, {ORDINAL}"


def _repaired(writing: Writing) -> str:
    values = [f"{repair.value} AS {sql.name(name)}" for name, repair in writing.repairs.items()]
    drop = " OR ".join(violation.condition for violation in writing.dropping) or "false"
    return f"SELECT {sql.listed([UNIT, *values, f'({drop}) AS _drop'])} FROM joined"


def _keep(writing: Writing) -> str:
    needed = [c for c in stored_columns(writing.table) if not c.nullable]
    return " AND ".join(["NOT _drop", *(f"{sql.name(c.name)} IS NOT NULL" for c in needed)])


def _rank(unit: str, order: list[str]) -> str:
    return f"row_number() OVER (PARTITION BY {unit} ORDER BY {sql.listed(order)})"


def _first_of(source: str, columns: tuple[str, ...], table: Table) -> str:
    """SQL: the first row of each unit and cell."""
    cell = [UNIT, *(sql.name(name) for name in columns if name != table.unit_key)]
    return f"SELECT * FROM {source} QUALIFY {_rank(sql.listed(cell), ['_rank'])} = 1"


def _capped(source: str, table: Table, names: list[str]) -> list[tuple[str, str]]:
    """SQL: of units above the cap, the rows with the smallest HMAC; of others, all rows."""
    cap = table.rows_per_unit or 1
    values = sql.listed(f"CAST({name} AS VARCHAR)" for name in names)
    content = f"CAST([{values}] AS VARCHAR)" if names else "''"
    message = f"concat_ws('|', {UNIT}, _rank, {content})"
    lot = f"CASE WHEN _rows > {cap} THEN {hmac_hex('cap', message)} END"
    return [
        ("counted", f"SELECT *, count(*) OVER (PARTITION BY {UNIT}) AS _rows FROM {source}"),
        ("drawn", f"SELECT *, {lot} AS _lot FROM counted"),
        ("capped", f"SELECT * FROM drawn QUALIFY {_rank(UNIT, ['_lot', '_rank'])} <= {cap}"),
    ]


def _outcome(violation: Violation, needed: set[str]) -> str:
    gone = violation.outcome == "null" and violation.column in needed
    return _OUTCOMES["drop" if gone else violation.outcome]


def _fitting(engine: Engine, writing: Writing) -> int:
    """How many rows fit the manifest each by itself."""
    joined = f"joined AS ({_with_units(writing.staged)})"
    repaired = f"repaired AS ({_repaired(writing)})"
    where = _keep(writing)
    return number(engine, f"WITH {joined}, {repaired} SELECT count(*) FROM repaired WHERE {where}")


_OUTCOMES = {"moved": "moved to the bound", "null": "set to NULL", "cut": "cut", "drop": "dropped"}


def _report(
    engine: Engine, writing: Writing, violations: tuple[Violation, ...], target: str
) -> TableReport:
    """What was done, counted over the staged rows that have a unit."""
    staged, table = writing.staged, writing.table
    stored = number(engine, f"SELECT count(*) FROM {target}")
    joined = _with_units(staged)
    empty = [c for c in stored_columns(table) if not c.nullable]
    tests = [v.condition for v in violations]
    tests += [f"{sql.name(column.name)} IS NULL" for column in empty]
    sums = sql.listed(["count(*)", *(f"count_if({test})" for test in tests)])
    row = engine.execute(f"SELECT {sums} FROM ({joined})").fetchone() or (0,)
    needed = {column.name for column in empty}
    words = [(v.column, f"{v.words}, {_outcome(v, needed)}") for v in violations]
    words += [(column.name, "NULL, dropped") for column in empty]
    without = "without a unit" if table.unit_via is None else "without a parent"
    counts = [Count(staged.outside, "outside of the block, dropped", table.block_column or "")]
    counts += [Count(staged.rows - row[0], f"{without}, dropped")]
    counts += [Count(n, text, name) for n, (name, text) in zip(row[1:], words, strict=True)]
    fitting = _fitting(engine, writing) if writing.bounded else stored
    counts.append(Count(row[0] - fitting, "rows in all dropped for such values"))
    counts.append(Count(fitting - stored, "repeated or above rows_per_unit, dropped"))
    return TableReport(
        table.name,
        False,
        staged.rows + staged.outside,
        stored,
        tuple(count for count in counts if count.rows),
    )
