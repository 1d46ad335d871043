"""Expressions over quantiles and counts of histograms: where they lie when their parts lie in ends.

Each part has an interval of its own. Taken together at a confidence that holds for all of them at
once, they make a box, and an expression that rises or falls in each part, whatever the others are,
has its least and its greatest value at corners of the box. A part that is read twice is taken for
two: the box then holds more than can be, never less (interval arithmetic; Moore 1966).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from queries.bind import maps, open_queries, open_sql
from queries.language.trees import anew, walk
from queries.plan.post import Atom, Box

MOST = 6
"""The most parts of an expression, each read counted: a box of so many sides has 64 corners."""
MADE = (
    "Its interval holds as far as those of what it is computed from do, all at once: quantiles and "
    "counts beside it, whose own columns say how exact each one is."
)
MONOTONE = (
    exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Paren, exp.Greatest, exp.Least, exp.Coalesce,
)  # fmt: skip
"""Operations that rise or fall in each operand, whatever the others are."""
RISING = (exp.Sqrt, exp.Exp, exp.Ln, exp.Floor, exp.Ceil, exp.Round, exp.Cast, exp.TryCast)
"""Functions that rise with their first argument; what they take besides is constant."""
NUMBERS = frozenset(
    {"DOUBLE", "FLOAT", "REAL", "BIGINT", "INT", "INTEGER", "HUGEINT", "INT128", "DECIMAL"}
)


class _Unboxed(Exception):
    """The expression is not known to rise or fall in each of its parts."""


def boxed(expression: exp.Expr, sql_type: str, stage: str, types: Mapping[str, str]) -> Box | None:
    """The box of an expression over a stage's columns of those types; None where there is none."""
    if not is_number(sql_type):
        return None
    maker = _Maker(stage, types)
    try:
        written = maker.made(anew(expression))
    except _Unboxed:
        return None
    if not 0 < len(maker.atoms) <= MOST:
        return None
    return Box(_text(written), tuple(maker.atoms), tuple(maker.apart))


def _text(node: exp.Expr) -> str:
    return open_sql.last_text(open_sql.total(exp.Paren(this=anew(node))))


def is_number(sql_type: str) -> bool:
    """Whether values of an engine type are numbers: the time between two moments is none."""
    return sql_type.split("(")[0].strip().upper() in NUMBERS


@dataclass(slots=True)
class _Maker:
    """Rewrites an expression over columns b0, b1, ... of its parts; `apart` must not be zero."""

    stage: str
    types: Mapping[str, str]
    atoms: list[Atom] = field(default_factory=list)
    apart: list[str] = field(default_factory=list)

    def made(self, node: exp.Expr) -> exp.Expr:
        names = [part.name for part in walk(node) if isinstance(part, exp.Column)]
        if not any(open_queries.FOUND.fullmatch(name) for name in names):
            return self._plain(node, names)
        match node:
            case exp.Column():
                return self._atom(Atom(node.name, self._type(node.name)))
            case exp.Bracket() if maps.is_keyed(node):
                listed = isinstance(node.this.unnest(), exp.Array)
                return self._chosen(node) if listed else self._count(node, node.expressions[0])
            case exp.Anonymous() if node.name.lower() == "map_extract_value":
                return self._count(node, node.expressions[1])
            case exp.Div():
                copied = anew(node)
                copied.set("this", self.made(node.this))
                copied.set("expression", self._divisor(node.expression))
                return copied
        if isinstance(node, RISING):
            return self._rising(node)
        if not isinstance(node, MONOTONE):
            raise _Unboxed
        return self._mapped(node)

    def _plain(self, node: exp.Expr, names: list[str]) -> exp.Expr:
        """What reads no quantile: simulated as a whole, or a constant of the row."""
        if any(isinstance(part, exp.Query | exp.Window) for part in walk(node)):
            raise _Unboxed
        if not any(name.startswith("m") for name in names):
            return node
        return self._atom(Atom(None, "DOUBLE", _text(node)))

    def _atom(self, atom: Atom) -> exp.Expr:
        self.atoms.append(atom)
        return open_queries.column(self.stage, f"b{len(self.atoms) - 1}")

    def _type(self, name: str) -> str:
        found = self.types.get(name, "")
        if found.startswith("MAP"):
            raise _Unboxed  # as a whole it is no number
        return found

    def _chosen(self, node: exp.Bracket) -> exp.Expr:
        """The member of a list at a place, counted from 1, or from -1 from its end."""
        members, text = node.this.unnest().expressions, node.expressions[0].sql()
        if not text.removeprefix("-").isdecimal() or not 0 < abs(int(text)) <= len(members):
            raise _Unboxed
        return self.made(members[int(text) - (int(text) > 0)])

    def _count(self, node: exp.Expr, key: exp.Expr) -> exp.Expr:
        """A count of a histogram by its key, as text where it is written so."""
        names = {part.name for part in walk(node) if isinstance(part, exp.Column)}
        if len(names) > 1 or not all(self.types.get(name, "").startswith("MAP") for name in names):
            raise _Unboxed
        (name,) = names
        read = self._atom(Atom(name, self.types[name], key.sql()))
        copied = anew(node)
        for part in list(copied.find_all(exp.Column)):
            part.replace(anew(read))
        return copied

    def _divisor(self, node: exp.Expr) -> exp.Expr:
        bare = node.unnest()
        if isinstance(bare, exp.Nullif) and bare.expression.sql().strip("0.") == "":
            bare = bare.this
        written = self.made(bare)
        if not isinstance(written, exp.Literal):
            self.apart.append(_text(written))
        return written

    def _rising(self, node: exp.Expr) -> exp.Expr:
        others = [part for part in node.iter_expressions() if part is not node.this]
        if any(part.find(exp.Column) for part in others):
            raise _Unboxed
        to = node.args.get("to")
        if to is not None and not is_number(to.sql()):
            raise _Unboxed
        copied = anew(node)
        copied.set("this", self.made(node.this))
        return copied

    def _mapped(self, node: exp.Expr) -> exp.Expr:
        """The same operation over its parts made anew."""
        copied = anew(node)
        for name, value in node.args.items():
            if isinstance(value, exp.Expr):
                copied.set(name, self.made(value))
            elif isinstance(value, list):
                copied.set(name, [self.made(part) for part in value])
        return copied
