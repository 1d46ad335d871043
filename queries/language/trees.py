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
    """The tree anew, without the comments and types that the parser may have noted."""
    kind = node.__class__
    fresh: Tree = kind.__new__(kind)
    fresh.parent = fresh.arg_key = fresh.index = None
    fresh.comments = fresh._type = fresh._hash = None
    fresh._meta = dict(node._meta) if node._meta else None
    args: dict[str, Any] = {}
    fresh.args = args
    for name, value in node.args.items():
        if isinstance(value, exp.Expr):
            part = args[name] = anew(value)
            part.parent, part.arg_key = fresh, name
        elif type(value) is list:
            args[name] = [_member(one, fresh, name, at) for at, one in enumerate(value)]
        else:
            args[name] = value
    return fresh


def _member(value: Any, parent: exp.Expr, name: str, index: int) -> Any:
    """One member of a list anew, in its place."""
    if not isinstance(value, exp.Expr):
        whole = type(value) is not list
        return value if whole else [_member(one, parent, name, index) for one in value]
    part = anew(value)
    part.parent, part.arg_key, part.index = parent, name, index
    return part


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
