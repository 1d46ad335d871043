"""Run in an environment with opendp and polars: questions in, answers of its Context API out."""

from __future__ import annotations

import json
import sys
import warnings

import opendp.prelude as dp
import polars as pl

CANDIDATES = 4096
dp.enable_features("contrib")
warnings.simplefilter("ignore")


def main() -> None:
    """Reads a JSON job from its input and prints the answers of each question as JSON.

    The Context finds the mechanism of a question once, which takes seconds; the draws are calls of
    that one measurement.
    """
    job = json.load(sys.stdin)
    found = {}
    for name, (statistics, by) in job["questions"].items():
        data = pl.scan_csv(job["csv"])
        measurement = _query(job, data, statistics, by).resolve()
        found[name] = [_drawn(measurement, data, by) for _ in range(job["draws"])]
    print(json.dumps(found))


def _query(job, data, statistics, by):
    margins = [dp.polars.Margin(by=[], max_length=job["rows"])]
    if by is not None:
        margins.append(dp.polars.Margin(by=[by], max_length=job["rows"], invariant="keys"))
    context = dp.Context.compositor(
        data=data,
        privacy_unit=dp.unit_of(contributions=1),
        privacy_loss=dp.loss_of(**job["loss"]),
        split_evenly_over=1,
        margins=margins,
    )
    asked = [
        _expression(job, column, statistic).alias(str(place))
        for place, (column, statistic) in enumerate(statistics)
    ]
    if by is None:
        return context.query().select(*asked)
    return context.query().group_by(by).agg(*asked)


def _expression(job, column, statistic):
    if statistic == "len":
        return dp.len()
    if statistic == "count":
        return pl.col(column).dp.count()
    if statistic == "distinct":
        return pl.col(column).dp.n_unique()
    kind, low, high = job["columns"][column]
    value = pl.col(column).cast(int if kind == "int" else float).fill_null(0)
    if kind != "int":
        value = value.fill_nan(0.0)
    if statistic in ("sum", "mean"):
        return getattr(value.dp, statistic)((low, high))
    candidates = [low + (high - low) * place / CANDIDATES for place in range(CANDIDATES + 1)]
    if statistic == "median":
        return value.dp.median(candidates)
    return value.dp.quantile(int(statistic[1:]) / 100, candidates)


def _drawn(measurement, data, by):
    frame = measurement(data).collect()
    if by is not None:
        frame = frame.sort(by)
    return [list(map(str, row)) for row in frame.rows()]


main()
