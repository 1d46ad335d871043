"""Public tables: stored as they are, or refused; their facts are sealed beside them.

A public table is never repaired: answers from it are exact, so a value outside its declaration
fails the registration. Ranges and NULLs are read from the rows, which is what makes them facts.
Where a table says something about units, its key is checked on the normalised id, because that is
what joins meet; the private copy holds pseudonyms, in their own order.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from queries.catalog.manifest import Column, Manifest, Table, Type
from queries.catalog.storage import DECIMAL_DIGITS, UNIT, stored_columns, stored_type
from queries.deliver import sql
from queries.deliver.engine import Engine, number
from queries.deliver.faults import RegistrationFailed
from queries.deliver.parsing import unit_id
from queries.deliver.pseudonym import pseudonym
from queries.deliver.repair import out_of_bounds, out_of_category, too_long
from queries.deliver.report import TableReport
from queries.deliver.stage import ID, Staged

_ORDERED = (Type.INTEGER, Type.DECIMAL, Type.DATE, Type.TIMESTAMP)


def write_public(engine: Engine, manifest: Manifest, staged: Staged) -> TableReport:
    """Check a public table and write it into both files of the delivery."""
    faults = list(_faults(engine, manifest, staged))
    if faults:
        raise RegistrationFailed(*faults)
    table = staged.table
    columns = sql.listed(
        f"{sql.name(column.name)} {stored_type(table, column)}" for column in table.columns
    )
    values = sql.listed(_value(column) for column in table.columns)
    target = f"public.main.{sql.name(table.name)}"
    copy = f"private.main.{sql.name(table.name)}"
    order = sql.listed(map(sql.name, table.key)) if table.key else "ALL"
    engine.execute(f"CREATE TABLE {target} ({columns})")
    engine.execute(f"INSERT INTO {target} SELECT {values} FROM {staged.relation} ORDER BY {order}")
    _copy(engine, table, target, copy)
    engine.execute(f"DROP TABLE {staged.relation}")
    return TableReport(table.name, True, staged.rows, staged.rows)


def _copy(engine: Engine, table: Table, target: str, copy: str) -> None:
    """The table beside the private ones; the id of a unit is its pseudonym there."""
    names = [column.name for column in stored_columns(table)]
    shown = [sql.name(name) for name in names]
    if table.unit_key is not None:
        column = next(c for c in table.columns if c.name == table.unit_key)
        shown.insert(0, f"{pseudonym(unit_id(column, sql.name(column.name)))} AS {UNIT}")
    order = "" if table.unit_key is None else f" ORDER BY {UNIT}"
    engine.execute(f"CREATE TABLE {copy} AS SELECT {sql.listed(shown)} FROM {target}{order}")


def _value(column: Column) -> str:
    """A parsed value in the type it is stored as: whole steps become decimals again."""
    x = sql.name(column.name)
    if column.type is not Type.DECIMAL:
        return f"{x} AS {x}"
    kind = f"DECIMAL({DECIMAL_DIGITS},{column.scale})"
    whole = f"CAST({x} AS DECIMAL({DECIMAL_DIGITS},0))"
    if column.scale == 0:
        return f"{whole} AS {x}"
    one = f"CAST('{10.0**-column.scale:.{column.scale}f}' AS DECIMAL(18,{column.scale}))"
    return f"CAST(CAST({whole} AS DECIMAL(38,0)) * {one} AS {kind}) AS {x}"


def _faults(engine: Engine, manifest: Manifest, staged: Staged) -> Iterator[str]:
    table = staged.table
    for column in table.columns:
        for condition, words in _conditions(manifest, column):
            count = number(engine, f"SELECT count(*) FROM {staged.relation} WHERE {condition}")
            if count:
                yield f"{table.name}: {count:,} values of {column.name} are {words}"
    if table.key:
        names = sql.listed(ID if name == table.unit_key else sql.name(name) for name in table.key)
        twice = number(
            engine,
            f"SELECT count(*) FROM (SELECT {names} FROM {staged.relation} "
            f"GROUP BY {names} HAVING count(*) > 1)",
        )
        if twice:
            yield f"{table.name}: {twice:,} keys stand more than once"


def _conditions(manifest: Manifest, column: Column) -> Iterator[tuple[str, str]]:
    if not column.nullable:
        yield f"{sql.name(column.name)} IS NULL", "NULL; declare nullable: true"
    if (outside := out_of_bounds(column)) is not None:
        yield outside, "out of bounds"
    if (unknown := out_of_category(manifest, column)) is not None:
        yield unknown, "not in its categories"
    if (long := too_long(column)) is not None:
        yield long, "too long"


def facts(engine: Engine, table: Table) -> dict[str, Any]:
    """What is public about a stored public table: rows, NULLs and ranges."""
    source = f"public.main.{sql.name(table.name)}"
    rows = number(engine, f"SELECT count(*) FROM {source}")
    return {"rows": rows, "columns": {c.name: _fact(engine, source, c) for c in table.columns}}


def _fact(engine: Engine, source: str, column: Column) -> dict[str, Any]:
    x = sql.name(column.name)
    nullable = number(engine, f"SELECT count(*) FROM {source} WHERE {x} IS NULL") > 0
    lower = upper = None
    if column.type in _ORDERED:
        least_most = f"SELECT min({x}), max({x}) FROM {source}"
        lower, upper = engine.execute(least_most).fetchone() or (None, None)
    return {"nullable": nullable, "lower": _sealed(column, lower), "upper": _sealed(column, upper)}


def _sealed(column: Column, value: Any) -> int | str | None:
    if value is None:
        return None
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return int(value * 10**column.scale)
