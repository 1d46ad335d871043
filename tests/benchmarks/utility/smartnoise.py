"""Run in an environment with smartnoise-sql: questions in, its answers out, draw by draw."""

from __future__ import annotations

import json
import sys

import pandas
from snsql import Privacy, from_df

DELTA = 1e-6


def main() -> None:
    """Reads a JSON job from its input and prints the answers of each question as JSON.

    The exact aggregates, which take it half a second, are computed once for all draws.
    """
    job = json.load(sys.stdin)
    frame = pandas.read_csv(job["csv"])
    found = {}
    for name, sql in job["questions"].items():
        whole = _reader(frame, job, 1.0).get_privacy_cost(sql)[0]  # per column it charges several
        reader = _reader(frame, job, job["epsilon"] / float(whole))
        exact = _exact(reader, sql)
        found[name] = [
            _rows(reader.execute(sql, pre_aggregated=exact)) for _ in range(job["draws"])
        ]
    print(json.dumps(found))


def _reader(frame, job, epsilon):
    columns = {
        name: {"type": kind, **({} if low is None else {"lower": low, "upper": high})}
        for name, (kind, low, high) in job["columns"].items()
    }
    columns["respondent"]["private_id"] = True
    table = {"row_privacy": False, "rows": job["rows"], "max_ids": 1, "sample_max_ids": False,
             "censor_dims": False, "clamp_counts": False, **columns}  # fmt: skip
    return from_df(
        frame, privacy=Privacy(epsilon=epsilon, delta=DELTA), metadata={"": {"s": {"hi": table}}}
    )


def _exact(reader, sql):
    subquery, _ = reader._rewrite(sql)
    return [list(row) for row in reader.reader._execute_ast(subquery)]


def _rows(answer):
    return [list(map(str, row)) for row in answer[1:]]


main()
