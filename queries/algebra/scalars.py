"""Scalars: expressions over one row of a relation, each with its proven facts.

Four nodes suffice. Which operations exist, what they mean and what they prove stands in
`queries.algebra.operations`; how each is written for the engine stands in `queries.plan.lower`.
Facts take no part in equality: two expressions are equal when they compute the same thing.
Parts are shared, so a short query can mean a scalar that is very long once written out; each knows
its `size`, and none is made that is too large.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from queries.algebra.facts import Facts
from queries.language.refusals import TooComplex

if TYPE_CHECKING:
    from queries.algebra.relations import Inside, Partial

MOST_PARTS = 5_000
PART = 64
"""The characters of a text that count as one part."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the relation numbered `source`."""

    source: int
    name: str
    facts: Facts = field(compare=False)

    @property
    def size(self) -> int:
        return 1


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: whole steps, days or microseconds for what is counted so; None is NULL."""

    value: int | float | str | bool | None
    facts: Facts

    @property
    def size(self) -> int:
        return 1 + len(self.value) // PART if isinstance(self.value, str) else 1


@dataclass(frozen=True, slots=True)
class Call:
    """An operation on scalars; fixed arguments (a date part, a scale) stand in its name.

    Raises TooComplex where it would have too many parts.
    """

    op: str
    args: tuple[Scalar, ...]
    facts: Facts = field(compare=False)
    size: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        size = 1 + sum(arg.size for arg in self.args)
        if size > MOST_PARTS:
            raise TooComplex("With its names written out an expression is too large.")
        object.__setattr__(self, "size", size)


@dataclass(frozen=True, slots=True)
class Exists:
    """Whether a relation has a row that fits; `relation` may read the columns around it."""

    relation: Inside
    facts: Facts = field(compare=False)

    @property
    def size(self) -> int:
        return 1 + self.relation.size


@dataclass(frozen=True, slots=True)
class Subvalue:
    """The value of a subquery of one row; `relation` may read the columns around it.

    `value` is an aggregate over the relation's rows, or a scalar over its row where it has no more
    than one: NULL where it has none.
    """

    relation: Inside
    value: Scalar | Partial
    facts: Facts = field(compare=False)

    @property
    def size(self) -> int:
        return 1 + self.relation.size + self.value.size


Scalar = Column | Literal | Call | Exists | Subvalue
Subquery = Exists | Subvalue


def walk(scalar: Scalar) -> Iterator[Scalar]:
    """The scalar and all its parts, not looking into subqueries."""
    stack: list[Scalar] = [scalar]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, Call):
            stack.extend(node.args)


def subqueries(scalar: Scalar) -> Iterator[Subquery]:
    """Every subquery that stands in the scalar itself."""
    return (node for node in walk(scalar) if isinstance(node, Subquery))


def columns(scalar: Scalar) -> Iterator[Column]:
    """Every column that the scalar reads directly."""
    return (node for node in walk(scalar) if isinstance(node, Column))


def conjuncts(scalar: Scalar) -> tuple[Scalar, ...]:
    """The parts of a conjunction, however nested."""
    if isinstance(scalar, Call) and scalar.op == "and":
        return tuple(part for arg in scalar.args for part in conjuncts(arg))
    return (scalar,)


def disjuncts(scalar: Scalar) -> tuple[Scalar, ...]:
    """The branches of a disjunction, however nested."""
    if isinstance(scalar, Call) and scalar.op == "or":
        return tuple(part for arg in scalar.args for part in disjuncts(arg))
    return (scalar,)


def is_equality(scalar: Scalar) -> bool:
    return isinstance(scalar, Call) and scalar.op == "="


def sides(scalar: Scalar) -> tuple[Scalar, Scalar] | None:
    """Both sides of an equality, or None."""
    if isinstance(scalar, Call) and scalar.op == "=":
        return scalar.args[0], scalar.args[1]
    return None


def unit_equalities(parts: Iterable[Scalar]) -> Iterable[tuple[Column, Column]]:
    """Equalities of two columns that can only hold within one unit."""
    for part in parts:
        pair = sides(part)
        if pair is None:
            continue
        left, right = pair
        if isinstance(left, Column) and isinstance(right, Column):
            same = left.facts.identity is not None and left.facts.identity == right.facts.identity
            if same and left.source != right.source:
                yield left, right
