"""What an untrusted analyst may try in SQL, alone or with others: each must be refused or harmless.

A statement stands here because it once got through, or because a rule of docs/privacy.md exists to
stop it. Refusals are named by their code, so that none passes by accident of another.
"""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from queries.catalog.manifest import Timing, Unit
from queries.enclave import engine as enclave
from queries.language.refusals import QueryRefused
from queries.plan.planner import plan
from queries.plan.price import Options
from tests import datasets
from tests.parity import PRICE, Bench
from tests.properties.clinic import clinic


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(clinic())


def refused(bench: Bench, sql: str) -> str:
    """The code of the refusal that a statement must meet."""
    with pytest.raises(QueryRefused) as caught:
        bench.plan(sql)
    return caught.value.code


NOBODY = "(SELECT 1 AS x FROM visits) AS q"
ONE_DECIDES = (
    f"SELECT COUNT(*) FROM {NOBODY} WHERE EXISTS (SELECT 1 FROM people WHERE height = 220)",
    f"SELECT COUNT(*) FROM {NOBODY} WHERE NOT EXISTS (SELECT 1 FROM people WHERE height = 220)",
    f"SELECT COUNT(*) FILTER (EXISTS (SELECT 1 FROM people WHERE height = 220)) FROM {NOBODY}",
    f"SELECT EXISTS (SELECT 1 FROM people WHERE sex = 'x') AS k, COUNT(*) FROM {NOBODY} GROUP BY 1",
    f"""SELECT COUNT(*) FROM {NOBODY} WHERE EXISTS
        (SELECT 1 FROM areas a WHERE EXISTS (SELECT 1 FROM people p WHERE p.area = a.area))""",
    """SELECT COUNT(*) FROM areas a JOIN visits v ON EXISTS
       (SELECT 1 FROM people p WHERE p.area = a.area)""",
)


@pytest.mark.parametrize("sql", ONE_DECIDES)
def test_no_unit_decides_about_the_rows_of_others(bench: Bench, sql: str) -> None:
    """Also where the query outside shows no column of its own, so has nothing to be equated to."""
    assert refused(bench, sql) == "join-not-on-unit"


RELEASED_FIRST = (
    f"SELECT COUNT(*) FROM {NOBODY} WHERE 1 IN (SELECT 1 FROM people WHERE height = 220)",
    f"SELECT COUNT(*) FROM {NOBODY} WHERE x IN (SELECT active::INT FROM people)",
)


@pytest.mark.parametrize("sql", RELEASED_FIRST)
def test_what_others_have_is_released_before_rows_are_compared_with_it(
    bench: Bench, sql: str
) -> None:
    """The list is a stage of its own, with noise; the stage that reads rows knows no more of it."""
    first, second = bench.plan(sql).stages
    assert '"people"' in first.sql
    assert '"people"' not in second.sql
    assert [given.reads for given in second.inputs] == [(first.name,)]
    assert first.columns


BESIDE = (
    # which row stays is the engine's choice, and threads of the two engines choose otherwise
    "SELECT SUM(q.residents) FROM people p JOIN (SELECT * FROM areas LIMIT 1) q ON p.area = q.area",
    """SELECT SUM(q.r) FROM people p
       JOIN (SELECT area, ROW_NUMBER() OVER () AS r FROM areas) q ON p.area = q.area""",
    # what fails on a row that the subquery leaves out must not run where persons lead to that row
    """SELECT COUNT(*) FROM people p
       JOIN (SELECT a.area, a.residents * 7686143364045699 AS s FROM areas a
             JOIN (SELECT province FROM areas WHERE residents = 50) g ON a.province = g.province) q
       ON p.area = q.area WHERE q.s > 0""",
)


@pytest.mark.parametrize("sql", BESIDE)
def test_a_public_subquery_beside_private_rows_is_read_before_them(bench: Bench, sql: str) -> None:
    """The private engine gets its rows alone: no table, no choice and nothing that can fail."""
    stage = bench.plan(sql).stages[0]
    assert '"areas"' not in stage.sql
    assert "string_split" in stage.sql
    enclave.exact(bench.private, stage, 1)


def test_a_public_subquery_does_not_meet_pseudonyms_where_it_was_read_with_ids() -> None:
    """Ids in the public file, pseudonyms in the private one: ranges of one are not the other's."""
    flights = Bench(datasets.nycflights13())
    sql = """SELECT SUM(q.e) FROM flights f JOIN (
             SELECT t.e FROM (SELECT * FROM planes) AS t(a, y, ty, m, mo, e)
             WHERE t.a < '9223372036854775806') q ON q.e = f.month"""
    found = flights.plan(sql)
    claimed = found.stages[0].columns[0].noise.l1
    assert claimed == 1
    assert flights.exact(found)["_stage0"].values == ((0,),)


UNBOUND = (
    "WITH codes AS (SELECT 1 AS x) SELECT * FROM areas LIMIT (SELECT COUNT(*) FROM codes)",
    "WITH codes AS (SELECT 1 AS x) SELECT * FROM areas OFFSET (SELECT COUNT(*) FROM codes)",
    "SELECT sex, COUNT(*) FROM people GROUP BY sex LIMIT (SELECT COUNT(*) FROM codes)",
    """WITH codes AS (SELECT 1 AS x)
       SELECT DISTINCT ON ((SELECT COUNT(*) FROM codes)) area FROM areas""",
    "SELECT area FROM areas UNION SELECT code FROM codes LIMIT (SELECT COUNT(*) FROM codes)",
)


@pytest.mark.parametrize("sql", UNBOUND)
def test_no_subquery_stands_where_names_are_not_bound(bench: Bench, sql: str) -> None:
    """It would read the table that a WITH query of the same name hides."""
    assert refused(bench, sql) == "unsupported-sql"


def test_a_limit_around_a_subquery_is_not_lost(bench: Bench) -> None:
    sql = "SELECT COUNT(*) FROM visits WHERE person IN ((SELECT person FROM people) LIMIT 0)"
    assert refused(bench, sql) == "unsupported-sql"


COPIES = ", ".join(f"visits v{n}" for n in range(8))
UNITS = " AND ".join(f"v{n}.person = v.person" for n in range(8))
SCORES = " + ".join(f"v{n}.score" for n in range(8))
PLACES = ", ".join(f"areas a{n}" for n in range(8))
LONG = (
    f"""SELECT COUNT(*) FROM visits v WHERE EXISTS
        (SELECT 1 FROM {COPIES} WHERE {UNITS} AND {SCORES} = 1000)""",
    f"""SELECT COUNT(*) FROM visits v WHERE v.score IN
        (SELECT {SCORES} + 1000 FROM {COPIES} WHERE {UNITS})""",
    f"""SELECT COUNT(*) FROM people p WHERE p.height = 220 AND EXISTS
        (SELECT 1 FROM {PLACES} WHERE a0.residents + a7.residents = p.height)""",
)


@pytest.mark.parametrize("sql", LONG)
def test_no_unit_owns_the_running_time_of_a_subquery(bench: Bench, sql: str) -> None:
    """Else a query could miss its deadline just where one person has rows."""
    assert refused(bench, sql) == "too-many-rows-per-unit"


def test_a_join_has_the_slot_of_all_the_rows_it_may_make(bench: Bench) -> None:
    """Every unit may have as many as the plan allows one: the slot covers that, not the scans."""
    manifest = replace(bench.view.manifest, unit=Unit("person", 10**5), timing=Timing())
    view = replace(bench.view, manifest=manifest)

    def slot(sources: str) -> int:
        sql = f"SELECT COUNT(*) FROM {sources}"
        return plan(sql, view, bench, PRICE, Options()).slot

    once = slot("visits a")
    four = slot("visits a JOIN visits b USING (person) JOIN visits c USING (person) "
                "JOIN visits d USING (person)")  # fmt: skip
    assert four >= 64 * once


ENDLESS = (
    "CAST(CASE WHEN loose = -7 THEN 'infinity' ELSE '9999-12-31' END AS DATE)",
    "CAST(CASE WHEN loose = -7 THEN '-infinity' ELSE '0001-01-01' END AS TIMESTAMP)",
    "CAST(CASE WHEN kind = 'a' THEN '-infinity' ELSE '0001-01-01' END AS TIMESTAMP)",
    "CAST(CASE WHEN kind = 'a' THEN 'infinity' END AS DATE)",
)


@pytest.mark.parametrize("key", ENDLESS)
def test_no_row_makes_two_keys_the_same_and_the_stage_fail(bench: Bench, key: str) -> None:
    """An endless moment reads as the last of the year 9999 outside the engine."""
    found = bench.plan(f"SELECT {key} AS k, COUNT(*) FROM visits GROUP BY 1")
    stage = bench.exact(found)["_stage0"]
    assert (None,) in stage.keys
    assert sum(counts[0] for counts in stage.values) == 141


def grown(first: str, sign: str, times: int) -> str:
    """WITH queries each of which uses the one before many times."""
    return f"""WITH a AS (SELECT person, {first} AS t FROM visits),
        b AS (SELECT person, {sign.join(["t"] * times)} AS u FROM a),
        c AS (SELECT person, {sign.join(["u"] * times)} AS w FROM b)"""


NUMBERS, TEXTS = grown("score + 1", "+", 40), grown(f"'{'x' * 9000}' || note", "||", 20)
WRITTEN_OUT = (
    f"""{NUMBERS} SELECT SUM(m) FROM (SELECT person, MAX(LEAST({",".join(["w"] * 300)})) AS m
        FROM c GROUP BY person) q""",
    f"""{NUMBERS} SELECT COUNT(*) FROM (SELECT person FROM c GROUP BY person
        HAVING MAX(LEAST({",".join(["w"] * 300)})) > 1) q""",
    f"{NUMBERS} SELECT COUNT(LEAST({','.join(['w'] * 300)})) FROM c",
    f"{NUMBERS} SELECT COUNT(*) FROM c JOIN visits v ON v.person = c.person AND {' = '.join('ww')}",
    f"""{NUMBERS} SELECT COUNT(*) FROM c WHERE EXISTS (SELECT 1 FROM people p
        WHERE p.person = c.person AND LEAST({",".join(["w"] * 300)}) = p.height)""",
    f"{TEXTS} SELECT COUNT(*) FROM c WHERE LENGTH(w) > 5",
    f"{grown('score', '+', 40)} SELECT {', '.join(f'SUM(w + {n})' for n in range(60))} FROM c",
)


@pytest.mark.parametrize("sql", WRITTEN_OUT)
def test_no_short_statement_means_a_text_without_end(bench: Bench, sql: str) -> None:
    """Planned by a process that serves everybody, and run on rows of a few."""
    began = time.process_time()
    assert refused(bench, sql) == "too-complex"
    assert time.process_time() - began < 5
