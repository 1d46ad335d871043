"""The grouping sets of one GROUP BY: a stage each, of the same bounded groups, and what adds up.

All sets are bounded together, in the groups of all keys, so that a total is the sum of what its
parts count (P13). Sets whose keys are public add up after noise: `queries.release.consistency`
makes them, from all that was measured. A price is shared so that the variances of all cells of the
answer, before that, sum to the least: a set of n cells and sensitivity d gets a share of rho in
proportion to d sqrt(n), of epsilon to (d**2 n) ** (1/3) (by Lagrange multipliers; compare Li,
Miklau, Hay, McGregor and Rastogi 2015, section 3). Against equal shares, or the finest set alone,
the variances of ROLLUP over 5 x 10 x 20 cells then sum to two fifths, and for no shape tried was
the sum a tenth above the least that any shares reach.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the losses of all sets of a GROUP BY sum to what it is charged; lists of keys are
                the same for both (P10); each set has its own threshold and delta (P11).
    Requires    sensitivities of each set by itself (`queries.plan.bounding`).
    Why         sets are stages, each with its own noise, and losses of releases add, however their
                sampling of groups depends on each other: given the one secret of a run the claims
                hold for each. A list is the projection of the list of all keys.
    Tried by    tests/properties/test_sensitivity.py, tests/plan/test_levels.py
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest

from queries.algebra.measures import SET, Measure
from queries.bind.publics import Publics
from queries.catalog.view import Value, View
from queries.language.refusals import TooManyGroups
from queries.plan import keys as group_keys
from queries.plan import split
from queries.plan.bounding import Sensitivity
from queries.plan.formulas import adds_up, covered, value_of
from queries.plan.keys import Keys, Level
from queries.plan.model import Hierarchy
from queries.plan.noisy import in_order
from queries.plan.policy import counted
from queries.plan.price import Options, Price
from queries.plan.stages import Draft, check_size, draft, drafted, hashed, own_keys, united

Set = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """The drafts of one measure: one, or one for each of its grouping sets.

    `together` are the sets that add up, and `leaves` the keys, at the positions `finest`, of which
    each of these is a sum.
    """

    measure: Measure
    drafts: tuple[Draft, ...]
    together: tuple[Set, ...] = ()
    finest: Set = ()
    leaves: Keys = ()

    @property
    def digests(self) -> tuple[str, ...]:
        return tuple(found.digest for found in self.drafts)

    @property
    def meaning(self) -> str:
        """What names the measure on whatever delivery."""
        return hashed(tuple(found.meaning for found in self.drafts))

    @property
    def reads(self) -> tuple[str, ...]:
        """The inputs that its stages read."""
        return tuple(dict.fromkeys(name for found in self.drafts for name in found.reads))

    @property
    def most_rows(self) -> int:
        """The rows of its released table."""
        if not self.measure.sets:
            return self.drafts[0].most_rows
        rows = {one: found.most_rows for one, found in zip(self.sets, self.drafts, strict=True)}
        return sum(rows[one] for one in self.measure.sets)

    @property
    def noised(self) -> tuple[tuple[str, str], ...]:
        """The columns of its released table, with their DuckDB types."""
        if not self.measure.sets:
            return self.drafts[0].noised
        keys = [group_keys.key(n, scalar) for n, scalar in enumerate(self.measure.keys)]
        kinds = [value_of(statistic)[2] for statistic in self.measure.statistics]
        return (
            ("_row", "BIGINT"),
            (SET, "BIGINT"),
            *((one.name, one.sql_type) for one in keys),
            *((f"m{n}", kind) for n, kind in enumerate(kinds)),
            *((one.name, one.sql_type) for s in self.drafts[0].sketches for one in s.targets),
        )

    @property
    def columns(self) -> int:
        """The noisy columns among which a price is shared; sets share those of their measure."""
        return self._statistics + len(self.measure.distributions)

    @property
    def _statistics(self) -> int:
        return max(len(found.measure.statistics) for found in self.drafts)

    @property
    def sets(self) -> tuple[Set, ...]:
        """The distinct grouping sets, in the order of the drafts."""
        return distinct(self.measure)

    def names(self, name: str) -> tuple[str, ...]:
        """The stages' names, where the measure's own is given."""
        if not self.measure.sets:
            return (name,)
        return tuple(f"{name}_{number}" for number in range(len(self.drafts)))

    def parts(self, part: Price) -> tuple[tuple[Price, ...], ...]:
        """What of one column's price each stage's columns get, stage by stage."""
        if not self.measure.sets:
            return ((part,) * self.columns,)
        claims = self._claims()
        weights = [shares(self.drafts, own, part) for own in claims]
        return tuple(
            tuple(
                split.portion(part, own[place], sum(own))
                for own, claim in zip(weights, claims, strict=True)
                if claim[place] is not None
            )
            for place in range(len(self.drafts))
        )

    def _claims(self) -> list[list[Sensitivity | None]]:
        """The claims of each column, set by set: None where a set does not measure it."""
        counted = [found.sensitivities for found in self.drafts]
        ranked = [[one.sensitivity for one in found.sketches] for found in self.drafts]
        columns = [
            [own[n] if n < len(own) else None for own in counted] for n in range(self._statistics)
        ]
        return [*columns, *map(list, zip(*ranked, strict=True))]

    @property
    def additive(self) -> tuple[int, ...]:
        """The statistics that add up over its sets."""
        alone = set(self.finest) <= set(own_keys(self.measure))
        places = enumerate(self.measure.statistics)
        return tuple(n for n, statistic in places if adds_up(statistic, alone=alone))

    @property
    def covered(self) -> tuple[int, ...]:
        """Those that are held between their largest part and all of their parts."""
        places = enumerate(self.measure.statistics)
        return tuple(n for n, one in places if covered(one) and n not in self.additive)

    def hierarchy(self, name: str) -> Hierarchy | None:
        """How the stages stand together under the measure's name; None where it is one stage."""
        if not self.measure.sets:
            return None
        stages = dict(zip(self.sets, self.names(name), strict=True))
        measure = self.measure
        return Hierarchy(
            name,
            tuple(stages[one] for one in measure.sets),
            tuple(group_keys.key(n, scalar) for n, scalar in enumerate(measure.keys)),
            len(measure.statistics),
            tuple(stages[one] for one in self.together),
            tuple(f"m{n}" for n in self.additive),
            tuple(f"m{n}" for n in self.covered),
            tuple(f"k{n}" for n in self.finest),
            () if self.finest in self.together else self.leaves,
        )


def merged(one: Family, other: Family) -> Family:
    """Two families of the same stages, with all that is read off their trees."""
    pairs = zip(one.drafts, other.drafts, strict=True)
    return replace(one, drafts=tuple(united(left, right) for left, right in pairs))


class Families:
    """The families of one query's measures, each made when it is first asked for."""

    def __init__(self, view: View, publics: Publics, options: Options) -> None:
        self._asked = view, publics, options
        self._found: dict[int, tuple[Measure, Family]] = {}

    def of(self, measure: Measure) -> Family:
        """The family of a measure; raises a QueryRefused."""
        if id(measure) not in self._found:
            asked = counted(measure, self._asked[2])
            self._found[id(measure)] = measure, family(asked, *self._asked)
        return self._found[id(measure)][1]


def distinct(measure: Measure) -> tuple[Set, ...]:
    return tuple(dict.fromkeys(measure.sets))


def family(measure: Measure, view: View, publics: Publics, options: Options) -> Family:
    """The drafts of a measure; raises a QueryRefused."""
    if not measure.sets:
        return Family(measure, (draft(measure, view, publics, options),))
    lists = _Lists(measure, publics)
    levels = lists.levels()
    held = sum(not _public(level) for level in levels)
    drafts = tuple(
        drafted(measure, lists.groups, level, view, publics, options, held) for level in levels
    )
    check_size(sum(found.draws for found in drafts), len(measure.statistics))
    return Family(measure, drafts, lists.together, lists.finest, lists.leaves)


def _public(level: Level) -> bool:
    return not level.keys or level.listed is not None


class _Lists:
    """The lists of all grouping sets of a measure, and which of them add up."""

    def __init__(self, measure: Measure, publics: Publics) -> None:
        self._measure = measure
        self._publics = publics
        self._sets = distinct(measure)
        self._own: dict[Set, Keys | None] = {}
        whole = tuple(range(len(measure.keys)))
        self.groups = self._listed(whole, needed=whole in self._sets)
        public = [one for one in self._sets if self._of(one) is not None]
        self.finest = tuple(sorted({n for one in public for n in one}))
        found = self._listed(self.finest, needed=False)
        addable = len(public) > 1 and bool(found) and _roundable(public, self.finest)
        self.leaves: Keys = found if found and addable else ()
        self.together = tuple(public) if addable else ()

    def levels(self) -> tuple[Level, ...]:
        lists = {one: projected(self.leaves, self.finest, one) for one in self.together}
        cells = sum(map(len, lists.values()))
        return tuple(self._level(one, lists, cells) for one in self._sets)

    def _level(self, one: Set, lists: Mapping[Set, Keys], cells: int) -> Level:
        listed = lists[one] if one in lists else self._of(one)
        fans = self._fans(one, listed)
        return Level(one, listed if one else None, fans, cells if one in lists else None)

    def _fans(self, one: Set, listed: Keys | None) -> tuple[int, ...]:
        """How many groups of one unit each cell can hold; they share the unit's constant keys.

        Of units with other constants the cells may be fuller or more: each place has the most.
        """
        rows, fixed = self._measure.relation.rows, own_keys(self._measure)
        if self.groups is None:
            cells = 1 if set(one) <= set(fixed) else rows if listed is None else len(listed)
            return (rows,) * min(rows, cells)
        classes: dict[tuple[Value, ...], Counter[tuple[Value, ...]]] = defaultdict(Counter)
        for row in self.groups:
            classes[tuple(row[n] for n in fixed)][tuple(row[n] for n in one)] += 1
        ranked = [sorted(own.values(), reverse=True) for own in classes.values()]
        return tuple(max(fans) for fans in zip_longest(*ranked, fillvalue=0))

    def _of(self, one: Set) -> Keys | None:
        """The list of a set: part of the list of all keys, where there is one."""
        if self.groups is not None:
            return projected(self.groups, tuple(range(len(self._measure.keys))), one)
        return self._listed(one, needed=True)

    def _listed(self, one: Set, *, needed: bool) -> Keys | None:
        """The keys at some positions, or None; raises TooManyGroups only where they are needed."""
        if one not in self._own:
            some = replace(self._measure, keys=tuple(self._measure.keys[n] for n in one))
            try:
                self._own[one] = group_keys.listed(some, self._publics) if one else ((),)
            except TooManyGroups:
                if needed:
                    raise
                return None
        return self._own[one]


def projected(rows: Keys, places: Set, onto: Set) -> Keys:
    """The keys of a coarser set, each once, in order."""
    chosen = [places.index(n) for n in onto]
    return in_order({tuple([row[n] for n in chosen]) for row in rows})


def _roundable(sets: Sequence[Set], finest: Set) -> bool:
    """Whether whole numbers that add up exist for any estimate: see `release.consistency`.

    They do where one set holds all others, and where none lies inside of two others that do not lie
    inside of each other's.
    """
    return finest in sets or all(_chain([b for b in sets if set(b) < set(a)]) for a in sets)


def _chain(sets: Sequence[Set]) -> bool:
    ordered = sorted(sets, key=len)
    return all(set(a) < set(b) for a, b in pairwise(ordered))


def shares(drafts: Sequence[Draft], claims: Sequence[Sensitivity | None], part: Price) -> list[int]:
    """The weights of the sets in one column's price, as whole numbers."""
    known = all(not found.thresholded for found in drafts)
    weights = []
    for found, sensitivity in zip(drafts, claims, strict=True):
        cells = max(1, found.cells) if known else 1
        if sensitivity is None:
            weights.append(0.0)
        elif part.epsilon is None:
            weights.append((cells * sensitivity.l2_squared) ** 0.5)
        else:
            weights.append((cells * sensitivity.l1**2) ** (1 / 3))
    most = max(weights)
    return [round(weight / most * 2**40) for weight in weights]
