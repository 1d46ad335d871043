"""Quotes: the expected error of every column, and what each stage and column of it costs.

Everything here follows from a plan, declared sizes and the errors that were asked for (P23).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from budgets.amounts import written
from budgets.loss import PrivacyLoss
from gateway import budgeting
from gateway.aims import Aim
from gateway.errors import Size
from gateway.grouped import tables
from gateway.others import LABEL
from gateway.refusals import ErrorNotOffered
from queries.plan import ranks
from queries.plan.model import Plan, Stage
from queries.plan.noisy import beside
from queries.plan.planner import Outline
from queries.plan.post import Output, Role
from queries.plan.slopes import NoSlopes
from queries.release.law import half_width, standard_width, variance

FOLLOWS = "It follows from noisy columns; its interval comes with the answer."


def errors(
    outline: Outline, aims: Sequence[Aim], size: Fraction | Size, confidence: float
) -> list[dict[str, Any]]:
    """The expected error of each noisy column, and what was asked of it."""
    plan, asked = outline.plan, {aim.name: aim for aim in aims}
    found = []
    for output in plan.post.outputs if plan.stages else ():
        if output.role is not Role.KEY:
            told = _error(output, plan, confidence)
            if output.expression is not None:
                told["reason"] = expected(outline, output, size, confidence) or FOLLOWS
            found.append(told | {"asked": _asked(asked.get(output.name))})
    return found


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
        _error(output, shown, confidence) | {"asked": None}
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
    table = plan.post.rowwise
    if all(stage.name not in one.members or one.name != table for one in plan.hierarchies) and (
        stage.name != table
    ):
        return []
    targets = {t.name for one in stage.distributions if one.name == column for t in one.targets}
    return [
        output.name
        for output in plan.post.outputs
        if not (targets | {column}).isdisjoint((output.column, *output.columns))
        or f'."{column}"' in (output.expression or "")
        or (output.box is not None and any(map(output.box.reads, targets | {column})))
    ]


def _error(output: Output, plan: Plan, confidence: float) -> dict[str, Any]:
    """The expected error of one column, or why it cannot be told beforehand."""
    table = plan.table(plan.post.rowwise) if plan.post.rowwise is not None else None
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
    outline: Outline, output: Output, size: Fraction | Size, confidence: float
) -> str | None:
    """The error of what follows from noisy columns, as a function of a group's size (P23)."""
    told: list[tuple[float, float | None]] = []
    try:
        for table in (one for one in tables(outline, {}) if one.shown):
            found = table.slopes(output, size)
            spread = 0.0
            for name, slope in found.by.items():
                noise = next(one.noise for one in table.columns if one.name == name)
                spread += (slope * table.step(name)[1]) ** 2 * variance(noise)
            width = standard_width(table.columns[0].noise.mechanism, confidence)
            rows = None if found.straight else table.rows(size)
            margin = width * math.sqrt(spread)
            told.append((math.sqrt(margin) if found.root else margin, rows))
    except (NoSlopes, ErrorNotOffered):
        return None
    margin, rows = max(told, key=lambda one: one[0])
    where = "" if rows is None else f" where a group has {rows:,.0f} rows"
    return f"About +-{margin:,.4g}{where}; its interval comes with the answer."
