"""The keys that left a thresholded stage, as engine SQL: all other groups are what is held back."""

from __future__ import annotations

from collections.abc import Mapping

from queries.algebra.facts import ENGINE_TYPES
from queries.algebra.names import quoted
from queries.algebra.scalars import Scalar
from queries.catalog.manifest import Type
from queries.plan.lower.words import width

KEPT = "_kept"
"""The table of the keys that left, each as text."""


def without_kept(source: str, keys: Mapping[str, Scalar]) -> str:
    """A FROM of the rows of `source` whose keys, of which each may be NULL, did not leave."""
    typed = [
        f"TRY_CAST(CAST({quoted(name)} AS VARCHAR) AS {_type(key)}) AS {quoted(f'e{name}')}"
        for name, key in keys.items()
    ]
    left = f"(SELECT {', '.join(typed)} FROM {quoted(KEPT)}) AS {quoted('e')}"
    same = [f"({quoted(name)} IS NOT DISTINCT FROM {quoted(f'e{name}')})" for name in keys]
    return f"FROM {source} ANTI JOIN {left} ON {' AND '.join(same)}"


def _type(key: Scalar) -> str:
    """The type in which the engine hands the key out."""
    if key.facts.type in (Type.INTEGER, Type.DECIMAL):
        return width(key.facts)
    return ENGINE_TYPES[key.facts.type]
