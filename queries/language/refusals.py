"""Refusals of a query: decided from public facts, so each one explains itself.

    QueryRefused
        EmptyStatement, Malformed, SeveralStatements, NotASelect, TooComplex    the text
        UnknownDialect, DialectDiffers                                          the translation
        UnknownTable, UnknownColumn, AmbiguousColumn                            the names
        UnsupportedSql, UnsupportedFunction, TypeMismatch, NotGrouped,          the language
        SeveralRows
        NotAnAggregate, NamesPersons, UnitCompared, AcrossUnits,                the privacy unit
        JoinNotOnUnit, PublicRowsKept
        UnboundedColumn, TooManyRowsPerUnit, RangeTooLarge                      the bounds
        KeysNeedDelta, TooManyGroups, TooManyColumns, PriceTooSmall             the release
        UnknownBound, BoundTooWide                                              the options
        NotBound                                              what stands above the aggregates

No refusal knows an HTTP status; the gateway maps classes to problems.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the analyst's text, both counted from 1."""

    line: int
    column: int


class QueryRefused(Exception):
    """The query cannot be answered; the text says why and `hint` what to do about it.

    The planner adds `excerpt`, the line of the text with a caret under the place, and `rewrite`, a
    question near to this one that is answered, where it finds one; `translation` is the text that
    the place lies in where the analyst's own is of another dialect.
    """

    code = "refused"
    rule = ""
    way_out: str | None = None

    def __init__(
        self, message: str, *, position: Position | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.hint = hint or self.way_out
        self.excerpt: str | None = None
        self.rewrite: str | None = None
        self.translation: str | None = None


class EmptyStatement(QueryRefused):
    """The text holds no statement."""

    code = "empty-statement"
    way_out = "Send one SELECT statement."


class Malformed(QueryRefused):
    """The text is not valid SQL."""

    code = "malformed-sql"
    way_out = "Write it as DuckDB would accept it."


class SeveralStatements(QueryRefused):
    """The text holds more than one statement."""

    code = "several-statements"
    way_out = "Send each statement in a request of its own."


class NotASelect(QueryRefused):
    """The statement is not a query."""

    code = "not-a-select"
    rule = "P20"
    way_out = "Ask with SELECT; data cannot be changed and the engine cannot be configured here."


class TooComplex(QueryRefused):
    """The statement is over one of the limits on size, nesting, tables or lists."""

    code = "too-complex"
    way_out = "Split the question, or join a public table instead of listing many values."


class UnknownDialect(QueryRefused):
    """options.dialect names no dialect that is translated."""

    code = "unknown-dialect"
    way_out = "Leave it out and write DuckDB's SQL, or name one of those."


class DialectDiffers(QueryRefused):
    """Translated to DuckDB's SQL this part of the statement would mean something else."""

    code = "dialect-differs"
    way_out = "Write this part so that it means the same everywhere, or send DuckDB's SQL."


class UnknownTable(QueryRefused):
    """No table of that name is visible to this caller."""

    code = "unknown-table"
    way_out = "GET /v1/datasets/{dataset} lists the tables you may ask about."


class UnknownRelease(QueryRefused):
    """No release of that id may be read by this caller."""

    code = "unknown-release"
    way_out = "GET /v1/projects/{project}/queries lists what this project has released."


class UnknownColumn(QueryRefused):
    """No column of that name is visible to this caller in the tables of the query."""

    code = "unknown-column"
    way_out = "GET /v1/datasets/{dataset} lists the columns you may ask about."


class AmbiguousColumn(QueryRefused):
    """More than one table of the query has a column of that name."""

    code = "ambiguous-column"
    way_out = "Write the table's name or alias before the column."


class UnsupportedSql(QueryRefused):
    """The construct has no case in the algebra, so it is refused rather than guessed."""

    code = "unsupported-sql"
    way_out = "docs/analyst.md lists what is answered."


class SeveralRows(QueryRefused):
    """A subquery stands for one value, and nothing proves that it has one row at most."""

    code = "several-rows"
    way_out = "Aggregate it without GROUP BY, or write LIMIT 1, or use IN."


class UnsupportedFunction(QueryRefused):
    """The function is not on the allow-list of total functions."""

    code = "unsupported-function"
    way_out = "docs/analyst.md lists the functions that are answered."


class TypeMismatch(QueryRefused):
    """The types of an expression do not fit together."""

    code = "type-mismatch"
    way_out = "Cast one side so that both have the same type."


class NotGrouped(QueryRefused):
    """A column is neither grouped by nor inside an aggregate."""

    code = "not-grouped"
    way_out = "Add the column to GROUP BY or put it inside an aggregate."


class NotAnAggregate(QueryRefused):
    """The query asks for rows about persons; only aggregates leave."""

    code = "not-an-aggregate"
    rule = "promise 2"
    way_out = "Ask for COUNT, SUM or AVG, with GROUP BY where you need groups."


class NamesPersons(QueryRefused):
    """The query groups by something that determines the privacy unit, so each row is one unit."""

    code = "names-persons"
    rule = "P5"
    way_out = "Group by a property many units share, or aggregate once more over the units."


class UnitCompared(QueryRefused):
    """The unit's id is used beyond equality, grouping below a measure and counting."""

    code = "unit-id-used"
    rule = "P5"
    way_out = (
        "Use the id to join private tables, to group below an aggregate, or in COUNT(DISTINCT)."
    )


class AcrossUnits(QueryRefused):
    """An operation below the measure would let one unit's rows decide about another's."""

    code = "across-units"
    rule = "P2"
    way_out = "Do it within the unit (group by its id too), or after the aggregate."


class JoinNotOnUnit(QueryRefused):
    """Two private tables are joined without equating the privacy unit."""

    code = "join-not-on-unit"
    rule = "P1"
    way_out = "Join private tables on the unit's id or along a declared key."


class PublicRowsKept(QueryRefused):
    """A public table's rows would be kept or dropped depending on private rows."""

    code = "public-rows-kept"
    rule = "P1"
    way_out = "Put the private table first: FROM private LEFT JOIN public."


class UnboundedColumn(QueryRefused):
    """A value without a proven range is summed.

    Where that is because a declared column has no range, `column` is its name.
    """

    code = "unbounded-column"
    rule = "P9"

    def __init__(
        self,
        message: str,
        *,
        position: Position | None = None,
        hint: str | None = None,
        column: str | None = None,
    ) -> None:
        super().__init__(message, position=position, hint=hint)
        self.column = column


class TooManyRowsPerUnit(QueryRefused):
    """One unit could have too many rows below the measure."""

    code = "too-many-rows-per-unit"
    rule = "P4"
    way_out = "Join on a key that is unique on one side."


class RangeTooLarge(QueryRefused):
    """The proven range of an expression is too large to be summed exactly."""

    code = "range-too-large"
    rule = "P8"
    way_out = "Use fewer factors or decimals, or tighten options.bounds.columns."


class KeysNeedDelta(QueryRefused):
    """The keys are not public, so they need a delta that this project does not have."""

    code = "keys-need-delta"
    rule = "P11"
    way_out = "Group by columns with declared categories or by a public table's columns."


class TooManyGroups(QueryRefused):
    """The query would release too many cells."""

    code = "too-many-groups"
    rule = "P10"
    way_out = "Group by fewer or coarser columns, or filter a public table's column."


class TooManyColumns(QueryRefused):
    """The query asks for too many columns."""

    code = "too-many-columns"
    way_out = "Ask for fewer columns in one query."


class PriceTooSmall(QueryRefused):
    """The price leaves so little for each measure that the noise would not fit its type."""

    code = "price-too-small"
    way_out = "Offer more, or ask for fewer measures."


class UnknownBound(QueryRefused):
    """options.bounds names something that the query or the manifest does not have."""

    code = "unknown-bound"
    way_out = "Name numeric columns of the query's private tables."


class BoundTooWide(QueryRefused):
    """options.bounds may only tighten what the manifest says."""

    code = "bound-too-wide"
    way_out = "Give bounds inside those of the manifest."


class NoOtherRow(QueryRefused):
    """options.other adds up what a threshold holds back from the groups of one GROUP BY."""

    code = "no-other-row"
    rule = "P12"
    way_out = "Ask without options.other, or group by a key that is not public."


class NotBound(QueryRefused):
    """The part of the query above the aggregates does not fit the released columns."""

    code = "not-bound"
    way_out = "Check names and types of the expressions over aggregates, and of joins above them."

    def __init__(self) -> None:
        super().__init__("DuckDB cannot bind what is computed from released or public values.")
