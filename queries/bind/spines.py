"""The public spine: public or released rows kept beside private ones, each of them answered.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       `open LEFT JOIN private ... GROUP BY` open columns is answered as DuckDB means it,
                and what the engine computes for it is a measure of a private relation.
    Requires    keys listed from the kept rows before any private row is read for the measure
                (P10, P21); conditions of WHERE that read these rows alone; aggregates to which a
                kept row without a match adds nothing.
    Why         the answer is that of the inner join, plus the kept rows that match nobody, whose
                private columns are all NULL. The inner join is a private relation: each row has
                its unit. The rows that match nobody cannot be told apart from the others, and need
                not be: an aggregate that is 0 or ignores its value on such a row is the inner
                join's own, whatever open columns it is grouped by, and each key of the kept rows
                is listed whether or not anybody is there. COUNT(*) alone counts them too: where
                each group is one kept row (proved at planning), it is the greater of the inner
                join's count and 1, computed from the noisy count (P1). A FULL JOIN is this, with
                the private LEFT JOIN of the open side in the inner join's place. Rows of a
                released table are constants to a later stage, as public ones are. Where a
                condition can only hold for a row with a match, the whole is an inner join.
    Tried by    tests/properties/test_sensitivity.py, tests/properties/test_spines.py,
                tests/bind/test_released_spines.py
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from queries.algebra.measures import Measure, Ranked, Rows, Statistic, Total, parts_of
from queries.algebra.missing import adds_nothing, fails_without
from queries.algebra.relations import OpenSource, Relation, Spine
from queries.algebra.scalars import Scalar, columns, subqueries
from queries.bind import joins
from queries.bind.joins import Member
from queries.language.refusals import NamesPersons, Position, PublicRowsKept

MEASURED = (
    "Count a column of the private table, as in COUNT(p.x), group by columns of the public table, "
    "and put conditions on the private table into ON."
)


@dataclass(frozen=True, slots=True)
class Kept:
    """Open rows kept so far, the conditions on them, and the sources that they may not find.

    `multiplied` says that a row without a match may have become several; beside private rows those
    of the sources `padded` may be missing.
    """

    sources: tuple[OpenSource, ...]
    conditions: tuple[Scalar, ...]
    missing: frozenset[int]
    multiplied: bool = False
    padded: frozenset[int] = frozenset()

    @property
    def ids(self) -> frozenset[int]:
        return frozenset(source.id for source in self.sources)

    def spine(self, found: Relation) -> Spine:
        """The private rows that were found, with those kept beside them."""
        return Spine(
            found,
            self.sources,
            self.conditions,
            self.missing,
            self.multiplied,
            padded=self.padded,
        )


def begun(members: Sequence[Member], parts: Sequence[Scalar], missing: frozenset[int]) -> Kept:
    """The rows of open members, before a private table is LEFT JOINed to them."""
    kept = Kept(tuple(m.source for m in members if isinstance(m.source, OpenSource)), (), missing)
    return replace(kept, conditions=_listed(kept, parts, None))


def both(one: Member, private: Member) -> Kept:
    """The rows of an open member in a FULL JOIN with a private one."""
    return replace(begun([one], [], private.ids), padded=one.ids)


def _listed(kept: Kept, parts: Sequence[Scalar], position: Position | None) -> tuple[Scalar, ...]:
    """Conditions on the kept rows alone; raises PublicRowsKept."""
    for part in parts:
        if not joins.reads_only(part, kept.ids):
            raise PublicRowsKept(
                "This condition would keep or drop public rows by what private rows hold."
                if not any(subqueries(part))
                else "A subquery would choose among public rows that are kept.",
                position=position,
                hint="Put conditions on the private table into ON, or write JOIN for LEFT JOIN.",
            )
    return tuple(parts)


def filtered(kept: Kept, parts: Sequence[Scalar], position: Position | None) -> Kept | None:
    """The kept rows under further conditions; None where only rows with a match satisfy them."""
    if any(fails_without(part, kept.missing) for part in parts):
        return None
    listed = _listed(kept, parts, position)
    return replace(kept, conditions=(*kept.conditions, *listed))


def joined(
    kept: Kept, member: Member, parts: Sequence[Scalar], position: Position | None
) -> Kept | None:
    """The kept rows in an inner join with one more member."""
    if any(fails_without(part, kept.missing) for part in parts):
        return None
    if not isinstance(member.source, OpenSource):
        raise PublicRowsKept(
            "A private table would choose among public rows that are kept.",
            position=position,
            hint="Equate the person's key of the private tables, or LEFT JOIN this one too.",
        )
    wider = replace(kept, sources=(*kept.sources, member.source))
    return filtered(wider, parts, position)


def extended(kept: Kept, right: Member, parts: Sequence[Scalar]) -> Kept:
    """The kept rows after one more LEFT JOIN: those without a match may find public rows in it."""
    if any(fails_without(part, kept.missing) for part in parts):
        return replace(kept, missing=kept.missing | right.ids)
    return replace(kept, multiplied=True)


def check_dropped(kept: Kept, parts: Sequence[Scalar], position: Position | None) -> None:
    """Where the kept rows become the side that may be missing, those without a match must go."""
    if not any(fails_without(part, kept.missing) for part in parts):
        raise PublicRowsKept(
            "A RIGHT JOIN would depend on public rows that are kept.",
            position=position,
            hint=MEASURED,
        )


def measured(measure: Measure, position: Position | None) -> Measure:
    """A measure over a spine, if its keys and statistics are such; raises PublicRowsKept."""
    spine = measure.relation
    if not isinstance(spine, Spine):
        return measure
    ids = frozenset(source.id for source in spine.kept)
    for key in measure.keys:
        if any(column.facts.identity is not None for column in columns(key)):
            raise NamesPersons("It groups by what tells persons apart.", position=position)
        if not spine.padded and not joins.reads_only(key, ids):
            raise PublicRowsKept(
                "Public rows are kept, so groups must be made of the kept table's columns alone.",
                position=position,
                hint="Group by columns of the public table, or write JOIN for LEFT JOIN.",
            )
    if spine.later and measure.sets:
        raise PublicRowsKept(
            "Grouping sets of released rows that are kept are not answered.",
            position=position,
            hint="Ask for one set after the other, or write JOIN for LEFT JOIN.",
        )
    needed = (*measure.statistics, *measure.ranked)
    counted = [found for found in needed if not _ignores(found, spine.missing)]
    if any(found != Rows(None) for found in counted):
        raise PublicRowsKept(
            "A public row that nobody matches would count in an aggregate here.",
            position=position,
            hint="Aggregate columns of the private table; join what is released to the public one.",
        )
    if counted and (spine.multiplied or spine.padded or measure.sets or not measure.keys):
        raise uncounted(position)
    return replace(measure, relation=replace(spine, alone=bool(counted)))


def uncounted(position: Position | None) -> PublicRowsKept:
    """COUNT(*) counts public rows that nobody matches, and a group may have several."""
    return PublicRowsKept(
        "COUNT(*) would count public rows that nobody matches, several in one group.",
        position=position,
        hint="Write COUNT(p.x) with a column of the private table, or group by the public key.",
    )


def _ignores(statistic: Statistic | Ranked, missing: frozenset[int]) -> bool:
    """Whether a row whose private side is missing adds nothing to a statistic."""
    where = getattr(statistic, "where", None)
    if where is not None and fails_without(where, missing):
        return True
    values = [part for part in parts_of(statistic) if part is not where]
    if len(values) != 1:
        return False
    return adds_nothing(values[0], missing, zero=isinstance(statistic, Total))


def unmeasured(position: Position | None) -> PublicRowsKept:
    """Public rows kept beside private ones, and no GROUP BY that measures them."""
    return PublicRowsKept(
        "Public rows are kept beside private ones, and nothing is aggregated over them here.",
        position=position,
        hint=MEASURED,
    )


def check_listing(relation: Relation, position: Position | None) -> None:
    """Refuse a list of keys in which every public row would stand, whoever is there."""
    if isinstance(relation, Spine):
        raise PublicRowsKept(
            "Every public row is kept here, and nothing is measured beside it.",
            position=position,
            hint="Ask the public table alone, or count a column of the private one: COUNT(p.x).",
        )


def filtered_public(position: Position | None) -> PublicRowsKept:
    """A public table's rows chosen by what private rows hold."""
    return PublicRowsKept(
        "A public table's rows would be kept or dropped by what private rows hold.",
        position=position,
        hint="Count the private rows by the public key, then choose with HAVING: "
        "SELECT key, COUNT(*) FROM private GROUP BY key HAVING COUNT(*) > 0.",
    )
