"""`FROM release."ID"`: the rows of a past release, written into the query as constants.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       what is computed of past releases alone costs nothing; what reads private rows
                beside them costs what it would cost beside the same constants.
    Requires    releases of the same project: rows that have left already, paid for when they did.
    Why         post-processing of released values is free, and a question that is chosen by them
                is composed adaptively, which sums of zero-concentrated and of pure losses allow
                (Bun and Steinke 2016, Lemma 2.3). The rows stand in the text of the query, as if
                the analyst had typed them.
    Tried by    tests/bind/test_past.py
"""

from __future__ import annotations

from sqlglot import exp

from queries.algebra import constants
from queries.bind.colours import Open
from queries.bind.open_queries import identifier
from queries.bind.rows import Listed, Split
from queries.catalog.past import SCHEMA, Past, Releases
from queries.language.parse import place
from queries.language.refusals import TooComplex, UnknownRelease, UnsupportedSql

MOST_ROWS = 20_000
"""The most rows of a past release that is read."""
LONGEST_TEXT = 1_000_000
"""The most characters that these rows may take."""


def named(node: exp.Table) -> bool:
    """Whether a release is named by its id: `release."ID"`."""
    return not node.args.get("catalog") and node.db.lower() == SCHEMA


def about(node: exp.Table) -> bool:
    """Whether the release is meant that the question is about: `release` alone."""
    return node.name.lower() == SCHEMA


def table(node: exp.Table, id: str, releases: Releases) -> Open:
    """The rows of a release; raises UnknownRelease, TooComplex or UnsupportedSql."""
    found = releases(id)
    if found is None:
        raise UnknownRelease("This project has no such release.", position=place(node))
    if not found.columns:
        raise UnsupportedSql("The release has no column that SQL can read.", position=place(node))
    size = sum(len(value or "") + 1 for row in found.rows for value in row)
    if len(found.rows) > MOST_ROWS or size > LONGEST_TEXT:
        raise TooComplex(
            f"A release of more than {MOST_ROWS:,} rows is not read again.", position=place(node)
        )
    names = tuple(name for name, _ in found.columns)
    return Open(_selected(found, node), False, names)


def _selected(found: Past, node: exp.Table) -> exp.Select:
    """A query that yields the rows: each column is one text, which the engine splits."""
    try:
        sign, columns = constants.joined(len(found.columns), found.rows)
    except constants.NoSeparator:
        raise UnsupportedSql("The release holds texts that cannot be read again.") from None
    split, shown = [], []
    for number, ((name, kind), (text, marked)) in enumerate(
        zip(found.columns, columns, strict=True)
    ):
        own = exp.Column(this=identifier(f"c{number}"))
        parts = Listed(this=Split(this=_text(text), expression=_text(sign)))
        split.append(exp.Alias(this=parts, alias=identifier(f"c{number}")))
        read = _unmarked(own) if marked else own
        cast = exp.Cast(this=read, to=exp.DataType.build(kind, dialect="duckdb"))
        shown.append(exp.Alias(this=cast, alias=identifier(name)))
    inner = exp.Subquery(
        this=exp.Select(expressions=split), alias=exp.TableAlias(this=identifier("past"))
    )
    where = None if found.rows else exp.Where(this=exp.Boolean(this=False))
    return exp.Select(expressions=shown, from_=exp.From(this=inner), where=where)


def _text(value: str) -> exp.Literal:
    return exp.Literal.string(value)


def _unmarked(column: exp.Expr) -> exp.Expr:
    """What follows the mark of a value; NULL where there is no mark."""
    known = exp.NEQ(this=column, expression=_text(""))
    rest = exp.Substring(this=column.copy(), start=exp.Literal.number(2))
    return exp.Case(ifs=[exp.If(this=known, true=rest)])
