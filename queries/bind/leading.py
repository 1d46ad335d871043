"""Names alone: the keys of the greatest values of one aggregate, which itself is not shown."""

from __future__ import annotations

from sqlglot import exp

from queries.algebra.measures import Measure
from queries.algebra.relations import Spine
from queries.bind import open_queries
from queries.bind.reading import Reader
from queries.language.trees import walk

OTHERWISE = ("having", "qualify", "offset", "distinct")


def wanted(node: exp.Select, reader: Reader, measure: Measure) -> int:
    """How many keys are asked for by `ORDER BY aggregate DESC LIMIT k`; 0 where more is asked.

    An order from below would look for keys that nobody has, and a second order would choose among
    equals, which a selection does not see.
    """
    one = len(measure.statistics) == 1 and not (measure.ranked or measure.sets)
    if not one or not measure.keys or isinstance(measure.relation, Spine):
        return 0
    if any(node.args.get(name) is not None for name in OTHERWISE):
        return 0
    if any(reader.reads(part) for item in node.expressions for part in walk(item)):
        return 0
    return _limit(node) if _ordered(node, reader) else 0


def _ordered(node: exp.Select, reader: Reader) -> bool:
    """Whether the order is from the greatest value of an aggregate that is a statistic itself."""
    order = node.args.get("order")
    first = order.expressions[0] if order is not None and len(order.expressions) == 1 else None
    if not isinstance(first, exp.Ordered) or not first.args.get("desc"):
        return False
    meant = first.this
    if first.args.get("nulls_first") or first.args.get("with_fill") or not reader.reads(meant):
        return False
    reading, marker = reader.of(meant), open_queries.column("_", "_")
    return len(reading.statistics) == 1 and reading.value([marker]) is marker


def _limit(node: exp.Select) -> int:
    limit = node.args.get("limit")
    number = None if limit is None else limit.expression
    plain = isinstance(number, exp.Literal) and not number.is_string and number.name.isdigit()
    return int(number.name) if plain and number is not None else 0
