"""Public keys are listed in full before any row is read; others wait behind a threshold."""

from __future__ import annotations

import pytest

from queries.language.refusals import QueryRefused
from queries.plan.model import Stage
from tests.plan.benches import bench

LISTED = [
    ("origin", 3),
    ("month", 12),
    ("month, origin", 36),
    ("month > 6", 2),
    ("dep_delay IS NULL", 2),
    ("DATE_TRUNC('month', time_hour)", 12),
    ("EXTRACT(dow FROM time_hour)", 7),
    ("CASE WHEN month < 3 THEN 'winter' END", 2),
    ("month % 5", 5),
    ("carrier", 16),
    ("1", 1),
    ("LOWER(origin)", 3),
]


def stage(sql: str, dataset: str = "nycflights13") -> Stage:
    (found,) = bench(dataset).plan(sql).stages
    return found


@pytest.mark.parametrize(("key", "size"), LISTED)
def test_public_keys_are_listed(key: str, size: int) -> None:
    names = ", ".join(f"{part} AS k{n}" for n, part in enumerate(key.split("), ")))
    found = stage(f"SELECT {names}, COUNT(*) AS n FROM flights GROUP BY ALL")
    assert found.listed is not None
    assert found.threshold is None
    assert len(found.listed) == size
    assert len(set(found.listed)) == size


@pytest.mark.parametrize("key", [key for key, _ in LISTED if key != "1"])
def test_every_key_that_occurs_is_listed(key: str) -> None:
    sql = f"SELECT {key}, COUNT(*) FROM flights GROUP BY ALL"
    found = stage(sql)
    _, rows = bench().expected(sql)
    occurring = {tuple(sorted(map(str, row[:-1]))) for row in rows}
    assert occurring <= {tuple(sorted(map(str, key))) for key in found.listed or ()}


@pytest.mark.parametrize("column", ["dep_delay", "dest", "arr_time"])
def test_null_is_listed_where_it_is_not_ruled_out(column: str) -> None:
    keys = f"{column} IS NULL OR {column} IS NOT NULL"
    grouped = f"SELECT {column} AS k, COUNT(*) FROM flights WHERE"
    with_null = stage(f"{grouped} {keys} GROUP BY k").listed
    without = stage(f"{grouped} {column} IS NOT NULL GROUP BY k").listed
    if with_null is not None and without is not None:
        assert (None,) in with_null
        assert (None,) not in without
    else:
        assert with_null is without is None


def test_conditions_on_listed_columns_alone_narrow_the_list() -> None:
    sql = "SELECT month, origin, COUNT(*) FROM flights WHERE {} GROUP BY ALL"
    assert len(stage(sql.format("month <= 3")).listed or ()) == 9
    assert len(stage(sql.format("origin <> 'EWR'")).listed or ()) == 24
    assert len(stage(sql.format("dep_delay > 1000")).listed or ()) == 36


@pytest.mark.parametrize("key", ["c_comment", "c_name", "LENGTH(c_comment)", "c_acctbal"])
def test_other_keys_wait_behind_a_threshold(key: str) -> None:
    found = stage(f"SELECT {key} AS k, COUNT(*) FROM customer GROUP BY k", "tpch")
    assert found.listed is None
    assert found.threshold is not None
    assert found.threshold.at_least > 1
    assert found.delta == found.threshold.delta > 0
    assert found.threshold.column in {column.name for column in found.columns}


def test_a_list_is_in_the_order_of_its_keys() -> None:
    listed = stage("SELECT month, COUNT(*) FROM flights GROUP BY month").listed
    assert listed == tuple((month,) for month in range(1, 13))


def test_too_many_are_refused_before_any_row_is_read() -> None:
    with pytest.raises(QueryRefused) as caught:
        bench().plan("SELECT dest, carrier, origin, COUNT(*) FROM flights GROUP BY ALL")
    assert caught.value.code == "too-many-groups"
