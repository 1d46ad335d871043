"""Private relations: every row belongs to exactly one unit, and each states how many rows one has.

`unit` is the number of the source whose hidden `_unit` names the row's unit; `rows` is the most
rows that one unit can have (P4). Columns are read as (source number, name) at any height, so a
projection needs no node of its own except where it must not be looked through (`Derived`).

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       adding a unit adds at most `rows` rows to a relation, all of them its own, and
                changes no other unit's rows.
    Requires    scans of a sealed delivery, whose `rows_per_unit` registration enforced (P14, P16);
                private sources joined only with their units equated (P1).
    Why         scans, filters and joins with public tables look at one row at a time; joins of
                private sources, EXISTS and grouping put the unit's id into their condition or key,
                so no row of one unit meets a row of another (P2). A row of a FULL JOIN is of the
                one unit that both its sides, or the side that is there, belong to.
    Tried by    tests/properties/test_sensitivity.py
"""

from __future__ import annotations

from dataclasses import dataclass

from queries.algebra.scalars import Column, Scalar


@dataclass(frozen=True, slots=True)
class Scan:
    """A private table as registered."""

    id: int
    table: str
    rows: int

    @property
    def unit(self) -> int:
        return self.id


@dataclass(frozen=True, slots=True)
class Public:
    """A public table, or a checked query over public tables: `sql` stands in FROM as it is."""

    id: int
    sql: str


@dataclass(frozen=True, slots=True)
class Released:
    """Rows computed from released and public tables alone, handed in before the stage runs.

    No two rows share their values of `unique` (None: nothing is known), and there are at most
    `rows`: the enclave refuses any other (`queries.enclave.given`).
    """

    id: int
    name: str
    rows: int
    unique: frozenset[str] | None

    def met(self, columns: frozenset[str]) -> int:
        """The most rows that share one value of the columns."""
        return 1 if self.unique is not None and self.unique <= columns else self.rows


@dataclass(frozen=True, slots=True)
class Derived:
    """A projection that stands alone: its columns are those listed, by name."""

    id: int
    source: Relation
    columns: tuple[tuple[str, Scalar], ...]

    @property
    def unit(self) -> int:
        return self.id

    @property
    def rows(self) -> int:
        return self.source.rows


@dataclass(frozen=True, slots=True)
class Ordering:
    """One item of ORDER BY below a measure."""

    value: Scalar
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True, slots=True)
class Partial:
    """An exact aggregate within one unit.

    `kind` is count, count_if, sum, avg, min, max, distinct, bool_and, bool_or, median, var_samp,
    var_pop, stddev_samp, stddev_pop, quantile_disc:share, mode (of several the first by `order`) or
    first: the value of the first row by `order`, which is total (P3).
    """

    name: str
    kind: str
    value: Scalar | None
    where: Scalar | None
    order: tuple[Ordering, ...] = ()

    @property
    def scalars(self) -> tuple[Scalar, ...]:
        """All that it reads."""
        given = [part for part in (self.value, self.where) if part is not None]
        return (*given, *(item.value for item in self.order))

    @property
    def size(self) -> int:
        return sum(part.size for part in self.scalars)


@dataclass(frozen=True, slots=True)
class Window:
    """A window over one unit's rows: its function, and the partition besides the unit.

    `order` is the analyst's, by which rows may be peers. `ties` makes it total: for functions that
    meet rows one by one it follows in ORDER BY, for those that pick a row of a frame of peers it
    orders the pick alone. `partitions` is the most partitions of one unit.
    """

    call: Partial
    keys: tuple[Scalar, ...]
    order: tuple[Ordering, ...]
    ties: tuple[Scalar, ...]
    partitions: int
    frame: str = ""
    fixed: tuple[Scalar, ...] = ()
    ignore_nulls: bool = False

    @property
    def name(self) -> str:
        return self.call.name

    @property
    def scalars(self) -> tuple[Scalar, ...]:
        """All that it reads."""
        order = (item.value for item in self.order)
        return (*self.call.scalars, *self.fixed, *self.keys, *order, *self.ties)


@dataclass(frozen=True, slots=True)
class Windowed:
    """Windows over one unit's rows: its columns are those carried along and the windows, by name.

    The columns named `order` order the rows of a unit totally.
    """

    id: int
    source: Relation
    columns: tuple[tuple[str, Scalar], ...]
    windows: tuple[Window, ...]
    order: tuple[str, ...]

    @property
    def unit(self) -> int:
        return self.id

    @property
    def rows(self) -> int:
        return self.source.rows


@dataclass(frozen=True, slots=True)
class Grouped:
    """GROUP BY the unit (and keys): its columns are the keys and the aggregates, by name."""

    id: int
    source: Relation
    keys: tuple[tuple[str, Scalar], ...]
    partials: tuple[Partial, ...]
    rows: int

    @property
    def unit(self) -> int:
        return self.id


@dataclass(frozen=True, slots=True)
class Inner:
    """Sources side by side under a conjunction: inner joins and filters, in any order.

    `met` is how many rows of one unit the engine looks at where they are more than `rows`.
    """

    sources: tuple[Source, ...]
    conjuncts: tuple[Scalar, ...]
    unit: int
    rows: int
    met: int = 0


@dataclass(frozen=True, slots=True)
class Left:
    """LEFT JOIN: every row of `left`, with the rows of `right` that fit or NULLs.

    `met` is how many rows of one unit the engine looks at where they are more than `rows`.
    """

    left: Source
    right: Source
    conjuncts: tuple[Scalar, ...]
    unit: int
    rows: int
    met: int = 0


@dataclass(frozen=True, slots=True)
class Full:
    """FULL JOIN of two private sources on the unit, standing alone under the columns listed.

    Where one side is missing, a row belongs to the unit of the other.
    """

    id: int
    left: Relation
    right: Relation
    conjuncts: tuple[Scalar, ...]
    columns: tuple[tuple[str, Scalar], ...]
    rows: int

    @property
    def unit(self) -> int:
        return self.id


@dataclass(frozen=True, slots=True)
class Spine:
    """An open relation LEFT or FULL JOIN a private one, below a measure by keys of the open side.

    `source` is the inner join (of a FULL JOIN, all private rows), all that the engine reads;
    `kept` with `conditions` are the public and released rows, all of which are answered; the rows
    of those in `padded` may be missing beside private ones; `multiplied` says that one that matches
    nobody may have become several, `alone` that each group must be one of them.
    """

    source: Relation
    kept: tuple[OpenSource, ...]
    conditions: tuple[Scalar, ...]
    missing: frozenset[int]
    multiplied: bool
    alone: bool = False
    padded: frozenset[int] = frozenset()

    @property
    def unit(self) -> int:
        return self.source.unit

    @property
    def rows(self) -> int:
        return self.source.rows

    @property
    def later(self) -> bool:
        """Whether some of the rows kept are known only when an earlier stage has run."""
        return any(isinstance(source, Released) for source in self.kept)


@dataclass(frozen=True, slots=True)
class Inside:
    """The relation of a subquery: its conjuncts may read the columns around it.

    `met` is how many of its rows a row around it is compared with one by one: none where equalities
    alone tie them, by which the engine hashes.
    """

    sources: tuple[Source, ...]
    conjuncts: tuple[Scalar, ...]
    met: int = 0

    @property
    def size(self) -> int:
        """The parts of all scalars in it."""
        return sum(map(size_of, self.sources)) + sum(part.size for part in self.conjuncts)


@dataclass(frozen=True, slots=True)
class United:
    """A set operation of two relations of one unit: its columns are made of those listed of each.

    `kind` is the operation in words of SQL. All but UNION ALL compare rows of one unit alone.
    """

    id: int
    kind: str
    sides: tuple[tuple[Relation, tuple[Scalar, ...]], ...]
    columns: tuple[Column, ...]
    rows: int

    @property
    def unit(self) -> int:
        return self.id


OpenSource = Public | Released
Relation = Scan | Derived | Grouped | Windowed | United | Inner | Left | Full | Spine
Source = Relation | OpenSource


def is_private(source: Source) -> bool:
    return not isinstance(source, OpenSource)


def rows_of(source: Source) -> int:
    """The most rows of one unit; an open source has none."""
    return 0 if isinstance(source, OpenSource) else source.rows


def size_of(source: Source) -> int:
    """The parts of all scalars that a source is made with."""
    match source:
        case Derived():
            return size_of(source.source) + sum(scalar.size for _, scalar in source.columns)
        case Grouped():
            parts = [scalar for _, scalar in source.keys]
            parts += [scalar for partial in source.partials for scalar in partial.scalars]
            return size_of(source.source) + sum(part.size for part in parts)
        case Windowed():
            parts = [scalar for _, scalar in source.columns]
            parts += [scalar for window in source.windows for scalar in window.scalars]
            return size_of(source.source) + sum(part.size for part in parts)
        case United():
            parts = [scalar for _, scalars in source.sides for scalar in scalars]
            read = sum(size_of(side) for side, _ in source.sides)
            return read + sum(part.size for part in parts)
        case Inner():
            return Inside(source.sources, source.conjuncts).size
        case Left():
            return Inside((source.left, source.right), source.conjuncts).size
        case Full():
            own = sum(scalar.size for _, scalar in source.columns)
            return own + Inside((source.left, source.right), source.conjuncts).size
        case Spine():
            return size_of(source.source)
    return 1
