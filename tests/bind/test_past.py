"""Past releases as tables: their rows are constants, free alone and public beside others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from queries.bind import past
from queries.catalog.past import Past, typed
from queries.language.refusals import QueryRefused
from queries.plan.model import Plan
from queries.plan.planner import plan
from queries.plan.post import Role
from queries.plan.price import Options
from queries.workers.sealed import quoted
from tests.parity import PRICE
from tests.plan.benches import bench

CLINIC = bench("clinic")
ROWS = (
    ("a|b", "10", "1.5", "2020-01-01", "true"),
    ("it's", "-3", None, "2020-01-02", "false"),
    ("", "7", "2e3", None, None),
    (None, "170141183460469231731687303715884105727", "-0.0", "0001-01-01", "true"),
)
KINDS = ("VARCHAR", "HUGEINT", "DOUBLE", "DATE", "BOOLEAN")
NAMES = ("kind", "n", "mean", "day", "open")
SMALL = Past(
    "one", (("kind", "VARCHAR"), ("n", "BIGINT")), (("new", "12"), ("again", "-1"), ("none", "0"))
)
RELEASES = {
    "one": SMALL,
    "odd": Past("odd", tuple(zip(NAMES, KINDS, strict=True)), ROWS),
    "empty": Past("empty", (("n", "BIGINT"),), ()),
    "bare": Past("bare", (), ()),
    "large": Past("large", (("n", "BIGINT"),), (("1",),) * (past.MOST_ROWS + 1)),
}


def planned(sql: str, about: str | None = None) -> Plan:
    view = replace(CLINIC.view, releases=RELEASES.get, about=about)
    return plan(sql, view, CLINIC, PRICE, Options())


def rows(sql: str, about: str | None = None) -> list[tuple[Any, ...]]:
    found = planned(sql, about)
    assert not found.stages
    return CLINIC.open.execute(found.post.sql).fetchall()


def _literal(value: str | None) -> str:
    return "NULL" if value is None else quoted(value)


def test_its_rows_are_what_was_released() -> None:
    values = ", ".join(
        "("
        + ", ".join("NULL" if v is None else "'" + v.replace("'", "''") + "'" for v in row)
        + ")"
        for row in ROWS
    )
    casts = ", ".join(f"CAST(c{n} AS {kind})" for n, kind in enumerate(KINDS))
    expected = CLINIC.open.execute(
        f"SELECT {casts} FROM (VALUES {values}) AS v(c0, c1, c2, c3, c4)"
    ).fetchall()
    assert rows('SELECT * FROM release."odd"') == expected
    assert rows("SELECT * FROM release", about="odd") == expected
    assert rows('SELECT n FROM release."empty"') == []


def test_no_text_in_it_is_read_as_sql() -> None:
    texts = ["a\\b", "x\ny", "🎉", "$$q$$", "--c", "/*c*/", "'", "''", '"', "|", "\ue000", "\\'"]
    texts += ["$1", "=v", "\x01", "?"]
    columns = (('a"b', "VARCHAR"), ("c'd", "VARCHAR"), ("select", "BIGINT"))
    listed = tuple((text, None if n % 2 else text, str(n)) for n, text in enumerate(texts))
    view = replace(CLINIC.view, releases=lambda id: Past(id, columns, listed), about="x")
    found = plan("SELECT * FROM release", view, CLINIC, PRICE, Options())
    got = CLINIC.open.execute(found.post.sql).fetchall()
    assert got == [(a, b, int(n)) for a, b, n in listed if n is not None]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT SUM(n) AS n FROM release", [(11,)]),
        ("SELECT kind FROM release WHERE n > 0", [("new",)]),
        ("SELECT 100 * n / SUM(n) OVER () AS s FROM release ORDER BY n LIMIT 1", [(-100 / 11,)]),
        ('SELECT MAX(a.n - b.n) AS d FROM release."one" a JOIN release b USING (kind)', [(0,)]),
        ("SELECT COUNT(*) AS n FROM (SELECT 1 AS x FROM RELEASE UNION ALL SELECT 2 FROM areas)",
         [(7,)]),
        ("WITH release AS (SELECT 5 AS n) SELECT n FROM release", [(5,)]),
    ],
)  # fmt: skip
def test_what_is_computed_of_it_is_free(sql: str, expected: list[tuple[Any, ...]]) -> None:
    assert rows(sql, about="one") == expected


def test_its_values_are_told_from_exact_ones() -> None:
    (shown,) = planned('SELECT SUM(n) AS n FROM release."one"').post.outputs
    assert shown.role is Role.DERIVED
    assert shown.reason == "computed from a past release"
    assert any("release one" in note for note in planned('SELECT n FROM release."one"').notes)


@pytest.mark.parametrize(
    "sql",
    ['SELECT COUNT(*) AS n FROM visits v JOIN release."one" r ON v.kind = r.kind WHERE r.n > 0',
     'SELECT SUM(cost) AS s FROM visits WHERE kind IN (SELECT kind FROM release."one")',
     'SELECT kind, COUNT(visit) AS n FROM release."one" r LEFT JOIN visits USING (kind) GROUP BY 1',
     'SELECT COUNT(*) AS n FROM visits WHERE score > (SELECT MIN(n) FROM release."one")'],
)  # fmt: skip
def test_beside_private_rows_it_costs_what_constants_cost(sql: str) -> None:
    """The same question with the rows typed out has the same noise, and the same meaning."""
    typed_out = "(SELECT * FROM (VALUES ('new', 12), ('again', -1), ('none', 0)) AS v(kind, n))"
    aliased = sql.replace('release."one" r', f"{typed_out} r")
    other = planned(aliased.replace('release."one"', f"{typed_out} q"))
    found = planned(sql)
    assert [stage.columns for stage in found.stages] == [stage.columns for stage in other.stages]
    (ours,), (others,) = CLINIC.answers(found).values(), CLINIC.answers(other).values()
    assert ours.keys == others.keys
    assert ours.values == others.values


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ('SELECT * FROM release."two"', "unknown-release"),
        ("SELECT * FROM release", "unknown-table"),
        ("SELECT * FROM other.one", "unknown-table"),
        ('SELECT * FROM x.release."one"', "unknown-table"),
        ('SELECT * FROM release."large"', "too-complex"),
        ('SELECT * FROM release."bare"', "unsupported-sql"),
        ('SELECT x FROM release."one"', "not-bound"),
        ("SELECT unnest(string_split('a,b', ',')) AS x", "unsupported-sql"),
    ],
)
def test_what_is_no_release_of_the_caller_is_refused(sql: str, code: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        planned(sql)
    assert refused.value.code == code


def test_values_that_have_no_column_type_are_left_out() -> None:
    assert typed([1, None], "integer") == "BIGINT"
    assert typed([2**64], "integer") == "HUGEINT"
    assert typed([1.5], "decimal") == "DOUBLE"
    assert typed(["a"], "text") == "VARCHAR"
    assert typed([[1]], "list") is None
