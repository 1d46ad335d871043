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
    """Reads a JSON job from its input and prints the answers of each question as JSON."""
    job = json.load(sys.stdin)
    found = {}
    for name, (column, statistic, by) in job["questions"].items():
        loss = {key: value * job["draws"] for key, value in job["loss"].items()}
        margins = [dp.polars.Margin(by=[], max_length=job["rows"])]
        if by is not None:
            margins.append(dp.polars.Margin(by=[by], max_length=job["rows"], invariant="keys"))
        context = dp.Context.compositor(
            data=pl.scan_csv(job["csv"]),
            privacy_unit=dp.unit_of(contributions=1),
            privacy_loss=dp.loss_of(**loss),
            split_evenly_over=job["draws"],
            margins=margins,
        )
        asked = _expression(job, column, statistic)
        found[name] = [_draw(context, asked, by) for _ in range(job["draws"])]
    print(json.dumps(found))


def _expression(job, column, statistic):
    if statistic == "len":
        return dp.len()
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


def _draw(context, asked, by):
    query = context.query() if by is None else context.query().group_by(by)
    frame = (query.select(asked) if by is None else query.agg(asked)).release().collect()
    if by is not None:
        frame = frame.sort(by)
    return [[*map(str, row[:-1]), float(row[-1])] for row in frame.rows()]


main()
