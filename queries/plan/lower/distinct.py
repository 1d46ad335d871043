"""Distinct values as engine SQL: counted over everybody, beside a query that has two levels.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a unit adds values to at most `bounds.groups` groups, and to each at most
                `rows_per_group` of them, or as many as its rows or the value itself allow.
    Requires    at most `bounds.rows` rows of one unit in the relation.
    Why         where a bound is tighter than that, each unit keeps groups, and values in each
                group, by the rank of a keyed hash among its own; DENSE_RANK over (hash, keys) keeps
                whole groups, the same ones that the other statistics keep. What others have plays
                no part, so a unit's values move the number of distinct ones by no more than it
                keeps (P2, P6, P7). The query beside decides which keys are answered.
    Tried by    tests/properties/test_sensitivity.py
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from queries.algebra.names import quoted

UNIT = quoted("u")
VALUE = quoted("v")


@dataclass(frozen=True, slots=True)
class Values:
    """What one statistic counts: a value and a condition over a FROM, under which bounds.

    `groups` and `values` are the most that a unit keeps, None where it cannot have more; `keys` are
    those at which it keeps them.
    """

    block: str
    unit: str
    keys: Mapping[str, str]
    value: str
    where: str | None
    groups: int | None
    values: int | None

    def text(self, shown: Sequence[str], aggregate: str, of: Callable[[str], str]) -> str:
        """One row for each key: `aggregate` is that of the kept values, named v, in a FROM."""
        names = [quoted(name) for name in shown]
        by = f" GROUP BY {', '.join(names)}" if names else ""
        columns = ", ".join([*names, f"{aggregate} AS {VALUE}"])
        source = of(f"({self._kept()}) AS {quoted('w')}")
        return f"SELECT {columns} {source}{by}"

    def _kept(self) -> str:
        value = (
            self.value if self.where is None else f"CASE WHEN {self.where} THEN {self.value} END"
        )
        own = [f"{key} AS {quoted(name)}" for name, key in self.keys.items()]
        if self.groups is None and self.values is None:
            return f"SELECT {', '.join([*own, f'{value} AS {VALUE}'])} {self.block}"
        columns = ", ".join([f"{self.unit} AS {UNIT}", *own, f"{value} AS {VALUE}"])
        found = f"SELECT DISTINCT {columns} {self.block}"
        names = [quoted(name) for name in self.keys]
        if self.groups is not None:
            order = ", ".join([f"hash({', '.join([UNIT, *names, '$seed'])})", *names])
            found = _ranked(found, "DENSE_RANK()", [UNIT], order, self.groups)
        if self.values is not None:
            mixed = f"hash({', '.join([UNIT, *names, VALUE, '$seed'])})"
            order = f"({VALUE} IS NULL), {mixed}, {VALUE}"
            found = _ranked(found, "ROW_NUMBER()", [UNIT, *names], order, self.values)
        return found


def _ranked(inner: str, rank: str, within: Sequence[str], order: str, most: int) -> str:
    over = f"{rank} OVER (PARTITION BY {', '.join(within)} ORDER BY {order})"
    ranked = f"SELECT *, {over} AS {quoted('r')} FROM ({inner}) AS {quoted('g')}"
    kept = f"SELECT * EXCLUDE ({quoted('r')}) FROM ({ranked}) AS {quoted('h')}"
    return f"{kept} WHERE {quoted('r')} <= {most}"


def joined(base: str, parts: Mapping[int, str], shown: Sequence[str], columns: int) -> str:
    """The base query with a column of each part beside its own, by keys that may be NULL."""
    names = [f"{quoted('b')}.{quoted(name)}" for name in shown]
    text = f"({base}) AS {quoted('b')}"
    for n, part in parts.items():
        alias = quoted(f"d{n}")
        same = [f"({name} IS NOT DISTINCT FROM {alias}{name[3:]})" for name in names]
        text += f" LEFT JOIN ({part}) AS {alias} ON {' AND '.join(same) or 'TRUE'}"
    for n in range(columns):
        found = f"COALESCE({quoted(f'd{n}')}.{VALUE}, 0)" if n in parts else f'"b"."m{n}"'
        names.append(f"{found} AS {quoted(f'm{n}')}")
    return f"SELECT {', '.join(names)} FROM {text}"
