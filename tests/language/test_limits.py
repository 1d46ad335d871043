"""Bad texts: each refused with its code, and all of them soon."""

from __future__ import annotations

import time

import pytest

from queries.language.refusals import QueryRefused
from tests.plan.benches import bench

SECONDS = 1.0
COLUMNS = ", ".join(f"a{n} + a{n} AS a{n + 1}" for n in range(60))
BAD = {
    "empty": ("", "empty-statement"),
    "blanks": ("  \n\t", "empty-statement"),
    "a comment": ("-- only", "empty-statement"),
    "not a select": ("DROP TABLE flights", "not-a-select"),
    "several": ("SELECT 1; SELECT 2", "several-statements"),
    "a NUL": ("SELECT 1\x00", "malformed-sql"),
    "half a character": ("SELECT '\ud800'", "malformed-sql"),
    "half a name": ("SELECT COUNT(*) AS \udfff FROM flights", "malformed-sql"),
    "an open quotation": ("SELECT 'x", "malformed-sql"),
    "a sum of 15 KB": ("SELECT " + "a+" * 7500 + "a FROM flights", "too-complex"),
    "a sum of all tokens": ("SELECT " + "a+" * 740 + "a FROM flights", "too-complex"),
    "too long": ("SELECT '" + "a" * 16_384 + "'", "too-complex"),
    "too long in bytes": ("SELECT '" + "é" * 8_200 + "'", "too-complex"),
    "parentheses": ("SELECT " + "(" * 700 + "1" + ")" * 700, "too-complex"),
    "open parentheses": ("SELECT " + "(" * 1400, "too-complex"),
    "NOT": ("SELECT COUNT(*) FROM flights WHERE " + "NOT " * 1400 + "TRUE", "too-complex"),
    "minus": ("SELECT " + "- " * 1400 + "1", "too-complex"),
    "CASE": ("SELECT " + "CASE WHEN TRUE THEN " * 200 + "1" + " END" * 200, "too-complex"),
    "brackets": ("SELECT a" + "[1]" * 400 + " FROM flights", "too-complex"),
    "dots": ("SELECT a" + ".a" * 700 + " FROM flights", "too-complex"),
    "casts": ("SELECT SUM(month" + "::INT" * 400 + ") FROM flights", "too-complex"),
    "AND": ("SELECT 1 WHERE " + " AND ".join(["month = 1"] * 300), "too-complex"),
    "UNION": (" UNION ALL ".join(["SELECT 1"] * 300), "too-complex"),
    "subqueries": ("SELECT * FROM " + "(SELECT * FROM " * 99 + "a" + ")" * 99, "too-complex"),
    "joins without ON": ("SELECT COUNT(*) FROM flights " + "JOIN flights " * 40, "too-complex"),
    "joins to be read again": (
        "SELECT COUNT(*) FROM flights " + "JOIN LATERAL (SELECT 1) " * 90, "too-complex"
    ),
    "a list of decimals": ("SELECT COUNT((SELECT [1.25, 2.5])) FROM flights", "unsupported-sql"),
    "an interval": ("SELECT INTERVAL '" + "9" * 16_000 + "' DAY", "too-complex"),
    "doubled names": (f"SELECT COUNT(*) AS a0, {COLUMNS} FROM flights", "too-complex"),
    "doubled values": (f"SELECT month AS a0, {COLUMNS}, SUM(a60) FROM flights", "too-complex"),
    "names in a circle": ("SELECT a AS b, b AS a, COUNT(*) FROM flights", "unknown-column"),
    "columns": ("SELECT " + "1, " * 700 + "1", "too-many-columns"),
    "digits": ("SELECT SUM(month * " + "9" * 15_000 + ") FROM flights", "range-too-large"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_text_is_refused_soon(name: str) -> None:
    text, code = BAD[name]
    bench().plan("SELECT COUNT(*) FROM flights")  # what is opened once is not the text's fault
    begun = time.process_time()
    with pytest.raises(QueryRefused) as caught:
        bench().plan(text)
    assert time.process_time() - begun < SECONDS
    assert caught.value.code == code
    assert caught.value.hint
