"""Statements at random: every shape of the accepted language, over one world."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from tests.properties import shapes, shapes_inputs, shapes_rows, shapes_spines
from tests.properties.drawn import Query
from tests.properties.grammar import Words
from tests.properties.worlds import World

SHAPES: tuple[Callable[[Words], Query], ...] = (
    shapes.measured, shapes.measured, shapes.measured, shapes.kept, shapes.kept, shapes.wrapped,
    shapes.within, shapes.within, shapes.rolled, shapes.windowed, shapes.united, shapes.pivoted,
    shapes.ranked, shapes_inputs.compared, shapes_inputs.keyed, shapes_inputs.beside,
    shapes_inputs.listed, shapes_rows.above, shapes_rows.told_apart, shapes_rows.turned,
    shapes_rows.numbered,
)  # fmt: skip


@st.composite
def queries(draw: Callable[[st.SearchStrategy[object]], object], world: World) -> Query:
    """A query over one world."""
    start = Words(draw, world, ())
    found = list(SHAPES)
    if world.public:
        found.append(shapes.exact)
    if world.spines:
        found.append(shapes_spines.kept_rows)
    return start.pick(found)(start)
