"""Whatever text arrives is planned or refused, soon: never an error, never a long wait."""

from __future__ import annotations

import gc
import os
import random
import time
from pathlib import Path

import pytest

from queries.language.refusals import QueryRefused
from queries.plan.planner import plan
from queries.plan.price import Options
from queries.release.client import PublicReader, ReleaseEngine
from tests.parity import PRICE
from tests.plan.benches import DATASETS
from tests.properties.garbage import statements, text

TEXTS = int(os.environ.get("SLUIS_TEXTS", "2500"))
LONGEST = 1.0
"""Seconds of processor time for one text, and for one look of it at public tables."""


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(8))
def test_any_text_is_planned_or_refused_within_a_second(shard: int, tmp_path: Path) -> None:
    """The same texts in each run; with SLUIS_TEXTS=12500 a hundred thousand over all shards."""
    place = DATASETS[("nycflights13", "hi", "tpch")[shard % 3]]()
    engine = ReleaseEngine(place.deliveries, seconds=LONGEST, spill=tmp_path)
    public = PublicReader(engine, place.view.delivery)
    tables = [table.name for table in place.view.manifest.tables]
    names = tables + [c.name for table in place.view.manifest.tables for c in table.columns]
    dice, known = random.Random(shard), statements(tables)
    gc.collect()
    gc.freeze()  # what other tests have left is not to be searched within the second
    planned = 0
    for _ in range(TEXTS):
        given = text(dice, known, names)
        start = time.process_time()
        try:
            plan(given, place.view, public, PRICE, Options())
            planned += 1
        except QueryRefused as refusal:
            assert refusal.code
        took = time.process_time() - start
        assert took < LONGEST, (took, given)
    engine.close()
    gc.unfreeze()
    assert planned > TEXTS // 100  # some of it does make sense
