"""Syntax trees walked, copied and rebuilt, many times faster than the parser's library does it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from sqlglot import exp

Tree = TypeVar("Tree", bound=exp.Expr)
Expr = exp.Expr


def rebuilt(node: Tree, write: Callable[[exp.Expr], exp.Expr]) -> Tree:
    """The node anew, with its parts written by `write`, each of which must be new as well."""

    fresh = blank(node)
    args = fresh.args
    for name, value in node.args.items():
        if isinstance(value, Expr):
            part = args[name] = write(value)
            part.parent = fresh
            part.arg_key = name
        elif value.__class__ is list:
            args[name] = [_written(one, fresh, name, at, write) for at, one in enumerate(value)]
        else:
            args[name] = value
    return fresh


def anew(node: Tree, but: Collection[str] = ()) -> Tree:
    """The tree anew, without the comments and types that the parser may have noted.

    The node itself comes without the arguments named by `but`.
    """
    fresh = blank(node)
    args = fresh.args
    for name, value in node.args.items():
        if name in but:
            continue
        if isinstance(value, Expr):
            part = args[name] = anew(value)
            part.parent = fresh
            part.arg_key = name
        elif value.__class__ is list:
            args[name] = [_member(one, fresh, name, at) for at, one in enumerate(value)]
        else:
            args[name] = value
    return fresh


def _written(
    value: Any, parent: exp.Expr, name: str, index: int, write: Callable[[exp.Expr], exp.Expr]
) -> Any:
    """One member of a list, written in its place."""
    if not isinstance(value, Expr):
        whole = type(value) is not list
        return value if whole else [_written(one, parent, name, index, write) for one in value]
    part = write(value)
    part.parent = parent
    part.arg_key = name
    part.index = index
    return part


def blank(node: Tree) -> Tree:
    """A node of its kind and place in the text, without its parts."""
    kind = node.__class__
    fresh: Tree = kind.__new__(kind)
    fresh.parent = fresh.arg_key = fresh.index = fresh.comments = fresh._type = fresh._hash = None
    fresh._meta = node._meta.copy() if node._meta else None
    fresh.args = {}
    return fresh


def _member(value: Any, parent: exp.Expr, name: str, index: int) -> Any:
    """One member of a list anew, in its place."""
    if not isinstance(value, Expr):
        whole = type(value) is not list
        return value if whole else [_member(one, parent, name, index) for one in value]
    part = anew(value)
    part.parent = parent
    part.arg_key = name
    part.index = index
    return part


def children(node: exp.Expr) -> list[exp.Expr]:
    """The direct parts of a node, in order."""
    found: list[exp.Expr] = []
    for value in node.args.values():
        if isinstance(value, Expr):
            found.append(value)
        elif value.__class__ is list:
            found.extend(_listed(value))
    return found


def _listed(values: list[Any]) -> list[exp.Expr]:
    """The nodes of a list, and of lists in it."""
    found: list[exp.Expr] = []
    for value in values:
        if isinstance(value, Expr):
            found.append(value)
        elif value.__class__ is list:
            found.extend(_listed(value))
    return found


def walk(node: exp.Expr) -> list[exp.Expr]:
    """The node and all its parts: each after what it is part of, else in no promised order."""
    found: list[exp.Expr] = []
    stack = [node]
    while stack:
        current = stack.pop()
        found.append(current)
        for value in current.args.values():
            if isinstance(value, Expr):
                stack.append(value)
            elif value.__class__ is list:
                stack.extend(_listed(value))
    return found


def by_level(node: exp.Expr) -> list[exp.Expr]:
    """The node and all its parts, level after level, each in order."""
    found = [node]
    for current in found:
        found.extend(children(current))
    return found


def nodes(node: exp.Expr, kind: type[Tree]) -> list[Tree]:
    """The parts of a tree that are of a kind, in no promised order."""
    return [part for part in walk(node) if isinstance(part, kind)]
