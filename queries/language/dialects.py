"""Other dialects: translated to DuckDB's SQL, which is then read, limited and bound as always.

sqlglot writes what it does not know, or what means something else, as it stands; so only nodes on
the list below are translated, and each trap between two dialects is guarded or refused here:
whole division, means of whole numbers, weeks and weekdays, differences that count whole units,
casts that cut off, and escapes in patterns. The types of columns come from the manifest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from queries.language.backtracking import parsed
from queries.language.limits import check_text, check_tokens, check_tree
from queries.language.parse import only_query, place
from queries.language.refusals import DialectDiffers, Malformed, TooComplex, UnknownDialect

DIALECT = "duckdb"
DIALECTS = ("duckdb", "postgres", "tsql", "spark", "bigquery", "mysql", "trino")
WHOLE, DECIMAL, REAL = "whole", "decimal", "real"
Kinds = Mapping[str, str]
"""What the manifest says of columns by lower-case name; names with several types are left out."""

SAME = frozenset(
    """
    Abs Add Alias And ApproxDistinct ApproxQuantile Array Avg Between Boolean CTE Case Cast
    Ceil Coalesce Column Concat Contains Corr Count CountIf CovarPop CovarSamp Cube CumeDist
    CurrentDate CurrentTimestamp DPipe DataType DataTypeParam Date DateAdd DateDiff DateSub
    DateTrunc Day DayOfMonth DayOfWeekIso DayOfYear DenseRank Distinct Div EQ Except Exists
    Exp Extract Filter FirstValue Floor From GT GTE Greatest Group GroupingSets Having Hour
    ILike Identifier If In IntDiv Intersect Interval Is Join LT LTE Lag LastDay LastValue Lead
    Least Left Length Like Limit Literal Ln Log Lower Max Median Min Minute Mod Month Mul NEQ
    Neg Not Ntile Null NullSafeEQ NullSafeNEQ Nullif Offset Or Order Ordered Paren PercentRank
    PercentileCont PercentileDisc Pow Qualify Quantile Quarter Rank RawString RegexpILike
    RegexpLike Replace Reverse Right Rollup Round RowNumber SafeDivide Select Sign Sqrt Star
    StartsWith Stddev StddevPop StddevSamp StrPosition Sub Subquery Substring Sum Table
    TableAlias TimeStrToTime TimeToStr TimestampTrunc Trim TryCast TsOrDsAdd TsOrDsToDate
    TsOrDsToTimestamp Tuple Union Upper Values Var Variance VariancePop WeekOfYear Where
    Window WindowSpec With WithinGroup Year YearOfWeek
    """.split()  # noqa: SIM905
)
"""The syntax that means the same in every dialect, but for what the traps below say."""
PARTS = frozenset({"YEAR", "QUARTER", "MONTH", "DAY", "HOUR", "MINUTE", "DOY", "DAYOFYEAR"})
CUTS = frozenset({"YEAR", "QUARTER", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"})
ISO_WEEKS = frozenset({"postgres", "trino", "spark"})
FORMAT = re.compile(r"(%-?[YymdHMSBbjAapI]|[^a-zA-Z%]|T)*")
WHOLE_TYPES = frozenset(exp.DataType.INTEGER_TYPES)
SCHEMAS = {"postgres": "public", "tsql": "dbo"}


def translated(text: str, dialect: str, kinds: Kinds) -> str:
    """The same query in DuckDB's SQL; raises a QueryRefused."""
    if dialect not in DIALECTS:
        known = ", ".join(DIALECTS)
        raise UnknownDialect(f"There is no dialect {dialect[:40]} here; there are {known}.")
    if dialect == DIALECT:
        return text
    check_text(text)
    try:
        tokens = sqlglot.tokenize(text, read=dialect)
        check_tokens(tokens)
        tree = only_query(parsed(tokens, text, dialect))
        check_tree(tree)
        _Traps(dialect, _known(tree, kinds)).check(tree)
        return str(tree.sql(dialect=DIALECT, unsupported_level=ErrorLevel.RAISE, comments=False))
    except SqlglotError:
        raise Malformed(f"The statement is not valid SQL of {dialect}.") from None
    except RecursionError:
        raise TooComplex("The statement is nested too deeply.") from None


def _known(tree: exp.Expr, kinds: Kinds) -> Kinds:
    """The columns whose type is sure: no name of the query's own stands for something else."""
    own = {found.alias.lower() for found in tree.find_all(exp.Alias)}
    for alias in tree.find_all(exp.TableAlias):
        own.update(column.name.lower() for column in alias.columns)
    return {name: kind for name, kind in kinds.items() if name not in own}


class _Traps:
    """The differences between one dialect and DuckDB, found node by node."""

    def __init__(self, dialect: str, kinds: Kinds) -> None:
        self.dialect = dialect
        self.kinds = kinds

    def check(self, tree: exp.Expr) -> None:
        """Refuse or rewrite, in place, what would mean something else; raises DialectDiffers."""
        for node in list(tree.walk(bfs=True)):
            if type(node).__name__ not in SAME:
                raise self._refusal(node, f"{node.key.upper()} is not translated", None)
            case = CASES.get(type(node))
            if case is not None:
                case(self, node)

    def _refusal(self, node: exp.Expr, what: str, hint: str | None) -> DialectDiffers:
        return DialectDiffers(f"{what} from {self.dialect}.", position=place(node), hint=hint)

    def division(self, node: exp.Div) -> None:
        """Whole numbers divide to whole ones in some dialects, and decimals to few places."""
        if not node.args.get("typed"):
            return
        left, right = self.kind(node.this), self.kind(node.expression)
        if left == right == WHOLE:
            node.replace(exp.IntDiv(this=node.this, expression=node.expression))
        elif REAL not in (left, right):
            known = None not in (left, right) or self.dialect == "postgres"
            sure = DECIMAL in (left, right) and known
            if not sure or self.dialect == "trino":
                hint = "Write CAST(a AS DOUBLE PRECISION) / b, or a / b in DuckDB's own SQL."
                raise self._refusal(node, "This division is not translated", hint)

    def mean(self, node: exp.Avg) -> None:
        """T-SQL's mean of whole numbers is a whole number."""
        if self.dialect == "tsql" and self.kind(node.this) not in (DECIMAL, REAL):
            raise self._refusal(
                node, "A mean of whole numbers is not translated", "AVG(CAST(x AS FLOAT))"
            )

    def power(self, node: exp.Pow) -> None:
        """T-SQL's power has the type of its base."""
        if self.dialect == "tsql" and self.kind(node.this) != REAL:
            raise self._refusal(node, "This power is not translated", "POWER(CAST(x AS FLOAT), y)")

    def cast(self, node: exp.Cast) -> None:
        """FLOAT is a double in some dialects; some cut off where DuckDB rounds."""
        target = node.args["to"]
        if target.this is exp.DType.FLOAT and self.dialect in ("tsql", "postgres"):
            target.set("this", exp.DType.DOUBLE)
        cuts = self.dialect in ("tsql", "spark") and target.this in WHOLE_TYPES
        if cuts and self.kind(node.this) != WHOLE and not _text(node.this):
            hint = "Write FLOOR(x) or ROUND(x, 0) inside the cast of a whole number."
            raise self._refusal(node, "A cast that cuts off decimals is not translated", hint)

    def part(self, node: exp.Extract) -> None:
        word = node.this.name.upper()
        iso = self.dialect in ("postgres", "trino") and word in ("WEEK", "ISOYEAR")
        own = self.dialect == "postgres" and word in ("DOW", "ISODOW", "EPOCH")
        if word not in PARTS and not iso and not own:
            raise self._refusal(node, f"The part {word} of a date is not translated", None)

    def cut(self, node: exp.Expr) -> None:
        word = node.args["unit"].name.upper() if node.args.get("unit") is not None else ""
        if word not in CUTS and not (word == "WEEK" and self.dialect in ISO_WEEKS):
            raise self._refusal(node, f"A cut to {word or 'this unit'} is not translated", None)

    def difference(self, node: exp.DateDiff) -> None:
        """Boundaries, as DuckDB counts them, or whole days of dates; not whole units."""
        unit = node.args.get("unit")
        word = "" if unit is None else unit.name.upper()
        counted = self.dialect in ("tsql", "bigquery") and word in CUTS
        if not counted and not (self.dialect in ("mysql", "spark") and word in ("", "DAY")):
            hint = "Write date_diff in DuckDB's own SQL, which counts the boundaries passed."
            raise self._refusal(node, "This difference is not translated", hint)

    def pattern(self, node: exp.Expr) -> None:
        """Some dialects read a backslash in LIKE as an escape, DuckDB as itself."""
        if "\\" in node.expression.name:
            raise self._refusal(node, "A backslash in LIKE is not translated", None)

    def length(self, node: exp.Length) -> None:
        if self.dialect == "mysql" and node.args.get("binary"):
            raise self._refusal(node, "A length in bytes is not translated", "CHAR_LENGTH(x)")
        node.set("binary", None)
        if self.dialect == "tsql":
            inner = node.this.this if isinstance(node.this, exp.Cast) else node.this
            node.set("this", exp.Trim(this=inner.copy(), position="TRAILING"))

    def substring(self, node: exp.Substring) -> None:
        start = node.args.get("start")
        plain = isinstance(start, exp.Literal) and start.name != "0"
        if not plain and self.dialect != "postgres":
            raise self._refusal(node, "A text before its first character is not translated", None)

    def rounding(self, node: exp.Round) -> None:
        if node.args.get("truncate") is not None:
            raise self._refusal(node, "ROUND that cuts off is not translated", "TRUNC in DuckDB")

    def written(self, node: exp.TimeToStr) -> None:
        form = node.args["format"]
        shown = form.name.replace("strict", "")  # the parser's own mark of a padded number
        if not isinstance(form, exp.Literal) or FORMAT.fullmatch(shown) is None:
            raise self._refusal(node, "This format of a date is not translated", None)

    def weekday(self, node: exp.Expr) -> None:
        if self.dialect not in ("trino", "spark", "mysql") or (
            isinstance(node, exp.DayOfWeekIso) and self.dialect != "trino"
        ):
            raise self._refusal(node, "Weeks and weekdays are not translated", None)

    def group(self, node: exp.Group) -> None:
        """GROUP BY a, b WITH ROLLUP is GROUP BY ROLLUP (a, b)."""
        for name in ("rollup", "cube"):
            found = node.args.get(name)
            if found and not found[0].expressions:
                found[0].set("expressions", node.expressions)
                node.set("expressions", [])

    def ordered(self, node: exp.WithinGroup) -> None:
        """A quantile of what WITHIN GROUP orders by; DuckDB counts a negative one from above."""
        order = node.expression
        keys = order.expressions if isinstance(order, exp.Order) else []
        if not isinstance(node.this, exp.PERCENTILES) or len(keys) != 1:
            raise self._refusal(node, "This WITHIN GROUP is not translated", None)
        share = _from_above(node.this.this) if keys[0].args.get("desc") else node.this.this
        node.replace(type(node.this)(this=keys[0].this, expression=share))

    def quantile(self, node: exp.Quantile) -> None:
        """Spark's percentile lies between two values where none is at the place."""
        if self.dialect != "spark":
            raise self._refusal(node, "This quantile is not translated", "PERCENTILE_CONT")
        node.replace(exp.PercentileCont(this=node.this, expression=node.args["quantile"]))

    def about(self, node: exp.ApproxQuantile) -> None:
        """How exact a quantile is to be is for the privacy loss to say."""
        if node.args.get("weight") is not None:
            raise self._refusal(node, "A weighted quantile is not translated", None)
        node.set("accuracy", None)
        node.set("error_tolerance", None)

    def table(self, node: exp.Table) -> None:
        if node.db and node.db.lower() == SCHEMAS.get(self.dialect) and not node.catalog:
            node.set("db", None)

    def kind(self, node: exp.Expr) -> str | None:
        """Whether a number is surely whole, decimal or real in this dialect; None if unsure."""
        match node:
            case exp.Literal() if not node.is_string:
                real = "e" in node.name.lower()
                return REAL if real else DECIMAL if "." in node.name else WHOLE
            case exp.Column():
                return self.kinds.get(node.name.lower())
            case exp.Paren() | exp.Neg() | exp.Abs() | exp.Filter() | exp.Window():
                return self.kind(node.this)
            case exp.Add() | exp.Sub() | exp.Mul():
                return self._wider(self.kind(node.this), self.kind(node.expression))
            case exp.Div():
                typed = node.args.get("typed")
                found = self._wider(self.kind(node.this), self.kind(node.expression))
                return found if typed else REAL
            case exp.Count() | exp.CountIf() | exp.IntDiv() | exp.ApproxDistinct():
                return WHOLE
            case exp.Cast() | exp.TryCast():
                return _cast_kind(node.args["to"].this)
            case exp.Sqrt() | exp.Ln() | exp.Exp() | exp.Stddev() | exp.StddevSamp():
                return REAL
            case exp.Avg():
                return self._mean_kind(self.kind(node.this))
            case exp.Coalesce() | exp.Nullif():
                parts = [node.this, *node.expressions]
                return self._all([self.kind(part) for part in parts])
            case exp.Case():
                ends = [branch.args["true"] for branch in node.args["ifs"]]
                ends += [node.args["default"]] if node.args.get("default") is not None else []
                return self._all([self.kind(end) for end in ends])
            case exp.Sum():
                return self._sum_kind(self.kind(node.this), counts=isinstance(node.this, exp.Count))
        return None

    def _mean_kind(self, kind: str | None) -> str | None:
        if self.dialect == "tsql":
            return kind
        return REAL if self.dialect == "trino" and kind in (WHOLE, REAL) else DECIMAL

    def _sum_kind(self, kind: str | None, *, counts: bool) -> str | None:
        """PostgreSQL's sum of big integers is decimal; counts are such, of others it is unknown."""
        if self.dialect != "postgres" or kind != WHOLE:
            return kind
        return DECIMAL if counts else None

    def _wider(self, left: str | None, right: str | None) -> str | None:
        if REAL in (left, right):
            return REAL
        return None if None in (left, right) else DECIMAL if DECIMAL in (left, right) else WHOLE

    def _all(self, kinds: list[str | None]) -> str | None:
        return kinds[0] if len(set(kinds)) == 1 else None


def _cast_kind(kind: exp.DType) -> str | None:
    if kind in WHOLE_TYPES:
        return WHOLE
    if kind is exp.DType.DECIMAL:
        return DECIMAL
    return REAL if kind in (exp.DType.DOUBLE, exp.DType.FLOAT) else None


def _from_above(share: exp.Expr) -> exp.Expr:
    """A share counted from the greatest value; a list of them, each."""
    if isinstance(share, exp.Array):
        return exp.Array(expressions=[_from_above(one) for one in share.expressions])
    least = isinstance(share, exp.Literal) and not share.is_string and float(share.name) == 0
    return exp.Literal.number(1) if least else exp.Neg(this=share.copy())


def _text(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and node.is_string


CASES: dict[type[exp.Expr], Callable[..., None]] = {
    exp.Div: _Traps.division, exp.Avg: _Traps.mean, exp.Pow: _Traps.power, exp.Cast: _Traps.cast,
    exp.TryCast: _Traps.cast, exp.Extract: _Traps.part, exp.TimestampTrunc: _Traps.cut,
    exp.DateTrunc: _Traps.cut, exp.DateDiff: _Traps.difference, exp.Like: _Traps.pattern,
    exp.ILike: _Traps.pattern, exp.Length: _Traps.length, exp.Substring: _Traps.substring,
    exp.Round: _Traps.rounding, exp.TimeToStr: _Traps.written, exp.WeekOfYear: _Traps.weekday,
    exp.DayOfWeekIso: _Traps.weekday, exp.Table: _Traps.table, exp.Group: _Traps.group,
    exp.WithinGroup: _Traps.ordered, exp.Quantile: _Traps.quantile,
    exp.ApproxQuantile: _Traps.about,
}  # fmt: skip
