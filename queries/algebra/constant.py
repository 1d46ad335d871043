"""What has one value in all rows of a unit: properties of the unit, whatever else it is joined to.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a scalar that is said to be constant has the same value in all rows of the relation
                that belong to one unit.
    Requires    tables that registration left with at most one row of a unit (P16); private sources
                joined only with their units equated (P1).
    Why         a row of an inner join takes the columns of each source from one row of it, of its
                own unit: where a source has one row of the unit, from that one. The kept side of a
                LEFT JOIN is such a source, too; the other may be missing in some rows. Expressions
                are functions of what they read, and no subquery is looked into.
    Tried by    tests/properties/test_sensitivity.py, tests/plan/test_constant.py
"""

from __future__ import annotations

from queries.algebra.relations import Derived, Inner, Left, Public, Released, Source, rows_of
from queries.algebra.scalars import Column, Scalar, columns, subqueries


def constant(scalar: Scalar, relation: Source) -> bool:
    """Whether a scalar over the relation has one value in all rows of a unit."""
    if rows_of(relation) == 1:
        return True
    if any(subqueries(scalar)):
        return False
    return all(_fixed(column, relation) for column in columns(scalar))


def _fixed(column: Column, source: Source) -> bool:
    """Whether one source says so of the column; none does of a column that is not its own."""
    match source:
        case Inner():
            return any(_fixed(column, part) for part in source.sources)
        case Left():
            return _fixed(column, source.left)
        case Derived() if source.id == column.source:
            own = dict(source.columns).get(column.name)
            return source.rows == 1 or (own is not None and constant(own, source.source))
        case Public() | Released():
            return False
    return source.rows == 1 and source.unit == column.source
