"""What stays known of a column when a subquery that stands alone carries it along.

A column of a public table loses its table there; that its values are some of the table's is kept,
so that it still makes public keys (P10).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from queries.algebra.facts import Facts
from queries.algebra.names import quoted
from queries.algebra.relations import Public, Relation
from queries.algebra.scalars import Column, Scalar
from queries.algebra.sources import members
from queries.catalog.manifest import Type
from queries.language.limits import LIMITS

if TYPE_CHECKING:
    from queries.bind.binder import Binder


def through(binder: Binder, relation: Relation) -> Callable[[Scalar], Facts]:
    """The facts of scalars over a relation, above a subquery that carries them."""
    tables = {quoted(name): name for name in binder.view.public}
    publics = [source for source, _ in members(relation) if isinstance(source, Public)]
    known = {
        public.id: tables[public.sql]
        for public in publics
        if public.sql in tables and binder.publics.reach(public, frozenset()) <= LIMITS.cells
    }

    def facts(scalar: Scalar) -> Facts:
        found = scalar.facts
        text = isinstance(scalar, Column) and found.type is Type.TEXT and found.identity is None
        if isinstance(scalar, Column) and text and scalar.source in known:
            return replace(found, reference=(known[scalar.source], scalar.name))
        return found

    return facts
