"""A query beside itself without the ranges that its options give: what bounds are compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlglot import exp

from queries.algebra.measures import Measure
from queries.bind import open_queries
from queries.bind.binder import Binder
from queries.language.refusals import QueryRefused
from queries.plan.effects import Bounding, bounding
from queries.plan.levels import Families, Family
from queries.plan.price import Options


def compared(
    binder: Binder, kept: Mapping[str, Family], parsed: Callable[[], exp.Query], given: Options
) -> tuple[tuple[Bounding, ...], bool]:
    """What is measured of each measure's bounds, where asked; and whether that is all of it."""
    if not given.effects:
        return (), True
    asked = {name: binder.measures[open_queries.stage_number(name)] for name in kept}
    free: Mapping[str, Measure | None] = asked
    if binder.bounds:
        free = _without_ranges(binder, kept, parsed(), given)
    least = given.minimum_frequency is not None
    found = [
        bounding(name, one, asked[name], free[name], binder.view, least=least)
        for name, one in kept.items()
    ]
    return tuple(one for one, _ in found if one is not None), all(whole for _, whole in found)


def _without_ranges(
    binder: Binder, kept: Mapping[str, Family], tree: exp.Query, given: Options
) -> dict[str, Measure | None]:
    """The measures of the same text, None where it has no answer without the ranges."""
    families = Families(binder.view, binder.publics, replace(given, columns=()))
    free = Binder(binder.view, binder.publics, families.of)
    try:
        free.query(tree, {})
    except QueryRefused:
        return dict.fromkeys(kept)
    known = dict(enumerate(free.measures))
    return {name: known.get(open_queries.stage_number(name)) for name in kept}
