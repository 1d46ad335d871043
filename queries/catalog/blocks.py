"""Blocks: a growing dataset in disjoint intervals of time, each with a ceiling of its own.

A block is named by its interval (2026, 2026-H1, 2026-Q3, 2026-03), never by choice, so that no
interval can be given another name and none overlaps another of the same dataset.

Privacy note
    Neighbours  two datasets that differ in all rows of one unit in one block; for the dataset's
                own ceiling, in all blocks.
    Claim       a row of a table with a block column is stored in the delivery of one block alone,
                whatever is delivered, how often, and under which name (P17).
    Requires    one rule for the dataset's whole life: how long a block is, the time zone, and each
                table's block column (`Rule`; gateway.deliveries compares it at each registration).
    Why         registration drops, row by row and before any repair, what lies outside of the
                interval. Rows of a `lasting` table stand in every delivery: of them the dataset's
                ceiling alone speaks, to which every charge is posted.
    Tried by    tests/deliver/test_blocks.py, tests/gateway/test_blocks.py
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from queries import codec
from queries.catalog.manifest import Block, Bound, Column, Every, Manifest, Table, Type

_MONTHS = {Every.YEAR: 12, Every.HALF_YEAR: 6, Every.QUARTER: 3, Every.MONTH: 1}
_FORMS = {
    Every.YEAR: re.compile(r"([0-9]{4})()", re.ASCII),
    Every.HALF_YEAR: re.compile(r"([0-9]{4})-H([12])", re.ASCII),
    Every.QUARTER: re.compile(r"([0-9]{4})-Q([1-4])", re.ASCII),
    Every.MONTH: re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII),
}
_EXAMPLES = {
    Every.YEAR: "2026", Every.HALF_YEAR: "2026-H1", Every.QUARTER: "2026-Q1",
    Every.MONTH: "2026-01",
}  # fmt: skip
_LEAST = timedelta(microseconds=1)


class NoSuchBlock(ValueError):
    """The manifest has no block of that name; the text says which it can have."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How a dataset is cut into blocks: fixed for its life, or rows could move to a new budget."""

    every: Every
    time_zone: str
    times: tuple[tuple[str, str, str], ...]
    """Each private table: its block column, or the table that it follows, or that it lasts."""

    def text(self) -> str:
        """The one text of this rule."""
        return codec.dumps(self).decode("ascii")


def rule(manifest: Manifest) -> Rule | None:
    """How a manifest cuts its dataset into blocks, or None where it does not."""
    if manifest.blocks is None:
        return None
    times = sorted(_time(table) for table in manifest.tables if not table.public)
    return Rule(manifest.blocks.every, manifest.time_zone, tuple(times))


def _time(table: Table) -> tuple[str, str, str]:
    if table.block_column is not None:
        return table.name.lower(), "column", table.block_column.lower()
    if table.unit_via is not None and not table.lasting:
        return table.name.lower(), "follows", table.unit_via.table.lower()
    return table.name.lower(), "lasting", ""


def named(every: Every, name: str) -> Block:
    """The block of that name; NoSuchBlock where no interval of this length has it."""
    found = _FORMS[every].fullmatch(name)
    if found is None or found[1] == "0000" or found[1] == "9999":
        raise NoSuchBlock(f"{name} is no {every}: write it as {_EXAMPLES[every]}")
    months = _MONTHS[every]
    first = months * (int(found[2] or 1) - 1)
    starts = date(int(found[1]), first + 1, 1)
    later = starts.year * 12 + first + months
    return Block(name, starts, date(later // 12, later % 12 + 1, 1))


def within(manifest: Manifest, name: str | None = None) -> Manifest:
    """The manifest as it holds in one block: its times lie within the interval, never NULL.

    Without blocks it is the manifest itself. Raises NoSuchBlock where the name and the manifest
    do not belong together.
    """
    if manifest.blocks is None:
        if name is not None:
            raise NoSuchBlock(f"the manifest of {manifest.dataset} has no blocks")
        return manifest
    every = manifest.blocks.every
    if name is None:
        raise NoSuchBlock(f"the rows of which {every}? Name it: --block {_EXAMPLES[every]}")
    block = named(every, name)
    tables = tuple(_table(table, block) for table in manifest.tables)
    return replace(manifest, tables=tables, block=block)


ALL = "all"
SPAN = ".."
MOST = 60
"""The most blocks that are read at once: five years of months."""


def chosen(every: Every, asked: str, delivered: Iterable[str]) -> tuple[str, ...]:
    """The blocks that a text means, oldest first: `all`, or names and spans with commas between.

    A span is FIRST..LAST, with all that lie between. NoSuchBlock where one was not delivered.
    """
    names = sorted(delivered)
    found = set(names) if asked == ALL else set()
    for part in () if asked == ALL else asked.split(","):
        first, span, last = part.strip().partition(SPAN)
        found.update(_span(every, first, last if span else first, names))
    if len(found) > MOST:
        raise NoSuchBlock(f"At most {MOST} blocks are read at once.")
    return tuple(sorted(found))


def _span(every: Every, first: str, last: str, delivered: Sequence[str]) -> Sequence[str]:
    names = [name for name in delivered if first <= name <= last]
    for end in (first, last):
        if end not in names:
            raise NoSuchBlock(f"There is no block {end} of this dataset.")
    blocks = [named(every, name) for name in names]
    for one, after in pairwise(blocks):
        if one.ends != after.starts:
            raise NoSuchBlock(f"Between {one.name} and {after.name} a block is missing.")
    return names


def block_column(table: Table) -> Column | None:
    """The column that says in which block a row lies, or None."""
    name = table.block_column
    return None if name is None else next(c for c in table.columns if c.name == name)


def _table(table: Table, block: Block) -> Table:
    name = table.block_column
    columns = (_narrowed(table, c, block) if c.name == name else c for c in table.columns)
    return replace(table, columns=tuple(columns))


def _narrowed(table: Table, column: Column, block: Block) -> Column:
    last: Bound
    if column.type is Type.DATE:
        first, last = block.starts, block.ends - timedelta(days=1)
    else:
        first, last = moment(block.starts), moment(block.ends) - _LEAST
    lower = first if column.lower is None else max(column.lower, first)
    upper = last if column.upper is None else min(column.upper, last)
    if lower > upper:  # type: ignore[operator]
        raise NoSuchBlock(
            f"block {block.name} lies outside of the range of {table.name}.{column.name}"
        )
    return replace(column, lower=lower, upper=upper, nullable=False)


def moment(day: date) -> datetime:
    """The first moment of a day."""
    return datetime(day.year, day.month, day.day)
