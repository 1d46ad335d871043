"""The datasets that planner tests ask, each opened once in a process."""

from __future__ import annotations

from functools import cache

from tests import datasets
from tests.parity import Bench
from tests.properties.clinic import clinic

DATASETS = {
    "nycflights13": datasets.nycflights13,
    "hi": datasets.hi,
    "tpch": datasets.tpch,
    "mobility": datasets.mobility,
    "breaches": datasets.breaches,
    "slack mobility": datasets.slack_mobility,
    "slack breaches": datasets.slack_breaches,
    "clinic": clinic,
}


@cache
def bench(name: str = "nycflights13") -> Bench:
    """The dataset of that name, registered, with its engines."""
    return Bench(DATASETS[name]())
