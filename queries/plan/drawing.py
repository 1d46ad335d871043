"""What a query comes to before the engine is asked: its stages, drafted and priced.

Everything here is a function of the text and of what may be known to plan it (`Terms`); the noise
of the same stages under tighter bounds is found again without the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlglot import exp

from queries.bind import clock, rowids
from queries.bind.binder import Binder
from queries.bind.colours import Open, Private
from queries.bind.publics import Publics
from queries.catalog.view import PublicRows, View
from queries.language.limits import LIMITS
from queries.language.parse import Texts, place
from queries.language.refusals import NamesPersons, NotAnAggregate, TooManyColumns
from queries.language.trees import walk
from queries.plan import effects, explain, options, others, partial, policy, split, unbounded
from queries.plan.formulas import value_of
from queries.plan.levels import Families, Family
from queries.plan.model import Distribution, NoisyColumn, Stage
from queries.plan.price import Options, Price
from queries.plan.quantiles import priced
from queries.plan.sequence import Needed, needed, sealed
from queries.plan.stages import Draft, rebounded

Noised = tuple[Draft, tuple[NoisyColumn, ...]]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a text is planned under; `now` is what its clock shows, or None where it has none."""

    view: View
    public: PublicRows
    price: Price
    given: Options
    now: datetime | None = None
    texts: Texts = field(default_factory=Texts, compare=False)

    @property
    def units(self) -> int:
        """The most units that the manifest allows."""
        return self.view.manifest.unit.at_most


@dataclass(frozen=True, slots=True)
class Drawn:
    """A bound query and its stages; `held` is the table whose held-back groups are asked for.

    The last of `every` stage measure what `bounding` is about: the effect of bounds, of which
    `whole` says that it is all; `past` are the ids of past releases that are read.
    """

    terms: Terms
    bound: Open
    found: Needed
    held: str | None
    every: tuple[Stage, ...]
    bounding: tuple[effects.Bounding, ...]
    whole: bool
    past: tuple[str, ...] = ()

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that the answer is computed from."""
        return self.every[: len(self.every) - len(self.bounding)]

    @property
    def drafts(self) -> tuple[Draft, ...]:
        return tuple(found for one in self.found.families.values() for found in one.drafts)

    @property
    def noised(self) -> tuple[Noised, ...]:
        """Each draft with its noisy columns."""
        pairs = zip(self.drafts, self.stages, strict=True)
        return tuple((draft, stage.columns) for draft, stage in pairs)


def drawn(sql: str, terms: Terms) -> Drawn:
    """A text's query, bound, drafted and priced; raises a QueryRefused."""
    tree = _parsed(sql, terms)
    publics = Publics(terms.view, terms.public)
    terms = replace(terms, given=policy.given(terms.given, terms.view.manifest))
    families = Families(terms.view, publics, terms.given)
    bounds = options.bounds(terms.given, terms.view.manifest)
    binder = Binder(terms.view, publics, families.of, bounds=bounds)
    bound = binder.query(tree, {})
    if isinstance(bound, Private):
        raise _no_aggregate(bound, tree)
    found = needed(binder, families.of, bound)
    held = others.wanted(bound, found.names, found.families) if terms.given.other else None
    measured, whole = unbounded.compared(
        binder, found.families, lambda: _parsed(sql, terms), terms.given
    )
    every = _stages(found, held, measured, terms)
    return Drawn(terms, bound, found, held, every, measured, whole, tuple(sorted(binder.past)))


def _parsed(sql: str, terms: Terms) -> exp.Query:
    tree = terms.texts.tree(sql)
    parts = walk(tree)
    rowids.refuse(parts, terms.view.manifest)
    clock.bind(parts, terms.now, terms.view.manifest.time_zone)
    return tree


def _no_aggregate(bound: Private, tree: exp.Expr) -> Exception:
    persons = any(scalar.facts.identity is not None for _, scalar in bound.columns)
    if persons:
        return NamesPersons("Each row of this answer would be one person.", position=place(tree))
    return NotAnAggregate("This asks for rows, and only aggregates leave.", position=place(tree))


def tightened(found: Drawn, given: Options) -> tuple[Noised, ...]:
    """The drafts under other bounds, each with its noisy columns; raises a QueryRefused."""
    families: dict[str, Family] = {}
    for name, one in found.found.families.items():
        drafts = tuple(rebounded(draft, found.terms.units, given) for draft in one.drafts)
        families[name] = replace(one, drafts=drafts)
    part = _part(families, found.held, len(found.bounding), found.terms.price)
    shares = _shares(families, found.held, found.terms.price, part)
    return tuple(
        (draft, _columns(draft, parts))
        for name, one in families.items()
        for draft, parts in zip(one.drafts, shares[name], strict=True)
    )


def _part(families: dict[str, Family], held: str | None, measured: int, price: Price) -> Price:
    """One column's part of the price; a row of what is held back has as many columns more.

    What is measured of the bounds of one measure is, all together, one column more.
    """
    columns = measured + sum(found.columns for found in families.values())
    columns += 0 if held is None else others.columns(families[held])
    if columns > LIMITS.columns:
        raise TooManyColumns(f"At most {LIMITS.columns} measures are answered at once.")
    return split.share(price, max(1, columns))


def _shares(
    families: dict[str, Family], held: str | None, price: Price, part: Price
) -> dict[str, tuple[tuple[Price, ...], ...]]:
    """The parts of each stage of each family, then those of a row of what is held back."""
    found, first = {}, 0
    for name, one in families.items():
        last = first + len(one.drafts)
        if price.split:
            found[name] = tuple(split.named(price, place) for place in range(first, last))
        else:
            rest = (part,) * others.columns(one) if name == held else ()
            found[name] = tuple((*parts, *rest) for parts in one.parts(part))
        first = last
    return found


def _stages(
    needed: Needed, held: str | None, measured: Sequence[effects.Bounding], terms: Terms
) -> tuple[Stage, ...]:
    """The stages with the noise that the price buys, in equal parts or in those that it names.

    Those that measure the effect of bounds come last.
    """
    families = needed.families
    part = _part(families, held, len(measured), terms.price)
    shares = _shares(families, held, terms.price, part)
    drafts = [found for one in families.values() for found in one.drafts]
    thresholded = sum(found.thresholded for found in drafts)
    delta = terms.price.delta // max(1, thresholded) if terms.price.epsilon is None else 0
    made: list[Stage] = []
    for measure, one in families.items():
        named = zip(one.names(measure), one.drafts, shares[measure], strict=True)
        for name, found, parts in named:
            stage = _stage(name, found, parts, delta, terms)
            inputs = needed.given_to(found.reads, tuple(made))
            row = others.other(found, parts[found.parts :]) if name == held else None
            about = explain.about(found)
            stage = replace(stage, inputs=inputs, about=about, partial=found.partial)
            made.append(replace(stage, other=row))
    for each in measured:
        inputs = needed.given_to(each.reads, tuple(made))
        own = split.named(terms.price, len(made))[0] if terms.price.split else part
        some = partial.touched(each.before.measure, terms.view.manifest)
        made.append(replace(effects.stage(each, own), inputs=inputs, partial=some))
    shown = (terms.given.non_negative, terms.given.minimum_frequency)
    return sealed(made, needed.read, shown)


def _stage(name: str, found: Draft, parts: Sequence[Price], delta: int, terms: Terms) -> Stage:
    if found.leading is not None:
        top = found.leading.priced("m0", parts[0])
        return Stage(
            name, found.digest, found.text, found.keys, (), found.listed,
            most_rows=found.most_rows, top=top,
        )  # fmt: skip
    columns = _columns(found, parts)
    threshold = None
    if found.thresholded:
        deciding = columns[found.deciding]
        threshold = split.threshold(
            deciding.name,
            deciding.noise,
            found.bounds.cells,
            delta,
            found.floor,
            terms.given.minimum_frequency,
        )
    return Stage(
        name,
        found.digest,
        found.text,
        found.keys,
        columns,
        found.listed,
        threshold,
        found.most_rows,
        _distributions(found, parts[len(columns) : found.parts], terms),
        listing=None if found.later is None else found.later.sql,
    )


def _columns(found: Draft, parts: Sequence[Price]) -> tuple[NoisyColumn, ...]:
    """The noisy columns of a draft, each at its part of the price."""
    columns = []
    for number, (statistic, sensitivity, part) in enumerate(
        zip(found.measure.statistics, found.sensitivities, parts, strict=False)
    ):
        numerator, denominator, kind = value_of(statistic)
        noise = split.noise(sensitivity, part)
        shift = found.query.shifts[number]
        columns.append(NoisyColumn(f"m{number}", noise, shift, numerator, denominator, kind))
    return tuple(columns)


def _distributions(found: Draft, parts: Sequence[Price], terms: Terms) -> tuple[Distribution, ...]:
    most = terms.units * found.bounds.rows
    pairs = zip(found.sketches, parts, strict=True)
    return tuple(priced(f"d{n}", one, part, most) for n, (one, part) in enumerate(pairs))
