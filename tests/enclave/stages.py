"""Stages and deliveries made by hand, for tests of the enclave and of the release engine."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import duckdb

from queries.catalog.view import Value
from queries.plan.model import (
    Key,
    Mechanism,
    Noise,
    NoisyColumn,
    Plan,
    Stage,
    Threshold,
)
from queries.plan.post import Output, Post, Role

DELIVERY = "d1"
NOISES = [mechanism for mechanism in Mechanism if not mechanism.selects]
MEMORY = 1 << 30


def gaussian(scale: float, l1: int = 1, l2_squared: int = 1) -> Noise:
    """Noise charged as the closed form says, rounded up by a hair."""
    rho = Fraction(l2_squared) / (2 * Fraction(scale) ** 2)
    return Noise(Mechanism.GAUSSIAN, l1, l2_squared, scale, _charged(rho))


def laplace(scale: float, l1: int = 1, l2_squared: int = 1) -> Noise:
    epsilon = Fraction(l1) / Fraction(scale)
    return Noise(
        Mechanism.LAPLACE, l1, l2_squared, scale, _charged(epsilon**2 / 2), _charged(epsilon)
    )


def selecting(scale: float, l1: int = 1, l2_squared: int = 1, *, pure: bool = False) -> Noise:
    """A selection, charged likewise, for scores that move by these either way."""
    if not pure:
        found = gaussian(scale, l1, l2_squared)
        return dataclasses.replace(found, mechanism=Mechanism.EXPONENTIAL)
    found = laplace(scale / 2, l1, l2_squared)
    return dataclasses.replace(found, mechanism=Mechanism.PERMUTE_AND_FLIP, scale=scale)


def _charged(loss: Fraction) -> int:
    return math.ceil(loss * (1 + Fraction(1, 10**9)) * 10**12)


def column(name: str, noise: Noise, shift: int = 0, sql_type: str = "BIGINT") -> NoisyColumn:
    return NoisyColumn(name, noise, shift, 1, 1, sql_type)


def stage(
    sql: str,
    columns: Iterable[NoisyColumn],
    keys: Iterable[Key] = (),
    listed: Iterable[tuple[Value, ...]] | None = None,
    threshold: Threshold | None = None,
    most_rows: int = 1000,
    name: str = "s0",
    listing: str | None = None,
) -> Stage:
    listed = None if listed is None else tuple(listed)
    return Stage(
        name, f"digest of {name}", sql, tuple(keys), tuple(columns), listed, threshold, most_rows,
        listing=listing,
    )  # fmt: skip


def plan(*stages: Stage, post: Post | None = None) -> Plan:
    """A plan with those stages; unless told otherwise it shows the first one row by row."""
    if post is None:
        post = shown(stages[0])
    return Plan("trial", DELIVERY, "hash", stages, post, slot=0, deadline=10_000)


def shown(stage: Stage) -> Post:
    """All keys and measures of a stage, as they are."""
    keys = tuple(Output(key.name, Role.KEY) for key in stage.keys)
    measures = tuple(Output(one.name, Role.MEASURE, one.name) for one in stage.columns)
    names = ", ".join(f'"{stage.name}"."{output.name}"' for output in (*keys, *measures))
    sql = f'SELECT "{stage.name}"._row, {names} FROM "{stage.name}" ORDER BY 1'
    return Post(sql, (*keys, *measures), rowwise=stage.name)


def deliver(home: Path, *private: str, public: Iterable[str] = (), name: str = DELIVERY) -> Path:
    """The directory of all deliveries, with one made by those statements."""
    deliveries = home / "deliveries"
    place = deliveries / name
    place.mkdir(parents=True)
    for file, statements in (("private.duckdb", private), ("public.duckdb", tuple(public))):
        with duckdb.connect(str(place / file)) as connection:
            for statement in statements:
                connection.execute(statement)
    return deliveries
