"""What an untrusted analyst may try in SQL, alone or with others: each must be refused or harmless.

A statement stands here because it once got through, or because a rule of docs/privacy.md exists to
stop it. Refusals are named by their code, so that none passes by accident of another.
"""

from __future__ import annotations

import pytest

from queries.language.refusals import QueryRefused
from tests.parity import Bench
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
    f"SELECT COUNT(*) FROM {NOBODY} WHERE 1 IN (SELECT 1 FROM people WHERE height = 220)",
    f"SELECT COUNT(*) FROM {NOBODY} WHERE x IN (SELECT active::INT FROM people)",
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
