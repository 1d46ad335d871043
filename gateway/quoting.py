"""Quotes: the expected error of every column, and what each stage and column of it costs.

Everything here follows from a plan, declared sizes and the errors that were asked for (P23).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from fractions import Fraction
from typing import Any

from budgets.amounts import written
from budgets.loss import PrivacyLoss
from gateway import budgeting, combined
from gateway.aims import Aim
from gateway.combined import Asked
from gateway.errors import Size
from gateway.grouped import Released, Table, tables
from gateway.others import LABEL
from gateway.refusals import ErrorNotOffered
from queries.plan import ranks
from queries.plan.followed import followed
from queries.plan.model import Noise, Plan, Stage
from queries.plan.noisy import beside
from queries.plan.planner import Outline
from queries.plan.post import Output, Role
from queries.plan.ratios import SHARE
from queries.plan.slopes import NoSlopes, Slopes
from queries.release.law import half_width, standard_width, variance

LOOSE = 1 + 1e-9
FOLLOWS = "It follows from noisy columns; its interval comes with the answer."


def errors(
    outline: Outline,
    aims: Sequence[Aim],
    size: Fraction | Size,
    confidence: float,
    released: Released | None = None,
    spread: Fraction | None = None,
) -> list[dict[str, Any]]:
    """The expected error of each noisy column, and what was asked of it.

    Where they hold for groups as they were `released`, these are given; so is `spread`.
    """
    plan, asked = outline.plan, {aim.name: aim for aim in aims}
    if not plan.stages:
        return []
    every = tables(outline, released or {}, spread)
    found = []
    for output, one in zip(plan.post.outputs, combined.sources(plan, every), strict=True):
        if one is not None:
            told = _error(one.output, _shown(one, plan), confidence)
            if one.output.role is not Role.MEASURE and not one.output.columns:
                plain = one.output in plan.post.outputs
                reason = expected(one, every, size, confidence, plain=plain)
                told["reason"] = reason or output.reason or told["reason"]
            found.append(told | {"asked": _asked(asked.get(output.name))})
    return found


def _shown(one: Asked, plan: Plan) -> Stage | None:
    """The table of which an output is a column: the answer's own, or the one that it is read from.

    Of the greatest or least of a column nothing is told but that it follows.
    """
    if plan.post.rowwise is not None and one.output in plan.post.outputs:
        return plan.table(plan.post.rowwise)
    return plan.table(one.tables[0].name) if one.tables and not one.utmost else None


def _asked(aim: Aim | None) -> dict[str, Any] | None:
    if aim is None:
        return None
    return {
        "max_error": aim.asked,
        "margin": float(aim.margin),
        "magnitude": aim.magnitude,
        "group_size": aim.rows,
        "source": aim.source,
    }


def other(plan: Plan, confidence: float) -> list[dict[str, Any]] | None:
    """The expected error of the row of what is held back, column by column, where it is asked."""
    stage = next((stage for stage in plan.stages if stage.other is not None), None)
    row = None if stage is None else beside(stage)
    if row is None:
        return None
    shown = replace(plan, stages=(row,), hierarchies=())
    return [
        _error(output, shown.table(shown.post.rowwise), confidence) | {"asked": None}
        for output in plan.post.outputs
        if output.role is not Role.KEY
    ]


def priced(stage: Stage, plan: Plan) -> dict[str, Any]:
    """What one stage measures and costs, and which ones it waits for, counted from 1."""
    numbers = [n for n, other in enumerate(plan.stages, 1) if other.name in stage.needs]
    loss = budgeting.exact_loss(PrivacyLoss(stage.rho, stage.delta))
    return {
        "about": stage.about,
        "reads": numbers,
        "rho": loss["rho"],
        "delta": loss["delta"],
        "columns": _split(stage, plan),
    }


def _split(stage: Stage, plan: Plan) -> list[dict[str, Any]]:
    """The noisy columns of a stage, which columns of the answer read them, and their parts."""
    named = [(column.name, column.noise) for column in stage.columns]
    named += [(found.name, found.noise) for found in stage.distributions]
    named += [(f"{d.name} ends", d.around) for d in stage.distributions if d.around is not None]
    named += [] if stage.top is None else [(stage.top.column, stage.top.noise)]
    if stage.other is not None:
        named += [(f"{column.name} {LABEL}", column.noise) for column in stage.other.columns]
    pure = all(one.epsilon is not None for one in plan.stages)
    whole = sum((one.epsilon or 0) if pure else one.rho for one in plan.stages)
    return [
        {
            "name": name,
            "read_by": _readers(stage, name.split()[0], plan),
            "rho": written(noise.rho),
            "epsilon": None if noise.epsilon is None else written(noise.epsilon),
            "share": budgeting.percent(
                Fraction((noise.epsilon or 0) if pure else noise.rho, whole)
            ),
        }
        for name, noise in named
    ]


def _readers(stage: Stage, column: str, plan: Plan) -> list[str]:
    """The columns of the answer that are a noisy column, or that follow from it."""
    targets = {t.name for one in stage.distributions if one.name == column for t in one.targets}
    names, table = targets | {column}, plan.post.rowwise
    members = (one.members for one in plan.hierarchies if one.name == table)
    own = stage.name == table or any(stage.name in some for some in members)
    return [
        output.name
        for output, tree in zip(plan.post.outputs, followed(plan), strict=True)
        if (own and _reads(output, names))
        or (tree is not None and any((stage.name, name) in tree.columns for name in names))
    ]


def _reads(output: Output, names: AbstractSet[str]) -> bool:
    """Whether an output of the answer's own rows is one of these columns, or follows from one."""
    return (
        not names.isdisjoint((output.column, *output.columns))
        or any(f'."{name}"' in (output.expression or "") for name in names)
        or (output.box is not None and any(map(output.box.reads, names)))
    )


def _error(output: Output, table: Stage | None, confidence: float) -> dict[str, Any]:
    """The expected error of one column, or why it cannot be told beforehand."""
    named = output.column if output.role is Role.MEASURE else next(iter(output.columns), None)
    error: dict[str, Any] = {
        "name": output.name, "mechanism": None, "scale": None, "margin": None, "rank_margin": None,
    }  # fmt: skip
    for stage in () if table is None else (table,):
        located = stage.located(named)
        if located is not None:
            mechanism, scale = located[0].noise.mechanism.value, ranks.scale(*located)
            told = {"mechanism": mechanism, "scale": scale}
            told["reason"] = ranks.told(*located, several=stage.several)
            if located[1].labels:
                told["margin"] = half_width(located[0].noise, confidence)
            else:
                told["rank_margin"] = math.ceil(ranks.reach(*located, confidence))
            return error | told
        for column in (column for column in stage.columns if column.name == named):
            step = (column.numerator << column.shift) / column.denominator
            margin = half_width(column.noise, confidence) * step
            error |= {"scale": column.noise.scale * step, "margin": margin, "reason": None}
            return error | {"mechanism": column.noise.mechanism.value}
    return error | {"reason": output.reason or FOLLOWS}


def expected(
    one: Asked, every: Sequence[Table], size: Fraction | Size, confidence: float, *, plain: bool
) -> str | None:
    """The error of what follows from noisy columns, as a function of a group's size (P23).

    What is `plain` follows from columns of one row, so that its interval can be told afterwards.
    """
    noises = [noise for table in every for noise in table.noises]
    told: list[tuple[float, float | None, str]] = []
    try:
        for table in one.tables if one.joined is None else one.tables[:1]:
            moved, found, near = _moved(one, table, size)
            margin = _width(moved, noises, confidence)
            if any(_width(apart, noises, confidence) > SHARE * LOOSE for apart in near):
                return None
            rows = table.rows(size) if one.joined is None else one.joined.rows(size)
            shown = math.sqrt(margin) if found.root else margin / (1 - SHARE * bool(near))
            where = f" and its values are {table.spreads}" if near else ""
            told.append((shown, None if found.straight else rows, where))
    except (NoSlopes, ErrorNotOffered):
        return None
    if not told or one.utmost:
        return None
    margin, rows, spread = max(told, key=lambda pair: pair[0])
    where = "" if rows is None else f" where a group has {rows:,.0f} rows{spread}"
    comes = "; its interval comes with the answer" if plain else ""
    return f"About +-{margin:,.4g}{where}{comes}."


Moved = dict[int, float]
"""How far a step of each place moves something."""


def _width(moved: Moved, noises: Sequence[Noise], confidence: float) -> float:
    spread = sum((by * by) * variance(noises[place]) for place, by in moved.items())
    return standard_width(noises[next(iter(moved))].mechanism, confidence) * math.sqrt(spread)


def _moved(
    one: Asked, table: Table, size: Fraction | Size
) -> tuple[Moved, Slopes, tuple[Moved, ...]]:
    """What moves an output, its slopes, and what moves its divisors; raises NoSlopes."""
    if one.joined is not None:
        moved, found = one.joined.slopes(size)
        near: tuple[Moved, ...] = ()
    else:
        found = table.slopes(one.output, size)
        moved = table.moved(found.by)
        near = tuple(map(table.moved, found.apart))
    if not moved:
        raise NoSlopes
    return moved, found, near
