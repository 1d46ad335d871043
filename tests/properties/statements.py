"""Statements at random: every shape of the accepted language, over one world."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from tests.properties import (
    shapes,
    shapes_inputs,
    shapes_rows,
    shapes_spines,
    shapes_spreads,
)  # fmt: skip
from tests.properties.drawn import Query
from tests.properties.grammar import Words
from tests.properties.worlds import World

SHAPES: tuple[Callable[[Words], Query], ...] = (
    shapes.measured, shapes.measured, shapes.measured, shapes.kept, shapes.kept, shapes.wrapped,
    shapes.within, shapes.within, shapes.rolled, shapes.windowed, shapes.united, shapes.pivoted,
    shapes.ranked, shapes_inputs.compared, shapes_inputs.keyed, shapes_inputs.beside,
    shapes_inputs.kept, shapes_inputs.listed, shapes_rows.above, shapes_rows.told_apart,
    shapes_rows.waited, shapes_rows.turned, shapes_rows.numbered,
)  # fmt: skip


CLAIMED = (shapes_spreads.spread,) * 3
"""Shapes of which the claims are tried, and no answer is compared."""


@st.composite
def queries(
    draw: Callable[[st.SearchStrategy[object]], object],
    world: World,
    more: tuple[Callable[[Words], Query], ...] = (),
) -> Query:
    """A query over one world."""
    start = Words(draw, world, ())
    found = [*SHAPES, *more]
    if world.public:
        found.append(shapes.exact)
    if world.spines:
        found.append(shapes_spines.kept_rows)
    return start.pick(found)(start)
