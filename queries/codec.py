"""Frozen values as canonical JSON and back: the same value always gives the same bytes."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Iterable
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar

T = TypeVar("T")

SCALARS: frozenset[type] = frozenset({int, str, bool, float, type(None)})
ROWS = frozenset({list, tuple})


def dumps(value: object) -> bytes:
    """Canonical JSON: keys sorted, no blanks, ASCII only."""
    return json.dumps(
        plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    ).encode("ascii")


def loads(kind: type[T], text: bytes | str) -> T:
    """The value of type `kind` that `dumps` wrote; ValueError or TypeError when it is none."""
    return typing.cast(T, _built(kind, json.loads(text)))


def plain(value: object) -> Any:
    """Only dicts, lists, text, numbers, booleans and None; rows of a table stay as they are."""
    if type(value) in SCALARS:
        return value
    match value:
        case Enum():
            return value.value
        case Fraction() | Decimal():
            return str(value)
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {
                name: plain(getattr(value, name)) for name in _hints(typing.cast(Any, type(value)))
            }
        case tuple() | list():
            if all(type(item) in SCALARS for item in value):
                return list(value)
            if _is_table(value, SCALARS):
                return list(value)
            return [plain(item) for item in value]
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case None | bool() | int() | float() | str():
            return value
    raise TypeError(f"no JSON for {type(value).__name__}")


def _built(kind: Any, data: Any) -> Any:
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return _one_of(typing.get_args(kind), data)
    if origin is tuple:
        member, *rest = typing.get_args(kind)
        if rest != [...]:
            kinds = (member, *rest)
            return tuple(_built(k, item) for k, item in zip(kinds, _list(data), strict=True))
        plain_kinds = _scalars(member)
        if plain_kinds and all(type(item) in plain_kinds for item in _list(data)):
            return tuple(data)
        if _is_table(_list(data), _scalars_in_rows(member)):
            return tuple(map(tuple, data))
        return tuple(_built(member, item) for item in _list(data))
    if dataclasses.is_dataclass(kind):
        hints = _hints(typing.cast(Any, kind))
        absent = hints.keys() - data.keys() - _required(typing.cast(Any, kind))
        named = {name: _built(hints[name], data[name]) for name in hints if name not in absent}
        return typing.cast(Any, kind)(**named)
    if kind in (Fraction, Decimal) or (isinstance(kind, type) and issubclass(kind, Enum)):
        return kind(data)
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if not (kind is Any or (isinstance(data, kind) and isinstance(data, bool) <= (kind is bool))):
        raise TypeError(f"expected {kind}, got {type(data).__name__}")
    return data


@lru_cache(maxsize=1024)
def _hints(kind: type) -> dict[str, Any]:
    """The types of a dataclass's fields, in their order."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


@lru_cache(maxsize=1024)
def _required(kind: type) -> frozenset[str]:
    """The fields without a default; what was stored before the others existed has none of them."""
    missing = dataclasses.MISSING
    return frozenset(
        field.name
        for field in dataclasses.fields(kind)
        if field.default is missing and field.default_factory is missing
    )


@lru_cache(maxsize=1024)
def _scalars(kind: Any) -> frozenset[type]:
    """The scalar types that `kind` stands for, perhaps among others; none where it has none."""
    union = typing.get_origin(kind) in (types.UnionType, typing.Union)
    return frozenset(typing.get_args(kind) if union else (kind,)) & SCALARS


@lru_cache(maxsize=1024)
def _scalars_in_rows(kind: Any) -> frozenset[type]:
    """The scalar types of which `kind`, a tuple of any length, is made; none where it is not."""
    parts = typing.get_args(kind) if typing.get_origin(kind) is tuple else ()
    return _scalars(parts[0]) if parts[1:] == (...,) else frozenset()


def _is_table(rows: Iterable[Any], kinds: frozenset[type]) -> bool:
    """Whether these are rows of such scalars and nothing else: they need no look at each cell."""
    if not kinds or not all(type(row) in ROWS for row in rows):
        return False
    return set(map(type, chain.from_iterable(rows))) <= kinds


def _one_of(kinds: tuple[Any, ...], data: Any) -> Any:
    if data is None and type(None) in kinds:
        return None
    for kind in kinds:
        if kind is not type(None):
            try:
                return _built(kind, data)
            except (TypeError, ValueError, KeyError):
                continue
    raise TypeError(f"no member of the union takes {type(data).__name__}")


def _list(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise TypeError("expected a list")
    return data
