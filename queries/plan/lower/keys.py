"""A group key as engine SQL: the same text groups private rows and lists the public keys."""

from __future__ import annotations

from queries.algebra.scalars import Column, Literal, Scalar
from queries.catalog.manifest import Type
from queries.plan.lower.relations import Relations


def key_text(key: Scalar, to: Relations) -> str:
    """A key as the engine groups by it: an ENUM stays one, a real is finite or NULL."""
    if isinstance(key, Column) and key.facts.type is Type.TEXT:
        return to.scalars.raw(key)
    if isinstance(key, Literal):
        return to.scalars.grouped(key)
    written = to.scalars.write(key)
    if key.facts.type is Type.REAL:
        return f"(CASE WHEN isfinite({written}) THEN ({written} + 0::DOUBLE) END)"
    return written
