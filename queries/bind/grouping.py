"""GROUP BY: columns, expressions, aliases and positions, each bound to one key; and their sets."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from queries.algebra.facts import ABOUT_UNIT
from queries.algebra.scalars import Call, Column, Literal, Scalar
from queries.bind import aggregates, grouping_sets
from queries.bind.expressions import Expressions, measured
from queries.catalog.manifest import Type
from queries.language.limits import LIMITS
from queries.language.parse import place
from queries.language.refusals import (
    AcrossUnits,
    NamesPersons,
    QueryRefused,
    TooManyColumns,
    TypeMismatch,
    UnsupportedSql,
)

ONE_TO_ONE = frozenset(
    {"+", "-", "*", "neg", "real", "rescale", "clamp", "fit", "text", "||", "concat", "coalesce",
     "nullif", "upper", "lower", "trim"}
)  # fmt: skip


OF_KEY = (exp.AnyValue, exp.First, exp.Last, exp.Max, exp.Min)
"""Aggregates whose value over rows that share a value is that value."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """The keys of a GROUP BY, each once, and the syntax it came from where there is one.

    `sets` are the positions of each grouping set's keys, () where there is but one set: all keys.
    The last `determined` of the keys are so by the others, and make no further groups.
    """

    keys: tuple[tuple[exp.Expr | None, Scalar], ...]
    sets: tuple[tuple[int, ...], ...] = ()
    determined: int = 0

    @property
    def within_unit(self) -> bool:
        """Whether a key determines the privacy unit, so that groups lie within units.

        Raises AcrossUnits where such a key may be NULL: NULLs of many units are one group, and that
        group is nobody's own (P2).
        """
        owned = [s for _, s in self.keys if isinstance(s, Column) and s.facts.identity is not None]
        if any(scalar.facts.identity == ABOUT_UNIT for scalar in owned):
            raise NamesPersons(
                "It groups by the unit's id as a public table gives it.",
                hint="Group by the id in the private table, below another aggregate.",
            )
        if owned and all(scalar.facts.nullable for scalar in owned):
            raise AcrossUnits(
                "This key may be NULL here, and NULLs of many persons would be one group.",
                hint="Exclude NULLs in WHERE, or group by the unit's id of the side that is kept "
                "(after USING, by the name without a table).",
            )
        if not owned and any(disguised(scalar) for _, scalar in self.keys):
            raise NamesPersons(
                "It groups by something that tells persons apart, however it is written."
            )
        return bool(owned)

    def refuse_gaps(self) -> None:
        """Refuse to show intervals, which would leave as numbers; raises TypeMismatch."""
        for item, scalar in self.keys:
            if scalar.facts.type is Type.INTERVAL:
                raise TypeMismatch(
                    "GROUP BY does not take the time between two moments.",
                    position=None if item is None else place(item),
                    hint="Group by EXTRACT(day FROM x), or by date_diff('day', a, b).",
                )


def disguised(scalar: Scalar) -> bool:
    """Whether a column that determines the unit stands under operations that keep it apart."""
    while isinstance(scalar, Call) and scalar.op.split(":")[0] in ONE_TO_ONE:
        others = [arg for arg in scalar.args if not isinstance(arg, Literal)]
        if len(others) != 1:
            return False
        scalar = others[0]
    return isinstance(scalar, Column) and scalar.facts.identity is not None


def grouping(node: exp.Select, expressions: Expressions) -> Grouping:
    """The keys of a SELECT that aggregates; raises a QueryRefused."""
    clause = node.args.get("group")
    found: list[tuple[exp.Expr | None, Scalar]] = []
    sets: list[tuple[int, ...]] = []
    for members in _sets(node, clause):
        own: dict[int, None] = {}
        for item in members:
            meant = _meant(node, item, expressions)
            own[_place(meant, measured(expressions.bind(meant), meant), found)] = None
        sets.append(tuple(own))
    if len(found) > LIMITS.columns:
        raise TooManyColumns("There are too many grouping columns.", position=place(clause))
    return Grouping(tuple(found), tuple(sets) if len(sets) > 1 else ())


def _place(item: exp.Expr, scalar: Scalar, found: list[tuple[exp.Expr | None, Scalar]]) -> int:
    """The position of a key among those found, to which it is added if it is new."""
    for number, (_, known) in enumerate(found):
        if known == scalar:
            return number
    found.append((item, scalar))
    return len(found) - 1


def _sets(node: exp.Select, clause: exp.Group | None) -> list[grouping_sets.Set]:
    if clause is None:
        return [()]
    if clause.args.get("all"):
        return [tuple(i.unalias() for i in node.expressions if not aggregates.contains(i))]
    odd = [key for key, value in clause.args.items() if value and key != "expressions"]
    if odd:
        raise UnsupportedSql(
            f"GROUP BY with {odd[0].replace('_', ' ').upper()} is not answered.",
            position=place(clause),
        )
    return grouping_sets.expanded(clause)


def _meant(node: exp.Select, item: exp.Expr, expressions: Expressions) -> exp.Expr:
    """The expression that a position or an alias stands for, or the item itself."""
    while isinstance(item, exp.Paren):
        item = item.this
    if isinstance(item, exp.Literal) and not item.is_string:
        return positioned(node, item)
    if isinstance(item, exp.Column) and expressions.scope.find(item) is None and not item.table:
        return expressions.aliases.get(item.name.lower(), item)
    return item


def positioned(node: exp.Select, item: exp.Literal) -> exp.Expr:
    """The selected expression that `ORDER BY 2` or `GROUP BY 2` means."""
    text = str(item.this)
    number = int(text) if text.isdigit() else 0
    if not 1 <= number <= len(node.expressions):
        raise UnsupportedSql("There is no selected column of that number.", position=place(item))
    meant: exp.Expr = node.expressions[number - 1].unalias()
    return meant


def of_key(call: exp.Expr, keys: Grouping, expressions: Expressions) -> exp.Expr | None:
    """The grouped expression that MIN, MAX or any value of it is, which is no aggregate at all."""
    if isinstance(call, exp.IgnoreNulls):
        call = call.this
    used = {name for name, value in call.args.items() if value}
    if keys.sets or not isinstance(call, OF_KEY) or used != {"this"}:
        return None
    try:
        scalar = expressions.bind(call.this)
    except QueryRefused:
        return None
    return call.this if any(scalar == key for _, key in keys.keys) else None
