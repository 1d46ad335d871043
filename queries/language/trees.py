"""Syntax trees walked, copied and rebuilt, many times faster than the parser's library does it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable
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
            args[name] = _placed(write(value), fresh, name)
        elif value.__class__ is list:
            args[name] = _members(value, fresh, name, write)
        else:
            args[name] = value
    return fresh


def anew(node: Tree, but: Collection[str] = ()) -> Tree:
    """The tree anew, without the comments and types that the parser may have noted.

    The node itself comes with None in the place of the arguments named by `but`. A level of the
    tree is one call.
    """
    fresh = blank(node)
    args = fresh.args
    for name, value in node.args.items():
        if name in but:
            args[name] = None
        elif isinstance(value, Expr):
            args[name] = _placed(anew(value), fresh, name)
        elif value.__class__ is list:
            members: list[Any] = []
            args[name] = members
            for one in value:
                if isinstance(one, Expr):
                    members.append(_placed(anew(one), fresh, name, len(members)))
                else:
                    members.append(_members(one, fresh, name, anew) if type(one) is list else one)
        else:
            args[name] = value
    return fresh


def _placed(part: exp.Expr, parent: exp.Expr, name: str, index: int | None = None) -> exp.Expr:
    part.parent = parent
    part.arg_key = name
    part.index = index
    return part


def _members(
    values: list[Any], parent: exp.Expr, name: str, write: Callable[[exp.Expr], exp.Expr]
) -> list[Any]:
    """The members of a list, written in their places."""
    found: list[Any] = []
    for value in values:
        if isinstance(value, Expr):
            found.append(_placed(write(value), parent, name, len(found)))
        else:
            found.append(_members(value, parent, name, write) if type(value) is list else value)
    return found


Form = tuple[type[exp.Expr], tuple[tuple[str, Hashable], ...]]


def blank(node: Tree) -> Tree:
    """A node of its kind and place in the text, without its parts."""
    kind = node.__class__
    fresh: Tree = kind.__new__(kind)
    fresh.parent = fresh.arg_key = fresh.index = fresh.comments = fresh._type = fresh._hash = None
    fresh._meta = node._meta.copy() if node._meta else None
    fresh.args = {}
    return fresh


def form(node: exp.Expr) -> Form:
    """What a tree says, wherever it stands: equal for two that mean the same by all they hold."""
    said = [
        (name, _form(value))
        for name, value in node.args.items()
        if value is not None and value != []
    ]
    return node.__class__, tuple(said)


def _form(value: Any) -> Hashable:
    if isinstance(value, Expr):
        return form(value)
    said: Hashable = tuple(map(_form, value)) if value.__class__ is list else value
    return said


def children(node: exp.Expr) -> list[exp.Expr]:
    """The direct parts of a node, in order."""
    found: list[exp.Expr] = []
    _list(node.args.values(), found)
    return found


def walk(node: exp.Expr) -> list[exp.Expr]:
    """The node and all its parts, level after level, each in order."""
    found = [node]
    for current in found:
        _list(current.args.values(), found)
    return found


def _list(values: Iterable[Any], found: list[exp.Expr]) -> None:
    """Add the nodes among the values, and in lists of them, to those that were found."""
    for value in values:
        if isinstance(value, Expr):
            found.append(value)
        elif value.__class__ is list:
            _list(value, found)


def nodes(node: exp.Expr, kind: type[Tree]) -> list[Tree]:
    """The parts of a tree that are of a kind, level after level."""
    return [part for part in walk(node) if isinstance(part, kind)]
