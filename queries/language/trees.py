"""Syntax trees walked, copied and rebuilt, many times faster than the parser's library does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from sqlglot import exp

Tree = TypeVar("Tree", bound=exp.Expr)


def rebuilt(node: Tree, write: Callable[[exp.Expr], exp.Expr]) -> Tree:
    """The node anew, with its parts written by `write`, each of which must be new as well."""

    def part(value: Any) -> Any:
        if isinstance(value, list):
            return [part(member) for member in value]
        return write(value) if isinstance(value, exp.Expr) else value

    fresh: Tree = node.__class__(**{name: part(value) for name, value in node.args.items()})
    if node._meta:
        fresh._meta = dict(node._meta)
    return fresh


def anew(node: Tree) -> Tree:
    """The tree anew."""
    write: Callable[[exp.Expr], exp.Expr] = anew
    return rebuilt(node, write)


def walk(node: exp.Expr) -> Iterator[exp.Expr]:
    """The node and all its parts, in no promised order."""
    stack: list[Any] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, exp.Expr):
            yield current
            stack.extend(current.args.values())
        elif isinstance(current, list):
            stack.extend(current)


def nodes(node: exp.Expr, kind: type[Tree]) -> Iterator[Tree]:
    """The parts of a tree that are of a kind, in no promised order."""
    return (part for part in walk(node) if isinstance(part, kind))
