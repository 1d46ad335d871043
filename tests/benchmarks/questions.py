"""What is asked: the TPC-H texts that are answered, and shapes that need two levels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from queries.plan.price import Options

TEXTS = Path(__file__).parent.parent / "fixtures" / "tpch"
NAME_PERSONS = frozenset({"q03", "q10", "q18"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One benchmark: a text for both sides, and bounds that only the gateway knows."""

    name: str
    sql: str
    options: Options = Options()


def standard() -> list[Asked]:
    """The standard texts that the gateway answers, by their numbers."""
    paths = sorted(path for path in TEXTS.glob("q*.sql") if path.stem not in NAME_PERSONS)
    return [
        Asked(f"Q{int(path.stem[1:])}", path.read_text("utf-8").strip(" \n;")) for path in paths
    ]


def two_levels() -> list[Asked]:
    """One scan with bounds asked for that the manifest does not prove."""
    columns = "COUNT(*), SUM(l_extendedprice)"

    def by(key: str) -> str:
        return f"SELECT {key}, {columns} FROM lineitem GROUP BY {key} ORDER BY {key}"

    return [
        Asked("3 keys, rows_per_group", by("l_returnflag"), Options(rows_per_group=100)),
        Asked("7 keys, rows_per_group", by("l_shipmode"), Options(rows_per_group=100)),
        Asked("3 keys, 2 groups_per_unit", by("l_returnflag"), Options(groups_per_unit=2)),
        Asked("7 keys, 2 groups_per_unit", by("l_shipmode"), Options(groups_per_unit=2)),
    ]
