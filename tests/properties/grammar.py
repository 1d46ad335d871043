"""Expressions of the accepted language, drawn by hypothesis: each kind from the binder's cases.

What DuckDB fails on (a cast that does not fit) is drawn too seldom to matter and skipped when it
happens: the gateway answers NULL there. Left out are real keys that are not finite, which the
gateway counts as NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hypothesis import strategies as st

from tests.properties.worlds import BOOL, DATE, NUMBER, TEXT, TIME, Col, Member, World

Chosen = TypeVar("Chosen")
PARTS = (
    "year", "quarter", "month", "week", "day", "dayofweek", "isodow", "dayofyear", "isoyear",
    "decade", "century", "millennium", "yearweek", "epoch",
)  # fmt: skip
HOURS = ("hour", "minute", "second", "millisecond", "microsecond")
SHOWN = ("day", "hour", "minute", "second")
SPANS = ("'7 days'", "36 HOUR", "2 MONTH")
UNITS = ("year", "quarter", "month", "week", "day", "decade", "century")
SIGNS = ("=", "<>", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Words:
    """Draws expressions over the members of one FROM."""

    draw: Callable[[st.SearchStrategy[object]], object]
    world: World
    members: tuple[Member, ...]

    def pick(self, among: Sequence[Chosen]) -> Chosen:
        return among[self.draw(st.integers(0, len(among) - 1))]  # type: ignore[call-overload,no-any-return]

    def maybe(self, of: int) -> bool:
        """True about one time in `of`."""
        return self.pick(range(of)) == 0

    def column(self, kind: str, *, ranged: bool = False, listed: bool = False) -> tuple[str, Col]:
        found = [
            (f"{member.alias}.{col.name}", col)
            for member in self.members
            for col in member.cols
            if col.kind == kind and (col.ranged or not ranged) and (col.listed or not listed)
        ]
        return self.pick(found) if found else (self.literal(kind), Col("", kind))

    def has(self, kind: str) -> bool:
        return any(col.kind == kind for member in self.members for col in member.cols)

    def literal(self, kind: str) -> str:
        match kind:
            case "text":
                return self.pick(("'a'", "'long word'", "''", "'%'"))
            case "bool":
                return self.pick(("TRUE", "FALSE"))
            case "date":
                return "DATE '2020-01-01'"
            case "time":
                return "TIMESTAMP '2013-02-01 00:00:00'"
        return self.pick(("0", "1", "-3", "2", "0.5", "10", "1.21", "100"))

    def sample(self, col: Col) -> str:
        return self.pick(col.samples) if col.samples else self.literal(col.kind)

    def number(self, depth: int, *, ranged: bool) -> str:
        """A number; with `ranged` one whose range can be proved."""
        if depth <= 0:
            return self.column(NUMBER, ranged=ranged)[0]
        one = self.number(depth - 1, ranged=ranged)
        forms: list[Callable[[], str]] = [
            lambda: one,
            lambda: f"({one} {self.pick('+-')} {self.number(depth - 1, ranged=ranged)})",
            lambda: f"({one} * {self.number(0, ranged=ranged)})",
            lambda: f"({one} {self.pick('+-*')} {self.literal(NUMBER)})",
            lambda: f"({one} / {self.pick(('2', '3', '0.5', '12'))})",
            lambda: f"(CAST({one} AS BIGINT) // {self.pick(('2', '-3', '7'))})",
            lambda: f"({one} % {self.pick(('2', '3', '-7', '2.5'))})",
            lambda: f"(- {one})",
            lambda: f"ABS({one})",
            lambda: f"ROUND({one}{self.pick(('', ', 1', ', 0', ', -1', ', 2'))})",
            lambda: f"{self.pick(('FLOOR', 'CEIL'))}({one})",
            lambda: f"COALESCE({one}, {self.literal(NUMBER)})",
            lambda: f"NULLIF({one}, {self.literal(NUMBER)})",
            lambda: f"{self.pick(('LEAST', 'GREATEST'))}({one}, {self.number(0, ranged=ranged)})",
            lambda: f"CASE WHEN {self.truth(depth - 1)} THEN {one} "
                    f"ELSE {self.number(0, ranged=ranged)} END",
            lambda: f"CASE WHEN {self.truth(depth - 1)} THEN {one} END",
            lambda: f"IF({self.truth(depth - 1)}, {one}, {self.literal(NUMBER)})",
            lambda: f"CAST({one} AS {self.pick(('INTEGER', 'BIGINT', 'DOUBLE'))})",
            lambda: f"TRY_CAST({one} AS {self.pick(('TINYINT', 'SMALLINT', 'INTEGER'))})",
            lambda: f"CAST({self.truth(0)} AS INTEGER)",
            lambda: self.part(),
            lambda: self.apart(),
            lambda: self._function(one),
            lambda: self._bits(one),
            lambda: one if ranged else f"LENGTH({self.words(1)})",
        ]  # fmt: skip
        return self.pick(forms)()

    def _function(self, one: str) -> str:
        """A function of a number; its argument is kept where it is defined."""
        return self.pick(
            (f"sqrt(ABS({one}))", f"cbrt({one})", f"ln(ABS({one}) + 1)", f"log2(ABS({one}) + 0.5)",
             f"log10(ABS({one}) + 1)", f"exp(- ABS({one}) / 100)", f"pow({one}, 2)",
             f"SIGN({one})", f"TRUNC({one})", f"(floor({one} / 10) * 10)", f"sin({one})",
             f"atan({one})", f"degrees({one})", f"(pi() * {one})")
        )  # fmt: skip

    def _bits(self, one: str) -> str:
        whole = f"CAST({one} AS BIGINT)"
        return self.pick(
            (f"({whole} & 7)", f"({whole} | 3)", f"xor({whole}, 5)", f"(~ {whole})",
             f"gcd({whole}, 6)", f"(({whole} & 15) << 2)", f"(({whole} & 15) >> 1)")
        )  # fmt: skip

    def part(self) -> str:
        if self.has(TIME) and self.maybe(2):
            moment, parts = self.column(TIME)[0], PARTS + HOURS
        else:
            moment, parts = self.column(DATE)[0], PARTS
        part = self.pick(parts)
        return self.pick(
            (
                f"EXTRACT({part} FROM {moment})",
                f"{part}({moment})",
                f"date_part('{part}', {moment})",
            )
        )

    def apart(self) -> str:
        unit = self.pick((*UNITS, "hour"))
        first, second = self.moment(0), self.moment(0)
        days = f"({self.column(DATE, ranged=True)[0]} - {self.literal(DATE)})"
        return self.pick(
            (f"date_diff('{unit}', {first}, {second})", days,
             f"datesub('{unit}', {first}, {second})",
             f"EXTRACT(year FROM age({first}, {second}))",
             f"EXTRACT({self.pick(SHOWN)} FROM CAST({first} AS TIMESTAMP) - {second})",
             f"CAST({first} - CAST({second} AS TIMESTAMP) > INTERVAL {self.pick(SPANS)} AS INT)")
        )  # fmt: skip

    def moment(self, depth: int) -> str:
        """A date or timestamp with a range."""
        kind = self.pick([k for k in (DATE, TIME) if self.has(k)] or [DATE])
        one = self.column(kind, ranged=True)[0]
        if depth <= 0:
            return one
        moved = f"INTERVAL {self.pick(('1 MONTH', '3 DAY', '2 WEEK', '1 YEAR'))}"
        return self.pick(
            (one, f"date_trunc('{self.pick(UNITS)}', {one})", f"({one} {self.pick('+-')} {moved})",
             f"CAST({one} AS {self.pick(('DATE', 'TIMESTAMP'))})", f"last_day({one})",
             f"time_bucket(INTERVAL {self.pick(('5 DAY', '2 MONTH', '1 WEEK'))}, {one})",
             f"make_date(year({one}), month({one}), 1)")
        )  # fmt: skip

    def words(self, depth: int) -> str:
        """A text."""
        one = self.column(TEXT)[0]
        if depth <= 0:
            return one
        forms = (
            f"UPPER({one})", f"LOWER({one})", f"TRIM({one})", f"SUBSTRING({one}, 1, 2)",
            f"LEFT({one}, 1)", f"RIGHT({one}, 2)", f"({one} || 'x')", f"CONCAT({one}, '-')",
            f"COALESCE({one}, 'none')", f"NULLIF({one}, 'a')",
            f"CASE WHEN {self.truth(depth - 1)} THEN {one} ELSE 'other' END",
            f"CASE {one} WHEN {self.literal(TEXT)} THEN 'first' ELSE 'rest' END",
            f"CAST({self.truth(0)} AS VARCHAR)", f"GREATEST({one}, 'b')",
            f"REPLACE({one}, 'o', '00')", f"REVERSE({one})", f"split_part({one}, 'o', 2)",
            f"lpad({one}, 4, '-')", f"rpad({one}, 2, ' ')", f"TRANSLATE({one}, 'ao', 'x')",
            f"concat_ws('-', {one}, 'z')", f"regexp_extract({one}, '([a-z])(.)', 2)",
            f"regexp_replace({one}, '[aeiou]', '_', 'g')", f"TRIM({one}, 'a')",
            self._name_of(),
        )  # fmt: skip
        return self.pick(forms)

    def _name_of(self) -> str:
        """A moment in words."""
        if not (self.has(DATE) or self.has(TIME)):
            return "'none'"
        one = self.moment(0)
        shown = self.pick(("%Y-%m", "%B", "%Y week %V", "%H h", "%d/%m"))
        return self.pick((f"monthname({one})", f"dayname({one})", f"strftime({one}, '{shown}')"))

    def truth(self, depth: int) -> str:
        """A condition."""
        forms: list[Callable[[], str]] = [
            self._compared, self._compared, self._between, self._listed, self._null, self._like,
        ]  # fmt: skip
        if depth > 0:
            forms += [
                lambda: f"({self.truth(depth - 1)} AND {self.truth(depth - 1)})",
                lambda: f"({self.truth(depth - 1)} OR {self.truth(depth - 1)})",
                lambda: f"(NOT {self.truth(depth - 1)})",
                lambda: f"({self.truth(depth - 1)} IS {self.pick(('TRUE', 'FALSE', 'NOT TRUE'))})",
                lambda: f"({self.number(1, ranged=False)} {self.pick(SIGNS)} "
                        f"{self.literal(NUMBER)})",
                lambda: f"({self.moment(1)} {self.pick(SIGNS)} {self.literal(DATE)})",
                lambda: f"({self.words(1)} {self.pick(SIGNS)} {self.literal(TEXT)})",
            ]  # fmt: skip
        return self.pick(forms)()

    def _any(self) -> tuple[str, Col]:
        kinds = [kind for kind in (NUMBER, TEXT, DATE, TIME) if self.has(kind)]
        return self.column(self.pick(kinds))

    def _compared(self) -> str:
        if self.has(BOOL) and self.maybe(5):
            return self.column(BOOL)[0]
        name, col = self._any()
        same = self.maybe(3)
        other = self.column(col.kind)[0] if same else self.sample(col)
        signs = (*SIGNS, "IS DISTINCT FROM", "IS NOT DISTINCT FROM")
        return f"({name} {self.pick(signs)} {other})"

    def _between(self) -> str:
        name, col = self._any()
        return f"({name} BETWEEN {self.sample(col)} AND {self.sample(col)})"

    def _listed(self) -> str:
        name, col = self._any()
        null = self.pick(("", "", "", ", NULL"))
        word = self.pick(("IN", "NOT IN"))
        return f"({name} {word} ({self.sample(col)}, {self.sample(col)}{null}))"

    def _null(self) -> str:
        return f"({self._any()[0]} IS {self.pick(('NULL', 'NOT NULL'))})"

    def _like(self) -> str:
        pattern = self.pick(("a%", "%o%", "_", "%", "A", "x'%"))
        if self.maybe(2):
            return self._matched()
        word = self.pick(("LIKE", "ILIKE", "NOT LIKE"))
        return f"({self.column(TEXT)[0]} {word} '{pattern.replace(chr(39), chr(39) * 2)}')"

    def _matched(self) -> str:
        one = self.column(TEXT)[0]
        return self.pick(
            (f"({one} ~ '^[a-m]')", f"({one} SIMILAR TO '.{{1,2}}')", f"ends_with({one}, 'd')",
             f"regexp_matches({one}, 'O|x', 'i')", f"(strpos({one}, 'o') > 1)",
             f"starts_with({one}, 'l')")
        )  # fmt: skip

    def condition(self) -> str:
        """A condition of WHERE, now and then with a subquery."""
        aliases = {member.alias for member in self.members}
        inside = [text for alias, text in self.world.inside if alias in aliases]
        if inside and self.maybe(4):
            return self.pick(inside)
        return self.truth(self.pick((0, 1, 1, 2)))

    def key(self) -> str:
        """An expression to group by."""
        forms: list[Callable[[], str]] = [
            lambda: self.column(TEXT, listed=True)[0],
            lambda: self.column(TEXT, listed=True)[0],
            lambda: self.words(1),
            lambda: self.truth(1),
            lambda: f"CAST({self.column(NUMBER, ranged=True)[0]} AS BIGINT) // 50",
            lambda: f"CASE WHEN {self.truth(0)} THEN 'one' WHEN {self.truth(0)} THEN 'two' END",
        ]
        if self.has(DATE) or self.has(TIME):
            forms += [self.part, lambda: self.moment(1)]
        return self.pick(forms)()
