"""Rows as hostile as a sealed delivery may hold, and expressions bound over them, one by one.

Columns with declared bounds hold values at and between them; the others hold whatever their storage
can: the ends of 64 bits, texts that look like anything, dates at the ends of the engine's calendar.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import duckdb
from hypothesis import strategies as st
from sqlglot import exp

from queries.algebra.names import quoted
from queries.algebra.scalars import Exists, Scalar
from queries.bind.expressions import Expressions, Subqueries, measured
from queries.bind.scans import scanned
from queries.bind.scope import Scope, Visible
from queries.catalog.manifest import Manifest
from queries.catalog.storage import stored_columns
from queries.language.parse import parse
from queries.plan.lower.scalars import Scalars
from queries.plan.tables import stored
from tests.properties.clinic import clinic
from tests.properties.grammar import Words
from tests.properties.worlds import CLINIC, VISITS, Member

VALUES: dict[str, list[object]] = {
    "visit": [1, 5000, 17],
    "day": ["2019-11-01", "2020-02-29", "2020-03-31"],
    "seen": [None, "2019-11-01 00:00:00", "2020-03-31 23:59:59", "2020-02-29 12:34:56"],
    "kind": ["a", "b", "long word"],
    "cost": [None, -500, 2000, 0, 1, -1, 199],
    "score": [-5, 5, 0, 1, -1],
    "note": [
        None, "", " ", "a", "A%", "_", "\\", "'", "é\u0301", "\U0001f926\U0001f3fc", "x" * 3000,
        "9223372036854775807", "-9223372036854775808", "99999999999999999999", "1e308", "nan",
        "-inf", "0x10", "1.5", "true", "2020-02-30", "2020-01-15", "5881580-07-10", "infinity",
        "-infinity", "0044-03-15 (BC)", "290309-12-22 (BC) 00:00:00",
        "294247-01-10 04:00:54.775806",
        "epoch", "2020-01-01 25:00:00", "12:00",
    ],
    "loose": [None, 2**63 - 1, -(2**63), 0, 1, -1, 2**62, 2**31, -(2**31), 10**18],
    "far": [
        None, "5877642-06-25 (BC)", "5881580-07-10", "0001-01-01", "9999-12-31", "10000-01-01",
        "0001-12-31 (BC)", "294247-01-10", "294247-01-11", "1970-01-01",
    ],
    "ratio": [
        None, "nan", "inf", "-inf", "0", "-0.0", "1e308", "-1e308", "5e-324", "0.5", "1e18",
        "9223372036854775807",
    ],
    "urgent": [True, False],
}  # fmt: skip
SHARP = (
    "loose", "ratio", "loose * 2147483648", "-loose", "ABS(loose)", "loose // 0", "loose // -1",
    "loose % -1", "loose % 0", "loose // loose", "loose % loose", "loose + loose - loose",
    "loose * 1000000000", "ratio * ratio", "ratio / 0",
    "ratio - ratio", "1e308 * ratio * ratio", "ROUND(ratio, 15)", "ROUND(ratio, -15)",
    "FLOOR(ratio)", "CEIL(ratio * 1e308)", "CAST(ratio AS BIGINT)", "CAST(ratio AS TINYINT)",
    "CAST(ratio * 3 AS INTEGER)", "CAST(note AS BIGINT)", "CAST(note AS SMALLINT)",
    "CAST(note AS DOUBLE)", "CAST(loose AS TINYINT)", "CAST(cost / 7 AS BIGINT)",
    "CAST((loose + 1e18) - 1e18 AS BIGINT)", "CAST((score + 1e18) - 1e18 AS BIGINT) * 100000000",
    "CAST((cost + 1e18) - 1e18 AS BIGINT)", "ROUND(loose, -3)", "ROUND(loose * 1000, -15)",
    "ROUND(cost * 1.05, 1)", "ROUND(-cost, -3)", "FLOOR(cost * -1.1)", "CEIL(cost - 0.55)",
    "year(far)", "week(far)", "EXTRACT(isodow FROM far)", "dayofyear(far)", "quarter(far)",
    "year(CAST(note AS DATE))", "week(CAST(note AS TIMESTAMP))", "hour(CAST(note AS TIMESTAMP))",
    "second(CAST(far AS TIMESTAMP))", "date_diff('day', far, DATE '2020-01-01')",
    "date_diff('week', CAST(note AS TIMESTAMP), seen)", "date_diff('second', seen, far)",
    "date_diff('quarter', day, seen)", "seen - CAST(note AS TIMESTAMP) > INTERVAL 1 MONTH",
    "EXTRACT(hour FROM CAST(far AS TIMESTAMP) - seen)", "EXTRACT(epoch FROM far - seen)",
    "day - DATE '0001-01-01'", "LENGTH(note)",
    "LENGTH(note || note)", "LENGTH(SUBSTRING(note, -2147483647, 2147483647))",
    "LENGTH(LEFT(note, -2147483647))", "LENGTH(RIGHT(note, 0))", "LENGTH(TRIM(UPPER(note)))",
    "GREATEST(loose, NULL, 5)", "LEAST(ratio, 0.5, loose)", "NULLIF(score, 5)",
    "NULLIF(loose, -4611686018427387904)", "COALESCE(NULLIF(cost, 0), score, loose)",
    "cost / score", "cost * score * cost", "score / cost", "cost / (score + 6)",
    "CASE note WHEN 'a' THEN loose ELSE -loose END", "COALESCE(loose, 1) * COALESCE(score, 0)",
    "date_trunc('week', far)", "date_trunc('year', CAST(note AS TIMESTAMP))",
    "date_trunc('quarter', seen)", "CAST(far AS TIMESTAMP)",
    "CAST(CAST(note AS TIMESTAMP) AS DATE)",
    "seen + INTERVAL 1 MONTH", "day - INTERVAL 1 YEAR", "day + score", "day - score",
    "CAST(seen AS DATE)", "far < TIMESTAMP '2020-01-01'", "far = seen", "note < 'b'",
    "note LIKE '%a%b%c%'", "note ILIKE '_%'", "starts_with(note, kind)", "contains(note, kind)",
    "kind || note", "CONCAT(note, NULL, kind)", "note = kind", "COALESCE(kind, note)",
    "loose IN (1, NULL, 4611686018427387904)", "cost BETWEEN score AND loose",
    "ratio IS DISTINCT FROM loose", "NOT (ratio > 0.5)", "urgent AND note = 'a'",
    "sqrt(ratio)", "sqrt(cost)", "sqrt(-cost)", "ln(score)", "ln(loose)", "log(0.5, ratio)",
    "log2(cost + 51)", "log10(ratio)", "log(cost)", "exp(ratio)", "exp(score)", "exp(cost * 100)",
    "pow(score, 3)", "pow(cost, 2)", "pow(ratio, -0.5)", "score ** score", "pow(cost, 0.5)",
    "pow(loose, 400)", "cbrt(cost)", "sign(ratio)", "sign(loose)", "sign(cost - 201)",
    "sin(ratio)", "cos(loose)", "tan(score)", "cot(score)", "asin(cost)", "acos(ratio)",
    "atan(ratio)", "atan2(score, cost)", "degrees(cost)", "radians(ratio)", "pi() * cost",
    "gcd(loose, score)", "gcd(loose, loose)", "lcm(score, visit)", "divide(loose, score)",
    "loose & score", "loose | -1", "xor(loose, score)", "score & 3", "~loose", "visit << 40",
    "(visit & 7) >> 1", "trunc(cost / 7)", "trunc(cost)", "trunc(-cost, 1)", "trunc(loose, -3)",
    "trunc(ratio)", "width_bucket(cost, -10, 100.5, 7)", "width_bucket(ratio, 0, 1, 10)",
    "width_bucket(loose, 0, 1000000, 1000)", "floor(cost / 10) * 10", "floor(loose / 3)",
    "floor(score / 2)", "isnan(ratio)", "isfinite(ratio)", "isinf(loose)",
    "CAST(sqrt(cost) AS INTEGER)", "CAST(ln(score) AS BIGINT)", "CAST(exp(score) AS BIGINT)",
    "replace(note, 'a', 'aaaaaaaa')", "replace(note, '', 'x')", "reverse(note)",
    "split_part(note, '', -1)", "split_part(note, '.', 2147483647)", "strpos(note, kind)",
    "position('a' IN kind)", "strpos(note, '')", "lpad(note, 7, 'ab')", "rpad(kind, 1000, ' ')",
    "concat_ws('-', note, NULL, kind)", "ascii(note)", "unicode(note)", "ends_with(note, kind)",
    "suffix(note, '')", "prefix(kind, note)", "strip_accents(note)", "trim(note, 'x')",
    "translate(note, 'ax', '')", "regexp_matches(note, '(a+x?)*$')", "note ~ '[^a-z]'",
    "regexp_full_match(note, '\\d{1,4}.*', 'i')", "note SIMILAR TO 'x+'",
    "regexp_extract(note, '(.)(.)', 2)", "regexp_extract(note, 'z', 9)",
    "regexp_replace(note, '.', '--', 'g')", "LENGTH(regexp_replace(note, 'x*', 'yy', 'g'))",
    "isoyear(far)", "EXTRACT(decade FROM far)", "century(CAST(note AS DATE))", "yearweek(far)",
    "millennium(seen)", "EXTRACT(epoch FROM far)", "epoch(seen)", "millisecond(seen)",
    "EXTRACT(microseconds FROM CAST(note AS TIMESTAMP))", "date_trunc('decade', day)",
    "date_trunc('century', seen)", "date_trunc('millisecond', far)",
    "date_diff('century', far, day)", "date_diff('microsecond', far, seen)",
    "datesub('month', far, seen)", "datesub('year', day, far)", "datesub('week', seen, day)",
    "datesub('decade', far, CAST(note AS DATE))", "EXTRACT(year FROM age(seen, far))",
    "date_part('year', age(far, CAST(note AS DATE)))", "last_day(far)", "monthname(far)",
    "dayname(CAST(note AS TIMESTAMP))", "make_date(loose, score, visit)",
    "make_date(score * 2000, 2, visit % 32)", "make_date(year(far), month(far), day(far))",
    "make_date(NULL, 1, 1)", "make_date(2020 + score, 2, score)", "strftime(far, '%Y-%m')",
    "strftime(seen, '%A %d %B %H:%M:%S %j %y %p')", "strptime(note, '%Y-%m-%d')",
    "time_bucket(INTERVAL 5 DAY, seen)", "time_bucket(INTERVAL 3 MONTH, day)",
    "time_bucket(INTERVAL 1 WEEK, day)", "time_bucket(INTERVAL 15 MINUTE, seen)",
    "date_add(day, INTERVAL 3 MONTH)", "date_trunc('week', strptime(note, '%Y-%m-%d'))",
    "seen AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Paris'",
    "hour((seen AT TIME ZONE 'Asia/Tokyo') AT TIME ZONE 'UTC')",
    "day AT TIME ZONE 'America/New_York' AT TIME ZONE 'Pacific/Kiritimati'",
    "CAST(urgent AS INTEGER) * loose", "CAST(loose AS VARCHAR)", "CAST(seen AS VARCHAR)",
)  # fmt: skip
MEMBER = Member("visits", "v", VISITS, "person")


@cache
def manifest() -> Manifest:
    return clinic().manifest


@cache
def engine() -> duckdb.DuckDBPyConnection:
    """An engine that holds the hostile rows, stored as registration stores them."""
    made = duckdb.connect(config={"threads": 1})
    kinds = dict(stored(manifest(), ["visits"]))["visits"]
    columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in kinds)
    made.execute(f"CREATE TABLE visits ({columns})")
    chance = random.Random(3)
    names = [name for name, _ in kinds][2:]
    most = max(len(values) for values in VALUES.values())
    rows = [[VALUES[name][n % len(VALUES[name])] for name in names] for n in range(most)]
    rows += [[chance.choice(VALUES[name]) for name in names] for _ in range(600)]
    slots = ", ".join(f"CAST(? AS {kind})" for _, kind in kinds)
    made.executemany(
        f"INSERT INTO visits SELECT {slots}", [[n, 0, *row] for n, row in enumerate(rows)]
    )
    table = manifest().table("visits")
    assert table is not None
    assert names == [column.name for column in stored_columns(table)]
    return made


class NoSubqueries:
    """Expressions here stand alone."""

    def exists(self, query: exp.Expr, scope: Scope, member: Scalar | None) -> Exists:
        raise AssertionError("no subquery is drawn")


@dataclass(frozen=True, slots=True)
class BoundText:
    """A bound expression and its engine text over the table alias it reads."""

    scalar: Scalar
    text: str

    def all(self, shown: str, where: str = "TRUE") -> list[tuple[Any, ...]]:
        return engine().execute(f"SELECT {shown} {self.source} WHERE {where}").fetchall()

    @property
    def source(self) -> str:
        return 'FROM visits AS "t0"'


def scope() -> Scope:
    table = manifest().table("visits")
    assert table is not None
    _, columns = scanned(table, 0, manifest(), {})
    return Scope((Visible("v", columns),))


def writer() -> Scalars:
    made = Scalars(cast(Callable[[Exists], str], None))
    made.alias(0)
    return made


def bound(expression: str, *, condition: bool = False) -> BoundText:
    """The expression over visits; raises a QueryRefused."""
    select = parse(f"SELECT {expression} FROM visits v")
    node = select.expressions[0].unalias()
    binder = Expressions(scope(), cast(Subqueries, NoSubqueries()))
    scalar = binder.predicate(node) if condition else binder.value(node)
    measured(scalar, node)
    return BoundText(scalar, writer().write(scalar))


@st.composite
def expressions(draw: Callable[[st.SearchStrategy[object]], object]) -> str:
    """Any expression over visits, with sharp ones among its parts."""
    words = Words(draw, CLINIC, (MEMBER,))
    deep = words.pick((1, 2, 2, 3))
    forms: list[Callable[[], str]] = [
        lambda: words.number(deep, ranged=words.maybe(2)),
        lambda: words.number(deep, ranged=True),
        lambda: words.words(1),
        lambda: words.truth(2),
        lambda: words.moment(1),
        lambda: words.part(),
        lambda: words.pick(SHARP),
        lambda: f"COALESCE(({words.pick(SHARP)}), ({words.pick(SHARP)}))",
        lambda: f"(({words.pick(SHARP)}) {words.pick('+-*')} ({words.number(1, ranged=False)}))",
        lambda: f"(({words.pick(SHARP)}) {words.pick(('<', '=', '>='))} ({words.pick(SHARP)}))",
        lambda: f"ROUND(({words.pick(SHARP)}), {words.pick((-1, 0, 2))})",
        lambda: f"CAST(({words.pick(SHARP)}) AS {words.pick(('INTEGER', 'BIGINT', 'DOUBLE'))})",
        lambda: f"ABS(({words.pick(SHARP)}) - ({words.number(0, ranged=True)}))",
    ]
    return words.pick(forms)()


def conditions() -> st.SearchStrategy[str]:
    """Conjunctions, as WHERE holds them."""

    @st.composite
    def drawn(draw: Callable[[st.SearchStrategy[object]], object]) -> str:
        words = Words(draw, CLINIC, (MEMBER,))
        return " AND ".join(words.truth(1) for _ in range(words.pick((1, 2, 3))))

    return drawn()
