"""WINDOW w AS (...): each OVER w is given what its name stands for; nothing else knows names."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from queries.language.parse import place
from queries.language.refusals import UnsupportedSql
from queries.language.trees import children

PARTS = ("partition_by", "order", "spec")


def expand(select: exp.Select) -> None:
    """Write a SELECT's named windows out where they are used; raises UnsupportedSql."""
    known: dict[str, exp.Window] = {}
    for definition in select.args.get("windows") or []:
        _fill(definition, known)
        known[definition.name.lower()] = definition
    select.set("windows", None)
    for window in _own(select):
        _fill(window, known)


def _own(select: exp.Select) -> Iterable[exp.Window]:
    """The windows at a SELECT's own level."""
    stack = children(select)
    while stack:
        current = stack.pop()
        if isinstance(current, exp.Window):
            yield current
        if not isinstance(current, exp.Query):
            stack.extend(children(current))


def _fill(window: exp.Window, known: dict[str, exp.Window]) -> None:
    """Put what the name in OVER stands for in its place; what both say is refused."""
    name = window.args.get("alias")
    if name is None:
        return
    meant = known.get(name.name.lower())
    if meant is None:
        raise UnsupportedSql(f"There is no window {name.name}.", position=place(window))
    for part in PARTS:
        given, value = window.args.get(part), meant.args.get(part)
        if given and value:
            raise UnsupportedSql(
                f"The window {name.name} already says this.", position=place(window)
            )
        if value:
            copied = [each.copy() for each in value] if isinstance(value, list) else value.copy()
            window.set(part, copied)
    window.set("alias", None)
