"""A group key as engine SQL: the same text groups private rows and lists the public keys."""

from __future__ import annotations

from queries.algebra.facts import EXACT
from queries.algebra.scalars import Column, Literal, Scalar
from queries.catalog.manifest import Type
from queries.plan.lower.relations import Relations
from queries.plan.lower.scalars import width


def key_text(key: Scalar, to: Relations) -> str:
    """A key as the engine groups by it: an ENUM stays one, a real is finite or NULL."""
    if isinstance(key, Column) and key.facts.type is Type.TEXT:
        return to.scalars.raw(key)
    written = to.scalars.write(key)
    if isinstance(key, Literal) and key.facts.type in EXACT:
        return f"CAST({written} AS {width(key.facts)})"  # a bare number would be a position
    if key.facts.type is Type.REAL:
        return f"(CASE WHEN isfinite({written}) THEN ({written} + 0::DOUBLE) END)"
    return written
