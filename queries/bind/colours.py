"""The two colours that leave the binder: private relations, and open ones (public or released).

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       an open relation is a function of public tables and of released stages alone.
    Requires    every table under an open query is public, or a stage's noisy table.
    Why         an open query is built only from open parts: a private table has no open form, and
                the one way from private to open is `queries.bind.released`, which leaves nothing of
                the private relation in the query but the names of a stage's columns (P1, P21).
    Tried by    tests/bind/test_colours.py
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from queries.algebra.facts import Facts
from queries.algebra.relations import Relation
from queries.algebra.scalars import Scalar


@dataclass(frozen=True, slots=True)
class Private:
    """A relation whose rows belong to units, with its columns by name."""

    relation: Relation
    columns: tuple[tuple[str, Scalar], ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """What an output column is, over the columns of one stage.

    `key` or `measure` names the stage's column that it is exactly; else `expression` is computed
    from the row, or None with the reason why no interval can be given, unless it is the list of
    the stage's columns `measures`. With both it reads what was found among values, and noise alone
    does not tell how far it is off. `facts` say what is proved about its value.
    """

    expression: exp.Expr | None
    key: bool = False
    measure: str | None = None
    reason: str | None = None
    measures: tuple[str, ...] = ()
    facts: Facts | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Rowwise:
    """An open query whose rows are rows of one stage: `query` begins with that stage's `_row`.

    `keys` are the keys of the stage that tell its rows apart, by their positions; None where rows
    are of several grouping sets.
    """

    stage: str
    query: exp.Select
    cells: tuple[tuple[str, Cell], ...]
    keys: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Open:
    """A query over public tables and stages; `names` are its columns where they are known.

    `single` says that it has one row at most, `distinct` that no two rows are the same.
    """

    query: exp.Query | exp.Table
    released: bool
    names: tuple[str | None, ...] = ()
    rowwise: Rowwise | None = None
    single: bool = False
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class Common:
    """A WITH query and the names that stood before it, in which it is read wherever it is used.

    `own` is what the name means inside a recursive query: the rows that it has so far.
    """

    query: exp.CTE
    before: Mapping[str, Common]
    own: Open | None = None
    recursive: bool = False


Bound = Private | Open
Environment = Mapping[str, Common]
