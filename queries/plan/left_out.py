"""What is told of the effect of bounding: each share as SQL over its stage, and in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from queries.algebra.measures import Centred, Distinct, DistinctTotal, Rows, Statistic, Total, Units
from queries.algebra.scalars import Scalar, columns
from queries.catalog.manifest import Manifest
from queries.plan.effects import Bounding
from queries.plan.formulas import never_negative
from queries.plan.post import Output, Post
from queries.plan.shown import Effect, Effects

NOTHING = (
    "Nothing was left out by this query; the manifest's caps and ranges were applied at "
    "registration."
)
MEASURED = (
    "What this query's own bounds left out, over all groups together; what the manifest's caps and "
    "ranges dropped at registration is not among it."
)
UNRANGED = "What ranges of columns left out is not measured, or not of every number."


def told(measured: Sequence[Bounding], post: Post, manifest: Manifest, *, whole: bool) -> Effects:
    """The effects of a plan's bounds; `whole` says that those of ranges are among them."""
    found = tuple(effect for one in measured for effect in shares(one, post, manifest))
    sentences = [MEASURED] if found else [NOTHING] if whole else []
    return Effects(" ".join([*sentences, *([] if whole else [UNRANGED])]), found)


def shares(one: Bounding, post: Post, manifest: Manifest) -> Iterator[Effect]:
    """The shares that a stage tells, with the answer's columns where these show its measure."""
    unit, place = manifest.unit.name, 0
    if one.units:
        yield Effect(
            one.stage,
            "units",
            f"{unit} units that have more than was kept",
            (),
            ("m0", "m1"),
            _between(_ratio("m1", "m0")),
        )
        place = 2
    for lost in one.lost:
        names = (f"m{place}", f"m{place + 1}")
        place += 2
        share = f"(1 - {_ratio(names[1], names[0])})"
        read = post.outputs if post.rowwise == one.table else ()
        yield Effect(
            one.stage,
            *_told(lost.counted, manifest),
            tuple(o.name for o in read if _reads(o, lost.sources)),
            names,
            _between(share) if lost.falls and never_negative(lost.counted) else share,
        )


def _ratio(over: str, under: str) -> str:
    return f'(CAST("{over}" AS DOUBLE) / NULLIF(CAST("{under}" AS DOUBLE), 0))'


def _between(share: str) -> str:
    return f"LEAST(GREATEST({share}, 0), 1)"


def _reads(output: Output, names: tuple[str, ...]) -> bool:
    """Whether a column of the answer is computed from one of a table's columns."""
    text = output.expression or ""
    if output.box is not None and any(map(output.box.reads, names)):
        return True
    return output.column in names or any(re.search(rf"\b{name}\b", text) for name in names)


def _told(statistic: Statistic, manifest: Manifest) -> tuple[str, str]:
    """The kind of a statistic, and what it is in plain words."""
    match statistic:
        case Rows():
            return "rows", "rows"
        case Units():
            return "units-in-groups", f"{manifest.unit.name} units, counted in each group"
        case Distinct():
            return "distinct-values", "distinct values, counted in each group"
        case Total() | Centred():
            return "total", f"the total{_of(statistic.value, manifest)}"
        case DistinctTotal():
            return "distinct-total", f"the total of distinct values{_of(statistic.value, manifest)}"


def _of(value: Scalar, manifest: Manifest) -> str:
    """The manifest's columns that a value is computed from."""
    declared = {column.name for table in manifest.tables for column in table.columns}
    names = sorted({column.name for column in columns(value)} & declared)
    return f" of {', '.join(names)}" if names else ""
