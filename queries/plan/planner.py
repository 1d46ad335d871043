"""Plans a query: text and view in, a plan or a refusal out. Nothing private is read here.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the plan is the same for both, so neither it nor a refusal tells them apart.
    Requires    a view made of a sealed manifest and of public tables alone.
    Why         the planner is given no path to a delivery; what it asks is asked of an engine that
                holds public tables. The whole loss of all stages stands in the plan before the
                first row is read (P21).
    Tried by    tests/plan/test_planner.py
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlglot import exp

from queries.bind import clock, open_sql
from queries.bind.binder import Binder
from queries.bind.colours import Cell, Open, Private
from queries.bind.publics import Publics
from queries.catalog.view import PublicRows, View
from queries.language.limits import LIMITS
from queries.language.parse import parse, place
from queries.language.refusals import (
    NamesPersons,
    NotAnAggregate,
    NotBound,
    QueryRefused,
    TooComplex,
    TooManyColumns,
    UnsupportedSql,
)
from queries.language.trees import anew
from queries.plan import (
    explain,
    options,
    others,
    policy,
    split,
    tables,
    timing,
    translation,
    usefulness,
)
from queries.plan.formulas import value_of
from queries.plan.levels import Families, Family
from queries.plan.model import (
    Distribution,
    Hierarchy,
    NoisyColumn,
    Plan,
    Stage,
)
from queries.plan.post import Output, Post, Role
from queries.plan.price import Options, Price
from queries.plan.quantiles import priced
from queries.plan.rewrites import offering
from queries.plan.sequence import Needed, needed, rename, sealed
from queries.plan.stages import Draft


def plan(
    sql: str,
    view: View,
    public: PublicRows,
    price: Price,
    given: Options,
    now: datetime | None = None,
) -> Plan:
    """The plan of one query at a price; raises a QueryRefused that shows what is answered.

    `now` is what the clock of the statement shows (with its zone); without it none is answered.
    """

    def planned(text: str) -> Plan:
        return _Planning(text, view, public, price, given, now).plan()

    def hidden(text: str, options: Options) -> tuple[usefulness.Hidden, ...]:
        one = _Planning(text, view, public, price, options, now)
        one.plan()
        return one.hidden

    text: str | None = None
    try:
        text = translation.of(sql, given, view.manifest)
        one = _Planning(sql if text is None else text, view, public, price, given, now)
        found = one.plan()
        said = usefulness.warnings(one.hidden, one.sql, view.manifest, given, hidden)
        return _noted(replace(found, warnings=said), text, given)
    except RecursionError:
        raise TooComplex("The statement is nested too deeply.") from None
    except QueryRefused as refused:
        refused.translation = text
        shown = sql if text is None else text
        raise offering.told(refused, shown, view.manifest, planned) from None


def _noted(found: Plan, text: str | None, given: Options) -> Plan:
    """The plan with the translation that it is of."""
    if text is None:
        return found
    note = f"Translated from {given.dialect}: what is answered is the translation."
    return replace(found, notes=(note, *found.notes), translation=text)


@dataclass(slots=True)
class _Planning:
    sql: str
    view: View
    public: PublicRows
    price: Price
    given: Options
    now: datetime | None = None
    hidden: tuple[usefulness.Hidden, ...] = ()

    def plan(self) -> Plan:
        tree = parse(self.sql)
        clock.bind(tree, self.now, self.view.manifest.time_zone)
        publics = Publics(self.view, self.public)
        self.given = policy.given(self.given, self.view.manifest)
        families = Families(self.view, publics, self.given)
        bounds = options.bounds(self.given, self.view.manifest)
        binder = Binder(self.view, publics, families.of, bounds=bounds)
        bound = binder.query(tree, {})
        if isinstance(bound, Private):
            raise _no_aggregate(bound, tree)
        found = needed(binder, families.of, bound)
        kept = found.families
        held = others.wanted(bound, found.names, kept) if self.given.other else None
        stages = self._stages(found, held)
        hierarchies = tuple(h for name, f in kept.items() if (h := f.hierarchy(name)) is not None)
        self._bindable(stages)
        listed = policy.listing(_renamed(bound, found.names), found.names, stages)
        post = self._post(listed, stages, hierarchies)
        drafts = tuple(found for one in kept.values() for found in one.drafts)
        self.hidden = usefulness.hidden(drafts, stages, self.view.manifest.unit.at_most)
        if held is not None:
            others.shown(post.outputs)
        shapes = [shape for found in drafts for shape in found.shapes]
        shapes += [] if held is None else [others.shape(kept[held].drafts[0])]
        slot, deadline = timing.slot(self.view.manifest.timing, shapes) if kept else (0, 0)
        return Plan(
            self.view.manifest.dataset,
            self.view.delivery,
            self.view.manifest_hash,
            stages,
            post,
            slot,
            deadline,
            self._notes(kept, stages),
            hierarchies=hierarchies,
            non_negative=policy.non_negative(kept, self.given),
            frequencies=policy.frequencies(kept, self.given),
        )

    def _notes(self, families: dict[str, Family], stages: tuple[Stage, ...]) -> tuple[str, ...]:
        drafts = tuple(found for one in families.values() for found in one.drafts)
        found = explain.notes(drafts, stages, self.view.manifest)
        return (*found, *explain.sets(families), *explain.shown(self.given))

    def _stages(self, needed: Needed, held: str | None) -> tuple[Stage, ...]:
        """The stages with the noise that the price buys, every column the same part of it.

        The groups that the table `held` holds back are a row of as many columns more.
        """
        families = needed.families
        columns = sum(found.columns for found in families.values())
        columns += 0 if held is None else others.columns(families[held])
        if columns > LIMITS.columns:
            raise TooManyColumns(f"At most {LIMITS.columns} measures are answered at once.")
        if not families:
            return ()
        part = split.share(self.price, columns)
        drafts = [found for one in families.values() for found in one.drafts]
        thresholded = sum(found.thresholded for found in drafts)
        delta = self.price.delta // max(1, thresholded) if self.price.epsilon is None else 0
        made: list[Stage] = []
        for measure, one in families.items():
            named = zip(one.names(measure), one.drafts, one.parts(part), strict=True)
            for name, found, parts in named:
                stage = _stage(name, found, parts, delta, self)
                inputs = needed.of(found, tuple(made))
                row = others.other(found, part, others.columns(one)) if name == held else None
                about = explain.about(found)
                made.append(replace(stage, inputs=inputs, about=about, other=row))
        shown = (self.given.non_negative, self.given.minimum_frequency)
        return sealed(made, needed.read, shown)

    def _bindable(self, stages: tuple[Stage, ...]) -> None:
        """Have the engine bind each stage on empty tables, so that it cannot fail to afterwards."""
        stored = (*tables.stored(self.view.manifest), *tables.given(stages))
        texts = [sql for s in stages for sql in (s.sql, *(d.sql for d in s.distributions)) if sql]
        for stage in stages:
            if stage.other is not None:
                stored = (*stored, *others.kept(stage))
                texts.append(stage.other.sql)
        for sql in texts:
            try:
                self.public.describe(stored, sql.replace("$seed", "0"))
            except NotBound:
                raise UnsupportedSql("The engine cannot compute this form of the query.") from None

    def _post(
        self, bound: Open, stages: tuple[Stage, ...], hierarchies: tuple[Hierarchy, ...]
    ) -> Post:
        query = bound.query
        if isinstance(query, exp.Table):
            query = exp.Select(expressions=[exp.Star()], from_=exp.From(this=query))
        shown = query if bound.rowwise is None else bound.rowwise.query
        sql = open_sql.text(open_sql.total(anew(shown)))
        found = self.public.describe(tables.noised(stages, hierarchies), sql)
        found = found if bound.rowwise is None else found[1:]
        if len(found) > LIMITS.columns:
            raise TooManyColumns(f"At most {LIMITS.columns} columns are answered.")
        names = self._names(bound, [name for name, _ in found])
        reads_public = any(not t.name.startswith("_stage") for t in query.find_all(exp.Table))
        if bound.rowwise is None:
            reason = "computed from several released rows" if bound.released else None
            outputs = [
                Output(n, Role.DERIVED if stages else Role.KEY, reason=reason) for n in names
            ]
            return Post(sql, tuple(outputs), None, reads_public)
        cells = [cell for _, cell in bound.rowwise.cells]
        outputs = [_output(name, cell) for name, cell in zip(names, cells, strict=True)]
        return Post(sql, tuple(outputs), bound.rowwise.stage, reads_public)

    def _names(self, bound: Open, found: list[str]) -> list[str]:
        """DuckDB's names for the columns: the analyst's own where given, else what it makes up."""
        if bound.names and all(bound.names):
            return [str(name) for name in bound.names]
        if bound.released or not bound.names:
            described = self._described()
            if len(described) == len(found):
                return described
        return found

    def _described(self) -> list[str]:
        """DuckDB's names for the analyst's own text; none where it has a function of ours."""
        try:
            named = self.public.describe(tables.declared(self.view.manifest), self.sql)
        except NotBound:
            return []
        return [name for name, _ in named]


def _no_aggregate(bound: Private, tree: exp.Expr) -> Exception:
    persons = any(scalar.facts.identity is not None for _, scalar in bound.columns)
    if persons:
        return NamesPersons("Each row of this answer would be one person.", position=place(tree))
    return NotAnAggregate("This asks for rows, and only aggregates leave.", position=place(tree))


def _renamed(bound: Open, names: dict[str, str]) -> Open:
    """The open query over the stages that were kept."""
    rename(bound.query, names)
    if bound.rowwise is None:
        return bound
    rename(bound.rowwise.query, names)
    return replace(bound, rowwise=replace(bound.rowwise, stage=names[bound.rowwise.stage]))


def _stage(
    name: str, found: Draft, parts: Sequence[Price], delta: int, planning: _Planning
) -> Stage:
    columns = []
    for number, (statistic, sensitivity, part) in enumerate(
        zip(found.measure.statistics, found.sensitivities, parts, strict=False)
    ):
        numerator, denominator, kind = value_of(statistic)
        noise = split.noise(sensitivity, part)
        shift = found.query.shifts[number]
        columns.append(NoisyColumn(f"m{number}", noise, shift, numerator, denominator, kind))
    threshold = None
    if found.thresholded:
        deciding = columns[found.deciding]
        threshold = split.threshold(
            deciding.name,
            deciding.noise,
            found.bounds.cells,
            delta,
            found.floor,
            planning.given.minimum_frequency,
        )
    return Stage(
        name,
        found.digest,
        found.text,
        found.keys,
        tuple(columns),
        found.listed,
        threshold,
        found.most_rows,
        _distributions(found, parts[len(columns) :], planning),
    )


def _distributions(
    found: Draft, parts: Sequence[Price], planning: _Planning
) -> tuple[Distribution, ...]:
    most = planning.view.manifest.unit.at_most * found.bounds.rows
    pairs = zip(found.sketches, parts, strict=True)
    return tuple(priced(f"d{n}", one, part, most) for n, (one, part) in enumerate(pairs))


def _output(name: str, cell: Cell) -> Output:
    if cell.measure is not None:
        return Output(name, Role.MEASURE, column=cell.measure)
    if cell.key:
        return Output(name, Role.KEY)
    if cell.expression is None:
        return Output(name, Role.DERIVED, reason=cell.reason)
    text = open_sql.text(open_sql.total(exp.Paren(this=anew(cell.expression))))
    return Output(name, Role.DERIVED, expression=text)
