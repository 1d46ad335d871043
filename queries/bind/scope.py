"""Names in force at one place of a query, and what has been proved about them there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp

from queries.algebra.facts import Facts
from queries.algebra.scalars import Column, Scalar
from queries.language.parse import place
from queries.language.refusals import AmbiguousColumn, UnknownColumn
from queries.language.spelling import suggestion


@dataclass(frozen=True, slots=True)
class Visible:
    """One table of FROM under its alias: its columns by name, in order."""

    alias: str
    columns: tuple[tuple[str, Scalar], ...]
    _by_name: Mapping[str, Scalar] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        named = {name.lower(): scalar for name, scalar in reversed(self.columns)}
        object.__setattr__(self, "_by_name", named)

    def find(self, name: str) -> Scalar | None:
        """The column of a name, whatever its case: the first one where there are several."""
        return self._by_name.get(name.lower())

    def nullable(self) -> Visible:
        """The same table on the side of a join that may be missing."""
        return Visible(self.alias, tuple((n, maybe_null(s)) for n, s in self.columns))


@dataclass(frozen=True, slots=True)
class Merged:
    """A column of USING or NATURAL: what it stands for, and the tables (by place) it is one of."""

    scalar: Scalar
    tables: frozenset[int]


@dataclass(frozen=True, slots=True)
class Scope:
    """The tables of one SELECT; `merged` are USING columns; `outer` is the query around it."""

    tables: tuple[Visible, ...]
    outer: Scope | None = None
    merged: Mapping[str, Merged] = field(default_factory=dict)
    narrowed: Mapping[Column, Facts] = field(default_factory=dict)

    def resolve(self, node: exp.Column) -> Scalar:
        """The scalar a name stands for; raises UnknownColumn or AmbiguousColumn."""
        found = self.find(node)
        if found is None:
            names = (name for table in self.tables for name, _ in table.columns)
            raise UnknownColumn(
                f"There is no column {shown(node)} here.",
                position=place(node),
                hint=suggestion(node.name, names),
            )
        return found

    def find(self, node: exp.Column) -> Scalar | None:
        """Like `resolve`, but None where no table has the column."""
        if node.args.get("db") or node.args.get("catalog"):
            return None
        name, table = node.name, node.table
        if not table and name.lower() in self.merged:
            return self.refined(self.merged[name.lower()].scalar)
        found = [scalar for scalar in self._candidates(name, table) if scalar is not None]
        if len(found) > 1:
            raise AmbiguousColumn(f"More than one table has a column {name}.", position=place(node))
        if found:
            return self.refined(found[0])
        return self.outer.find(node) if self.outer is not None else None

    def _candidates(self, name: str, table: str) -> Iterable[Scalar | None]:
        return (t.find(name) for t in self.tables if not table or t.alias.lower() == table.lower())

    def refined(self, scalar: Scalar) -> Scalar:
        """A column with what WHERE has proved about it."""
        if isinstance(scalar, Column) and scalar in self.narrowed:
            return replace(scalar, facts=self.narrowed[scalar])
        return scalar

    def starred(self, table: str | None = None) -> list[tuple[str, Scalar]]:
        """What * stands for, or table.*; merged columns once."""
        seen: set[str] = set()
        found = []
        for number, visible in enumerate(self.tables):
            if table is not None and visible.alias.lower() != table.lower():
                continue
            for name, scalar in visible.columns:
                merged = self.merged.get(name.lower()) if table is None else None
                if merged is None or number not in merged.tables:
                    found.append((name, self.refined(scalar)))
                elif name.lower() not in seen:
                    seen.add(name.lower())
                    found.append((name, self.refined(merged.scalar)))
        return found

    def narrow(self, proved: Mapping[Column, Facts]) -> Scope:
        return replace(self, narrowed={**self.narrowed, **proved})


def maybe_null(scalar: Scalar) -> Scalar:
    return replace(scalar, facts=scalar.facts.maybe_null())


def shown(node: exp.Column) -> str:
    """A column's name as the analyst wrote it."""
    return ".".join(part.name for part in node.parts)
