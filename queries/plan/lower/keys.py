"""A group key as engine SQL: the same text groups private rows and lists the public keys."""

from __future__ import annotations

from queries.algebra.facts import TEMPORAL
from queries.algebra.scalars import Column, Literal, Scalar
from queries.catalog.manifest import Type
from queries.plan.lower.relations import Relations


def key_text(key: Scalar, to: Relations) -> str:
    """A key as the engine groups by it: an ENUM stays one; reals and moments are finite or NULL.

    An endless moment leaves the engine as the last one of the year 9999: with that one beside it
    two keys would be the same, and the stage fail where one row has it.
    """
    if isinstance(key, Column) and key.facts.type is Type.TEXT:
        return to.scalars.raw(key)
    if isinstance(key, Literal):
        return to.scalars.grouped(key)
    written = to.scalars.write(key)
    if key.facts.type is Type.REAL:
        return f"(CASE WHEN isfinite({written}) THEN ({written} + 0::DOUBLE) END)"
    if key.facts.type in TEMPORAL and not key.facts.bounded:
        return f"(CASE WHEN isfinite({written}) THEN {written} END)"
    return written
