"""A plan: all that is decided about a query before any row is read.

A plan is a pure function of SQL, options, view and price. It is frozen, round-trips through
canonical JSON (`queries.codec`) and is all that the enclave is given.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum

from queries.algebra.inputs import Input
from queries.algebra.measures import SET
from queries.catalog.united import Together
from queries.catalog.view import Scope, Value
from queries.plan.bins import Bins
from queries.plan.bounding import Sensitivity
from queries.plan.post import Post
from queries.plan.shown import Effects, Frequency, NonNegative

PLANNER_VERSION = 3


class Mechanism(StrEnum):
    """OpenDP's integer mechanisms: two add noise, two select the best of several candidates.

    Noise: Canonne, Kamath and Steinke 2020; Ghosh et al. 2009. Selection: McSherry and Talwar 2007;
    McKenna and Sheldon 2020 (in pure projects).
    """

    GAUSSIAN = "discrete-gaussian"
    LAPLACE = "discrete-laplace"
    EXPONENTIAL = "exponential"
    PERMUTE_AND_FLIP = "permute-and-flip"

    @property
    def selects(self) -> bool:
        return self in (Mechanism.EXPONENTIAL, Mechanism.PERMUTE_AND_FLIP)


@dataclass(frozen=True, slots=True)
class Noise:
    """The noise of one measure column, as a vector over all groups, in steps after the shift.

    `l1` is the L1 sensitivity, `l2_squared` the square of the L2 sensitivity (whole numbers both).
    Of a selection they are sums over all scores that are maximised, of half the most by which the
    difference of two candidates changes (and of its square).
    `scale` is the mechanism's own parameter. `rho` (and `epsilon` in pure plans), in 1e-12, is the
    loss charged for the column: never less than OpenDP's map of the sensitivity at that scale.
    """

    mechanism: Mechanism
    l1: int
    l2_squared: int
    scale: float
    rho: int
    epsilon: int | None = None

    @property
    def sensitivity(self) -> Sensitivity:
        """What it is noise for."""
        return Sensitivity(self.l1, self.l2_squared)


@dataclass(frozen=True, slots=True)
class NoisyColumn:
    """One measure of a stage: the engine's integer column `name`, shifted right by `shift` bits.

    The released value is `(noisy << shift) * numerator / denominator`, stored in the sealed engine
    under the DuckDB type `sql_type`.
    """

    name: str
    noise: Noise
    shift: int
    numerator: int
    denominator: int
    sql_type: str


@dataclass(frozen=True, slots=True)
class Target:
    """What is looked for: the value at rank `numerator / denominator * n + rows`.

    Ranks count from below, or from above with `descending`. A denominator of 0 means the most
    frequent value, read off counts of all; or, with `labels`, how many rows each bin holds: a map
    from them. `sql_type` is that of the stage's column `name`.
    """

    name: str
    numerator: int
    denominator: int
    rows: int
    descending: bool
    sql_type: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Distribution:
    """The values of one expression, group by group, and what is found among them.

    `sql` yields the keys k0.., the bin b and its exact number of rows n. Without `branching` each
    target is selected by `noise`; with it, all nodes of a tree of that many levels, each node of
    `branching` children, are noised, and the targets are read off it. With `around` targets are
    selected by `noise`, and their ends are read off such a tree, its nodes noised by `around`.
    `scale` says how many decimals a whole step of listed values has.
    """

    name: str
    sql: str
    bins: Bins
    targets: tuple[Target, ...]
    noise: Noise
    branching: int = 0
    levels: int = 0
    scale: int = 0
    around: Noise | None = None

    @property
    def read_off(self) -> bool:
        """Whether the targets themselves are read off a tree."""
        return self.levels > 0 and self.around is None


@dataclass(frozen=True, slots=True)
class Key:
    """One group key of a stage: the engine's column `name`, of DuckDB type `sql_type`.

    `scale` says how many decimals a whole step has, for decimal keys.
    """

    name: str
    sql_type: str
    scale: int = 0


@dataclass(frozen=True, slots=True)
class Threshold:
    """Keys leave when the noisy count of units in `column` reaches `at_least` (P11), at `delta`."""

    column: str
    at_least: int
    delta: int


@dataclass(frozen=True, slots=True)
class Other:
    """One row of all groups that a threshold holds back: the stage's first columns, noised alone.

    `sql` reads the keys that left, each as text, from the table `_kept`.
    """

    sql: str
    columns: tuple[NoisyColumn, ...]


@dataclass(frozen=True, slots=True)
class Top:
    """The keys of the `most` greatest values of the engine's column `column`, in that order.

    They are selected one after the other by `noise`, and no value leaves.
    """

    column: str
    most: int
    noise: Noise


@dataclass(frozen=True, slots=True)
class Stage:
    """One GROUP BY with its measures: the unit of noise, of charge and of reuse.

    `sql` yields the keys k0.. and the exact integers m0..; with `listed` every listed key is
    answered and no other; otherwise `threshold` decides. Both None means a single row, no key.
    Without columns the text is empty: what is asked is found in `distributions` alone. With `top`
    some of the listed keys are answered, in the order of values that stay in the engine.
    The text may hold the parameter $seed (a secret, fresh 63-bit integer for each run).
    With `listing` the list is what that text yields, which reads the stage's inputs and public
    tables alone: it is made when the inputs are there, before the stage reads a private row.
    `most_rows` bounds the rows the engine may return, from declared sizes. `inputs` are released
    rows that the text reads: the stage runs when the stages that they read have run. `about` says
    in plain words what is measured. One that is `partial` may move up to twice as far as its noise
    is made for where only some of a unit's rows go: those of one block (queries.plan.partial).
    """

    name: str
    digest: str
    sql: str
    keys: tuple[Key, ...]
    columns: tuple[NoisyColumn, ...]
    listed: tuple[tuple[Value, ...], ...] | None = None
    threshold: Threshold | None = None
    most_rows: int = 1
    distributions: tuple[Distribution, ...] = ()
    inputs: tuple[Input, ...] = ()
    about: str = ""
    other: Other | None = None
    top: Top | None = None
    listing: str | None = None
    partial: bool = False

    @property
    def parts(self) -> tuple[NoisyColumn | Distribution | Top, ...]:
        """Every column, then every distribution, or the selection of keys."""
        return (*self.columns, *self.distributions, *(() if self.top is None else (self.top,)))

    @property
    def wanted(self) -> tuple[str, ...]:
        """The columns of the engine's rows: the keys, and what is noised or selected by."""
        scored = () if self.top is None else (self.top.column,)
        columns = tuple(column.name for column in self.columns)
        return (*(key.name for key in self.keys), *columns, *scored)

    @property
    def noises(self) -> tuple[Noise, ...]:
        """All noise: of every part, of what is held back, and of trees beside selections."""
        rest = () if self.other is None else self.other.columns
        around = (found.around for found in self.distributions if found.around is not None)
        return (*(part.noise for part in (*self.parts, *rest)), *around)

    def located(self, name: str | None) -> tuple[Distribution, Target] | None:
        """The distribution in which a column is found, and what is looked for in it."""
        pairs = ((found, target) for found in self.distributions for target in found.targets)
        return next((pair for pair in pairs if pair[1].name == name), None)

    @property
    def several(self) -> bool:
        """Whether it is the table of several grouping sets, each measured by itself."""
        return any(key.name == SET for key in self.keys)

    @property
    def needs(self) -> frozenset[str]:
        """The stages that must have run before."""
        return frozenset(name for given in self.inputs for name in given.reads)

    @property
    def rho(self) -> int:
        return sum(noise.rho for noise in self.noises)

    @property
    def epsilon(self) -> int | None:
        parts = [noise.epsilon for noise in self.noises]
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None

    @property
    def delta(self) -> int:
        return self.threshold.delta if self.threshold else 0


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The stages of one GROUP BY's grouping sets, side by side under one name.

    `members` are the stages' names, one for each set in the order of the set's number `ks`; a
    column m0.. stands in all of them, and a key is NULL where a set lacks it. The columns
    `additive` of the stages `together` add up: each is a sum over `leaves`, keys named `finest`
    (`leaves` are empty where one of these stages holds them). Of the columns `covered` a cell has
    no less than any of its parts, and no more than all of them.
    """

    name: str
    members: tuple[str, ...]
    keys: tuple[Key, ...]
    columns: int
    together: tuple[str, ...]
    additive: tuple[str, ...]
    covered: tuple[str, ...]
    finest: tuple[str, ...]
    leaves: tuple[tuple[Value, ...], ...]

    def table(self, stages: Iterable[Stage]) -> Stage:
        """The sets as one table, each column with the widest noise that it has in one of them.

        Of a distribution that is where ranks may be furthest off: by a selection's scale and the
        logarithm of its bins, or by the scale of trees of one shape.
        """
        named = {stage.name: stage for stage in stages}
        members = [named[name] for name in dict.fromkeys(self.members)]
        columns = tuple(
            max((stage.columns[n] for stage in members), key=lambda column: column.noise.scale)
            for n in range(self.columns)
        )
        distributions = tuple(
            max(parts, key=lambda found: found.noise.scale * math.log(20 * found.bins.count))
            for parts in zip(*(stage.distributions for stage in members), strict=True)
        )
        digest = hashlib.sha256(" ".join(stage.digest for stage in members).encode()).hexdigest()
        keys = (Key(SET, "BIGINT"), *self.keys)
        return Stage(self.name, digest, "", keys, columns, distributions=distributions)


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole query: its stages, what is done with them, and how long it may take.

    `slot` is in milliseconds, 0 where the policy switches slots off. `notes` explain the plan in
    plain words; `translation` is the text that was planned where the analyst's is of another
    dialect. A plan without stages reads public tables only and is exact and free. `effects` are
    those of its own bounds, where they are asked for. `scope` is what of the public tables there is
    for the project; None: all. `together` says how several deliveries are read as one.
    """

    dataset: str
    delivery: str
    manifest_hash: str
    stages: tuple[Stage, ...]
    post: Post
    slot: int
    deadline: int
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    hierarchies: tuple[Hierarchy, ...] = ()
    non_negative: tuple[NonNegative, ...] = ()
    frequencies: tuple[Frequency, ...] = ()
    planner: int = PLANNER_VERSION
    translation: str | None = None
    effects: Effects | None = None
    scope: Scope | None = None
    together: Together | None = None

    def table(self, name: str | None) -> Stage | None:
        """The stage of that name, or a hierarchy as one table."""
        for hierarchy in self.hierarchies:
            if hierarchy.name == name:
                return hierarchy.table(self.stages)
        return next((stage for stage in self.stages if stage.name == name), None)

    def part(self, stages: AbstractSet[str]) -> Plan:
        """The plan with some stages alone, and the hierarchies that are made of them."""
        kept = tuple(stage for stage in self.stages if stage.name in stages)
        made = tuple(one for one in self.hierarchies if stages >= set(one.members))
        tables = {stage.name for stage in kept} | {one.name for one in made}
        held = tuple(one for one in self.frequencies if one.table in tables)
        return replace(self, stages=kept, hierarchies=made, frequencies=held)

    @property
    def held_back(self) -> str:
        held = any(stage.threshold for stage in self.stages) or bool(self.frequencies)
        return "possible" if held else "none"
