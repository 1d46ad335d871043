"""LEFT, RIGHT, FULL, SEMI and ANTI joins beside private rows.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       every row that a join keeps belongs to one unit, and none is kept or dropped because
                of another unit's rows.
    Requires    units equated between private sides (`queries.bind.joins`).
    Why         the side whose rows are all kept is private, so each of its rows has a unit; where
                it is public, rows of nobody would show by their absence where a person is, so it is
                refused but for the one use that `queries.bind.spines` proves (P1). A RIGHT join is
                the LEFT join written the other way round. In a FULL join both sides are private and
                a row's unit is that of the side that is there: matched rows are at most those of
                the inner join, and each side adds at most its own rows. SEMI and ANTI joins are
                EXISTS and NOT EXISTS.
    Tried by    tests/properties/test_sensitivity.py, tests/properties/test_parity.py
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.facts import UNIT as UNIT_ID
from queries.algebra.facts import Facts
from queries.algebra.relations import Derived, Full, Grouped, Inside, Left, Scan, United, Windowed
from queries.algebra.scalars import Column, Exists, Scalar, sides
from queries.bind import joins, merging, spines
from queries.bind.alone import Alone, all_ids, alone, computed, whole
from queries.bind.join_forms import Kind
from queries.bind.joins import Member
from queries.bind.scope import Merged, Visible, maybe_null
from queries.catalog.manifest import Type
from queries.catalog.storage import UNIT
from queries.language.parse import place
from queries.language.refusals import PublicRowsKept, UnsupportedSql

if TYPE_CHECKING:
    from queries.bind.binder import FromItem
    from queries.bind.from_clause import FromClause

SIMPLE = (Scan, Derived, Grouped, Windowed, United, Full)


def left(clause: FromClause, item: FromItem, join: exp.Join) -> None:
    """LEFT JOIN: what stands left is private, or public and kept as the rows of a spine."""
    right, visible = clause.member(item, missing=True)
    if not clause.private:
        if item.tied is not None:
            raise spines.unmeasured(place(join))
        _begin(clause, right, visible, join)
        return
    one = collapsed(clause, join)
    ties, visible = clause.ties(item, visible)
    parts = [*ties, *clause.conditions(visible, join)]
    clause.tables[-1] = visible.nullable()
    if clause.kept is not None:
        clause.kept = spines.extended(clause.kept, right, parts)
    clause.members = [_kept(clause, one, right, parts, join)]
    clause.parts = []


def _begin(clause: FromClause, right: Member, visible: Visible, join: exp.Join) -> None:
    """The spine: public rows kept beside private ones."""
    if not right.private:
        raise PublicRowsKept(
            "A public table is LEFT JOINed to a public one before the private table is.",
            position=place(join),
            hint="Put the public tables' join into a subquery of its own: FROM (SELECT ...) AS p.",
        )
    clause.kept = spines.begun(clause.members, clause.parts, right.ids)
    clause.parts = [*clause.parts, *clause.conditions(visible, join)]
    clause.tables[-1] = visible.nullable()
    clause.members = [*clause.members, right]


def right(clause: FromClause, item: FromItem, join: exp.Join) -> None:
    """RIGHT JOIN: the LEFT JOIN of the right side with all that stands left."""
    _refuse_comma(clause, join)
    _refuse_lateral(item, join)
    kept, visible = clause.member(item)
    if not kept.private and not clause.private:
        raise _both_public(join)
    other = _missing_side(clause, join)
    parts = _conditions(clause, visible, join)
    _padded(clause, len(clause.tables) - 1)
    if kept.private:
        if clause.kept is not None:
            spines.check_dropped(clause.kept, parts, place(join))
            clause.kept = None
        clause.members, clause.parts = [_kept(clause, kept, other, parts, join)], []
        return
    if clause.kept is not None:
        raise _both_public(join)
    clause.kept = spines.begun([kept], [], other.ids)
    clause.members, clause.parts = [kept, other], parts


def _kept(
    clause: FromClause, one: Member, other: Member, parts: Sequence[Scalar], join: exp.Join
) -> Member:
    """The LEFT JOIN of a private member with another one."""
    shared = joins.common_equalities(parts)
    joins.check_units([one, other], shared, place(join), tables=clause.tables)
    by = joins.Met(shared, clause.binder.publics.reach)
    fan = by.fan_out(other, one.ids)
    rows = one.rows * max(1, fan)
    met = max(rows, one.rows * by.most_alike(other, one.ids))
    fixed = by.equated(one, other.ids)
    if other.private and any(key <= fixed for key in one.keys):
        rows = min(rows, one.rows + other.rows)
    rows = joins.within_limit(rows, place(join))
    source = Left(one.source, other.source, shared, whole(one.source).unit, rows, met)
    return Member(source, one.ids | other.ids, rows, one.keys if fan <= 1 else ())


def full(clause: FromClause, item: FromItem, join: exp.Join) -> None:
    """FULL JOIN of two private sides, standing alone: a column may be missing on either.

    Of a private and an open one it is a spine.
    """
    _refuse_comma(clause, join)
    _refuse_lateral(item, join)
    other, visible = clause.member(item, missing=True)
    if clause.kept is not None:
        raise PublicRowsKept(
            "FULL JOIN would keep rows beside public ones that are kept already.",
            position=place(join),
            hint="Put the private table first and write LEFT JOIN.",
        )
    if not (other.private and clause.private):
        _beside_open(clause, other, visible, join)
        return
    one = _missing_side(clause, join, simple=True)
    if not isinstance(other.source, SIMPLE):
        made = alone(clause.binder, other.source)
        visible = made.visible(visible)
        other = made.member(other)
    before = dict(clause.merged)
    parts = joins.common_equalities(clause.conditions(visible, join))
    joins.check_units([one, other], parts, place(join), tables=clause.tables)
    rows = joins.within_limit(_full_rows(clause, one, other, parts), place(join))
    made = alone(clause.binder, one.source, other.source)
    _rename(clause, made, before, visible, join)
    source = Full(made.number, whole(one.source), whole(other.source), parts, made.named, rows)
    keys = _full_keys(clause, made, one, other, parts)
    clause.members = [Member(source, frozenset({made.number}), rows, keys)]
    clause.parts = []


def _beside_open(clause: FromClause, other: Member, visible: Visible, join: exp.Join) -> None:
    """FULL JOIN of a private side and an open one: the private LEFT JOIN, the open rows kept."""
    if not (other.private or clause.private):
        raise _both_public(join)
    one = _missing_side(clause, join)
    private, kept = (other, one) if other.private else (one, other)
    before = dict(clause.merged)
    parts = clause.conditions(visible, join)
    for name, merged in clause.merged.items():
        sides, right = [maybe_null(merged.scalar)], visible.find(name)
        if before.get(name) != merged and right is not None:
            sides.append(maybe_null(right))  # where both are there they are equal
            sides = sides[::-1] if one.private else sides
        clause.merged[name] = replace(merged, scalar=_either(sides, join))
    clause.tables = [table.nullable() for table in clause.tables]
    clause.kept = spines.both(kept, private)
    clause.members, clause.parts = [_kept(clause, private, kept, parts, join)], []


def _either(sides: list[Scalar], join: exp.Join) -> Scalar:
    """Whichever of the sides is there, the first one before the second."""
    return sides[0] if len(sides) == 1 else merging.coalesced(sides[0], sides[1], join)[0]


def _rename(
    clause: FromClause, made: Alone, before: dict[str, Merged], right: Visible, join: exp.Join
) -> None:
    """The tables in force after a FULL JOIN: every column may be missing, merged ones coalesced."""
    for name, one in clause.merged.items():
        if before.get(name) == one:
            clause.merged[name] = replace(one, scalar=made.column(one.scalar, null=True))
        else:
            found = _merged(made, one.scalar, right, name, join)
            clause.merged[name] = replace(one, scalar=found)
    clause.tables = [made.visible(table, null=True) for table in clause.tables]


def _merged(made: Alone, one: Scalar, right: Visible, name: str, join: exp.Join) -> Column:
    other = right.find(name)
    if other is None:
        raise ValueError("a merged column is one of both sides")
    if _always_id(one) and _always_id(other):
        return Column(made.number, UNIT, replace(one.facts, nullable=False))
    scalar, facts = merging.coalesced(one, other, join)
    return replace(made.column(scalar), facts=facts)


def _full_rows(clause: FromClause, one: Member, other: Member, parts: Sequence[Scalar]) -> int:
    """The most rows of one unit: matched at most as in the inner join, and each side's own."""
    most = one.rows * other.rows
    if all(_of_units(part) for part in parts):
        return most  # each row of a unit meets each of the other side's
    by = joins.Met(parts, clause.binder.publics.reach)
    there, back = by.fan_out(other, one.ids), by.fan_out(one, other.ids)
    grown = one.rows * max(1, there) + other.rows, other.rows * max(1, back) + one.rows
    return min(max(most, one.rows + other.rows), *grown)


def _of_units(part: Scalar) -> bool:
    """Whether a part is the equality of the units' ids, which all rows have, and nothing more.

    An id that an earlier outer join left out meets no row, so that both sides' rows stay.
    """
    pair = sides(part)
    return pair is not None and all(map(_always_id, pair))


def _always_id(scalar: Scalar) -> bool:
    return scalar.facts.identity == UNIT_ID and not scalar.facts.nullable


def _full_keys(
    clause: FromClause, made: Alone, one: Member, other: Member, parts: Sequence[Scalar]
) -> tuple[frozenset[tuple[int, str]], ...]:
    """The unit, where each side has one row of it and they always meet."""
    single = one.rows == other.rows == 1 and all(_of_units(part) for part in parts)
    return (frozenset({(made.number, UNIT)}),) if single else ()


def semi(clause: FromClause, item: FromItem, join: exp.Join, *, negated: bool) -> None:
    """SEMI and ANTI JOIN: (NOT) EXISTS of the right side, whose columns are not seen afterwards."""
    _refuse_lateral(item, join)
    member, visible = clause.member(item)
    if member.private and not clause.private:
        raise spines.filtered_public(place(join))
    merged = dict(clause.merged)
    parts = joins.common_equalities(clause.conditions(visible, join))
    clause.tables.pop()
    clause.merged = merged
    ids = all_ids([known.source for known in clause.members])
    outer, reach = ids | joins.ids_in(clause.outer), clause.binder.publics.reach
    joins.check_units([member], parts, place(join), outer, tables=[*clause.tables, visible])
    met = joins.most_met([member], parts, reach, outer, place(join))
    inside = Inside((member.source,), parts, joins.compared(parts, outer, met))
    found: Scalar = Exists(inside, Facts(Type.BOOLEAN, False))
    clause.where([op.boolean("not", found) if negated else found], place(join))


def collapsed(clause: FromClause, join: exp.Join) -> Member:
    """All that stands left of an outer join as one member."""
    if len(clause.members) == 1 and not clause.parts:
        return clause.members[0]
    if not clause.private:
        raise UnsupportedSql(
            "Several public tables stand left of this join of a private one.",
            position=place(join),
            hint="Put the private table first and write LEFT JOIN.",
        )
    relation = clause.joined(place(join))
    ids = frozenset[int]().union(*(member.ids for member in clause.members))
    return Member(relation, ids, relation.rows)


def _missing_side(clause: FromClause, join: exp.Join, *, simple: bool = False) -> Member:
    """All that stands left, whose rows may be missing, alone where its columns are computed."""
    one = collapsed(clause, join)
    if not one.private or (
        not computed(clause.tables) and (not simple or isinstance(one.source, SIMPLE))
    ):
        return one
    made = alone(clause.binder, one.source)
    clause.tables = [made.visible(table) for table in clause.tables]
    clause.merged = {name: made.merged(found) for name, found in clause.merged.items()}
    found = made.member(one)
    clause.members, clause.parts = [found], []
    return found


def _conditions(clause: FromClause, visible: Visible, join: exp.Join) -> list[Scalar]:
    """A RIGHT JOIN's conditions, after which a column of USING is the right side's."""
    before = dict(clause.merged)
    parts = clause.conditions(visible, join)
    for name, one in clause.merged.items():
        found = visible.find(name) if before.get(name) != one else None
        scalar = maybe_null(one.scalar) if found is None else found
        clause.merged[name] = replace(one, scalar=scalar)
    return parts


def _padded(clause: FromClause, until: int) -> None:
    """The first tables of a RIGHT JOIN: their rows may be missing."""
    clause.tables[:until] = [table.nullable() for table in clause.tables[:until]]


def _refuse_comma(clause: FromClause, join: exp.Join) -> None:
    """A comma binds more loosely than a join: what stands before it is not the left side."""
    if clause.start:
        raise UnsupportedSql(
            f"{join.side.upper()} JOIN after a comma is not answered.",
            position=place(join),
            hint="Write CROSS JOIN in place of the comma, or put the join into a subquery.",
        )


def _refuse_lateral(item: FromItem, join: exp.Join) -> None:
    if item.tied is not None:
        raise UnsupportedSql(
            f"{join.side.upper() or join.kind.upper()} JOIN LATERAL is not answered.",
            position=place(join),
            hint="Write CROSS JOIN LATERAL or LEFT JOIN LATERAL.",
        )


def _both_public(join: exp.Join) -> PublicRowsKept:
    return PublicRowsKept(
        "A public table's rows would be kept beside another public one's.",
        position=place(join),
        hint="Put the public tables' join into a subquery of its own: FROM (SELECT ...) AS p.",
    )


JOINS: dict[Kind, Callable[[FromClause, FromItem, exp.Join], None]] = {
    Kind.LEFT: left, Kind.RIGHT: right, Kind.FULL: full,
}  # fmt: skip
