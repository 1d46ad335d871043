"""The stages that a query needs, in order, and the inputs that pass from one to another (P21).

Equal measures are one draw and one charge (of one tree different quantiles may be read: all are
columns of its one stage); what nothing reads is neither drawn nor charged.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a stored stage serves only beside the very draws that its inputs were computed from.
    Requires    a stored stage is at least as precise as what is asked of its digest.
    Why         a stage that another one reads has its noise and threshold in its digest, so that
                all that is ever stored under it is one draw at one scale; a stage with inputs has
                the digests of the stages that they read in its own. A finer draw of the same
                measure therefore has another digest, and takes no part.
    Tried by    tests/plan/test_sequence.py, tests/gateway/test_waves.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from queries.algebra.inputs import Input
from queries.algebra.measures import Measure
from queries.bind import open_queries, open_sql
from queries.bind.binder import Binder
from queries.bind.colours import Open
from queries.bind.inputs import Given
from queries.language.trees import anew, nodes, walk
from queries.plan import policy
from queries.plan.levels import Family, merged
from queries.plan.model import Stage
from queries.plan.stages import hashed


@dataclass(frozen=True, slots=True)
class Needed:
    """Families of stages and inputs by name, in the order in which they can run.

    `names` gives the released table that serves each measure.
    """

    names: dict[str, str]
    families: dict[str, Family]
    given: dict[str, Given]

    def given_to(self, read: Sequence[str], earlier: tuple[Stage, ...]) -> tuple[Input, ...]:
        """The inputs of those names that a stage reads, from stages before it."""
        return tuple(self._input(self.given[name], earlier) for name in read)

    @property
    def read(self) -> frozenset[str]:
        """The stages that later ones read."""
        return frozenset(name for one in self.given.values() for name in self._reads(one))

    def _reads(self, given: Given) -> tuple[str, ...]:
        tables = sorted({self.names[name] for name in given.reads})
        return tuple(stage for table in tables for stage in self.families[table].names(table))

    def _input(self, given: Given, earlier: tuple[Stage, ...]) -> Input:
        query = anew(given.query)
        parts = walk(query)
        rename(parts, self.names)
        policy.occurring(parts, self.names, earlier)
        sql = open_sql.last_text(open_sql.total(query, parts))
        return Input(
            given.name,
            sql,
            given.columns,
            given.most_rows,
            given.unique,
            self._reads(given),
            given.public,
        )


def needed(binder: Binder, families: Callable[[Measure], Family], bound: Open) -> Needed:
    """What a query needs, from what it reads down to the first stage."""
    first: dict[tuple[str, ...], str] = {}
    names: dict[str, str] = {}
    kept: dict[str, Family] = {}
    for name in _reached(binder, families, _read(bound)):
        found = families(binder.measures[open_queries.stage_number(name)])
        names[name] = first.setdefault(found.digests, name)
        before = kept.get(names[name])
        kept[names[name]] = found if before is None else merged(before, found)
    read = dict.fromkeys(one for found in kept.values() for one in found.reads)
    return Needed(names, kept, {name: binder.given[name] for name in read})


def _read(bound: Open) -> set[str]:
    queries: list[exp.Expr] = [bound.query]
    if bound.rowwise is not None:
        queries.append(bound.rowwise.query)
    found = (table.name for query in queries for table in nodes(query, exp.Table))
    return {name for name in found if open_queries.is_stage(name)}


def _reached(
    binder: Binder, families: Callable[[Measure], Family], start: Iterable[str]
) -> list[str]:
    """The released tables and all that lead to them, each after those that it reads."""
    waiting, found = list(start), set(start)
    while waiting:
        measure = binder.measures[open_queries.stage_number(waiting.pop())]
        given = (binder.given[name] for name in families(measure).reads)
        earlier = {name for one in given for name in one.reads} - found
        found |= earlier
        waiting.extend(earlier)
    return sorted(found, key=open_queries.stage_number)


def rename(parts: Iterable[exp.Expr], names: dict[str, str]) -> None:
    """Have the parts of a query read the stages that were kept."""
    for table in parts:
        if isinstance(table, exp.Table) and names.get(table.name, table.name) != table.name:
            table.set("this", open_queries.identifier(names[table.name]))


def sealed(
    stages: Sequence[Stage], read: frozenset[str], shown: tuple[bool, int | None]
) -> tuple[Stage, ...]:
    """The stages with the draws that they depend on in their digests, and what of them is shown."""
    done: dict[str, Stage] = {}
    for stage in stages:
        earlier = tuple(done[name].digest for name in sorted(stage.needs))
        digest = hashed((stage.digest, earlier, shown)) if earlier else stage.digest
        if stage.name in read:
            digest = hashed((digest, stage.noises, stage.threshold))
        done[stage.name] = replace(stage, digest=digest)
    return tuple(done.values())
