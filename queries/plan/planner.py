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

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlglot import exp

from queries.bind import open_sql
from queries.bind.colours import Cell, Open
from queries.catalog.united import read_together
from queries.catalog.view import PublicRows, View
from queries.language.limits import LIMITS
from queries.language.refusals import (
    NotBound,
    QueryRefused,
    TooComplex,
    TooManyColumns,
    UnsupportedSql,
)
from queries.language.trees import anew, nodes, walk
from queries.plan import (
    boxes,
    explain,
    left_out,
    others,
    policy,
    sizes,
    tables,
    timing,
    translation,
    usefulness,
)
from queries.plan.drawing import Drawn, Terms, drawn
from queries.plan.model import Hierarchy, Plan, Stage
from queries.plan.post import Output, Post, Role
from queries.plan.price import Options, Price
from queries.plan.rewrites import offering
from queries.plan.sequence import rename
from queries.plan.shown import Effects


@dataclass(frozen=True, slots=True)
class Outline:
    """A plan, and what a group of each of its first stages plausibly holds, column by column.

    Stages beyond those measure the effect of bounds.
    """

    plan: Plan
    likely: tuple[tuple[sizes.Likely, ...], ...]


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
    return _told(sql, Terms(view, public, price, given, now), warned=True)[1]


def outline(
    sql: str,
    view: View,
    public: PublicRows,
    price: Price,
    given: Options,
    now: datetime | None = None,
) -> Outline:
    """The same without warnings: for what is decided before there is a price, at any price."""
    found, made = _told(sql, Terms(view, public, price, given, now), warned=False)
    units = found.terms.units
    return Outline(made, tuple(sizes.likely(draft, units) for draft in found.drafts))


def _told(sql: str, terms: Terms, *, warned: bool) -> tuple[Drawn, Plan]:
    """What was drawn and its plan: of the statement, or of its translation."""
    given, manifest = terms.given, terms.view.manifest
    text: str | None = None
    try:
        text = translation.of(sql, given, manifest)
        shown = sql if text is None else text
        found = drawn(shown, terms)
        made = _planned(shown, found)
        if warned:
            said = usefulness.warnings(shown, found, lambda other: _tried(other, terms))
            made = replace(made, warnings=said)
        return found, _noted(made, text, given)
    except RecursionError:
        raise TooComplex("The statement is nested too deeply.") from None
    except QueryRefused as refused:
        refused.translation = text
        shown = sql if text is None else text
        trials = offering.Trials(
            lambda other: _planned(other, drawn(other, terms)),
            lambda other: drawn(other, terms),
            terms.texts,
        )
        raise offering.told(refused, shown, manifest, trials) from None


def _tried(sql: str, terms: Terms) -> bool:
    """Whether a text is planned and its noise hides nothing; raises a QueryRefused."""
    found = drawn(sql, terms)
    if usefulness.hidden(found.noised, terms.units):
        return False
    return _planned(sql, found) is not None


def _noted(found: Plan, text: str | None, given: Options) -> Plan:
    """The plan with the translation that it is of."""
    if text is None:
        return found
    note = f"Translated from {given.dialect}: what is answered is the translation."
    return replace(found, notes=(note, *found.notes), translation=text)


def _planned(sql: str, found: Drawn) -> Plan:
    """The plan of what was drawn; raises a QueryRefused where the engine cannot bind it."""
    terms, stages, kept = found.terms, found.stages, found.found.families
    manifest = terms.view.manifest
    hierarchies = tuple(h for name, f in kept.items() if (h := f.hierarchy(name)) is not None)
    _bindable(found)
    names = found.found.names
    listed = _listing(found.bound, names, stages)
    post = _post(sql, listed, found, hierarchies)
    shapes = [shape for one in found.drafts for shape in one.shapes]
    if found.held is not None:
        others.shown(post.outputs)
        shapes.append(others.shape(kept[found.held].drafts[0]))
    shapes += [shape for one in found.bounding for shape in one.shapes]
    slot, deadline = timing.slot(manifest.timing, shapes) if kept else (0, 0)
    return Plan(
        manifest.dataset,
        terms.view.delivery,
        terms.view.manifest_hash,
        found.every,
        post,
        slot,
        deadline,
        _notes(found),
        hierarchies=hierarchies,
        non_negative=policy.non_negative(kept, terms.given),
        frequencies=policy.frequencies(kept, terms.given),
        effects=_effects(found, post),
        scope=terms.view.scope,
        together=read_together(manifest),
    )


def _effects(found: Drawn, post: Post) -> Effects | None:
    """What is told of the effect of bounds, where it is asked."""
    if not found.terms.given.effects:
        return None
    return left_out.told(found.bounding, post, found.terms.view.manifest, whole=found.whole)


def _notes(found: Drawn) -> tuple[str, ...]:
    said = explain.notes(found.drafts, found.stages, found.terms.view.manifest)
    shown = explain.shown(found.terms.given)
    sets = explain.sets(found.found.families)
    blocks = explain.blocks(found.every, found.terms.view.manifest)
    return (*said, *sets, *blocks, *shown, *explain.past(found.past))


def _bindable(found: Drawn) -> None:
    """Have the engine bind each stage on empty tables, so that it cannot fail to afterwards."""
    stages = found.every
    given = tables.given(stages)
    texts = [sql for s in stages for sql in (s.sql, *(d.sql for d in s.distributions)) if sql]
    for stage in stages:
        if stage.other is not None:
            given = (*given, *others.kept(stage))
            texts.append(stage.other.sql)
    stored = (*tables.stored(found.terms.view.manifest, texts), *given)
    bound = [(stored, sql.replace("$seed", "0")) for sql in texts]
    bound += [(tables.given([one]), one.listing) for one in stages if one.listing is not None]
    for seen, sql in bound:
        try:
            found.terms.public.describe(seen, sql)
        except NotBound:
            raise UnsupportedSql("The engine cannot compute this form of the query.") from None


def _post(asked: str, bound: Open, drawn: Drawn, hierarchies: tuple[Hierarchy, ...]) -> Post:
    query, stages = bound.query, drawn.stages
    if isinstance(query, exp.Table):
        query = exp.Select(expressions=[exp.Star()], from_=exp.From(this=query))
    shown = query if bound.rowwise is None else bound.rowwise.query
    sql = open_sql.total_text(shown)
    found = drawn.terms.public.describe(tables.noised(stages, hierarchies), sql)
    found = found if bound.rowwise is None else found[1:]
    if len(found) > LIMITS.columns:
        raise TooManyColumns(f"At most {LIMITS.columns} columns are answered.")
    names = _names(asked, bound, [name for name, _ in found], drawn.terms)
    reads_public = any(not t.name.startswith("_stage") for t in nodes(query, exp.Table))
    if bound.rowwise is None:
        reason = "computed from several released rows" if bound.released else None
        reason = "computed from a past release" if drawn.past else reason
        role = Role.DERIVED if stages or drawn.past else Role.KEY
        outputs = [Output(n, role, reason=reason) for n in names]
        return Post(sql, tuple(outputs), None, reads_public)
    table = bound.rowwise.stage
    types = dict(dict(tables.noised(stages, hierarchies))[table])
    cells = [cell for _, cell in bound.rowwise.cells]
    outputs = [
        _output(name, cell, kind, table, types)
        for name, cell, (_, kind) in zip(names, cells, found, strict=True)
    ]
    return Post(sql, tuple(outputs), bound.rowwise.stage, reads_public)


def _names(asked: str, bound: Open, found: list[str], terms: Terms) -> list[str]:
    """DuckDB's names for the columns: the analyst's own where given, else what it makes up."""
    if bound.names and all(bound.names):
        return [str(name) for name in bound.names]
    described = _described(asked, terms)
    return described if len(described) == len(found) else found


def _described(asked: str, terms: Terms) -> list[str]:
    """DuckDB's names for the analyst's own text; none where it has a function of ours."""
    try:
        named = terms.public.describe(tables.declared(terms.view.manifest), asked)
    except NotBound:
        return []
    return [name for name, _ in named]


def _listing(bound: Open, names: dict[str, str], stages: tuple[Stage, ...]) -> Open:
    """The open query over the stages that were kept, with the counts from which keys occur."""
    rowwise = bound.rowwise
    for query in [bound.query] if rowwise is None else [bound.query, rowwise.query]:
        parts = walk(query)
        rename(parts, names)
        policy.occurring(parts, names, stages)
    if rowwise is None:
        return bound
    return replace(bound, rowwise=replace(rowwise, stage=names[rowwise.stage]))


def _output(name: str, cell: Cell, kind: str, table: str, types: Mapping[str, str]) -> Output:
    if cell.measure is not None:
        return Output(name, Role.MEASURE, column=cell.measure)
    if cell.key:
        return Output(name, Role.KEY)
    if cell.measures:
        return Output(name, Role.DERIVED, columns=cell.measures)
    if cell.expression is None:
        return Output(name, Role.DERIVED, reason=cell.reason)
    if cell.reason is not None:
        box = boxes.boxed(cell.expression, kind, table, types)
        reason = cell.reason if box is None else boxes.MADE
        return Output(name, Role.DERIVED, reason=reason, box=box)
    text = open_sql.last_text(open_sql.total(exp.Paren(this=anew(cell.expression))))
    return Output(name, Role.DERIVED, expression=text)
