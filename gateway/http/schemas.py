"""Schemas of what comes in: a submission, its options, and which page of a list.

Schemas of the smaller resources stand in their own files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema
from marshmallow.validate import Length, OneOf, Range, Regexp

from gateway.http.fields import (
    NAME_PATTERN,
    Amount,
    Blocks,
    Bound,
    Flag,
    GroupSize,
    MaxError,
    Number,
    Share,
    Spread,
    Whole,
)
from gateway.presets import Preset
from queries.language.dialects import DIALECTS

PRICES = ("epsilon", "rho", "budget_share", "remaining_share", "max_error", "preset")
WAYS = (*PRICES, "from_release")
MAX_SQL = 16_384
SAID = r"^\s*\S"
"""Of a text that says something."""
MOST = 10**9


class Closed(Schema):
    """A schema that takes no names but its own."""

    class Meta:
        unknown = "raise"
        ordered = True


class ColumnBoundSchema(Closed):
    """A tighter range for one column."""

    lower = Bound(required=True, metadata={"description": "least value; smaller ones are clamped"})
    upper = Bound(required=True, metadata={"description": "largest value; larger ones are clamped"})


class BoundsSchema(Closed):
    """Bounds that tighten what the manifest says; they never widen it."""

    groups_per_unit = Whole(
        validate=Range(1, MOST), metadata={"description": "most groups one unit counts in"}
    )
    rows_per_group = Whole(
        validate=Range(1, MOST), metadata={"description": "most rows of one unit in one group"}
    )
    columns = fields.Dict(
        keys=fields.String(validate=Length(1, 128)),
        values=fields.Nested(ColumnBoundSchema),
        validate=Length(max=64),
        metadata={"description": "tighter ranges by column name"},
    )


class OptionsSchema(Closed):
    """How the question is to be answered."""

    replay = Flag(
        load_default=True,
        metadata={
            "description": "false asks for a fresh, newly charged draw (needs an Idempotency-Key)"
        },
    )
    bounds = fields.Nested(BoundsSchema, metadata={"description": "tighter bounds"})
    minimum_frequency = Whole(
        validate=Range(1, MOST),
        metadata={"description": "keys whose noisy count of units is lower are held back"},
    )
    non_negative = Flag(
        load_default=False,
        metadata={"description": "true keeps counts, and sums that cannot be, from being negative"},
    )
    other = Flag(
        load_default=False,
        metadata={
            "description": "true adds one row, charged with the rest, of all groups that a "
            "threshold holds back"
        },
    )
    effects = Flag(
        load_default=False,
        metadata={
            "description": "true adds, charged with the rest, which share of rows and totals the "
            "bounds of this question leave out"
        },
    )
    dialect = fields.String(
        validate=Length(1, 20),
        metadata={"description": f"the dialect of the SQL: {', '.join(DIALECTS)}"},
    )
    wait = Whole(
        validate=Range(0, 3600),
        metadata={"description": "seconds to wait for the answer before a 202 is sent"},
    )


class SubmissionSchema(Closed):
    """A question and one price (epsilon, rho, budget_share, remaining_share, max_error or preset),
    or the past release from which it is answered free.
    """

    sql = fields.String(
        required=True,
        validate=Length(1, MAX_SQL),
        metadata={
            "description": "one SELECT statement, as DuckDB would understand it",
            "example": "SELECT area, COUNT(DISTINCT device_id) AS devices FROM pings GROUP BY area",
        },
    )
    epsilon = Amount(
        metadata={"description": "epsilon of the answer alone, at the project's delta"}
    )
    rho = Amount(metadata={"description": "rho of zero-concentrated differential privacy"})
    budget_share = Share(
        metadata={"description": "a share of the project's whole budget", "example": "1%"}
    )
    remaining_share = Share(
        metadata={"description": "a share of what the project has left", "example": "1%"}
    )
    preset = fields.String(
        validate=OneOf([preset.value for preset in Preset]),
        metadata={"description": "a price in a word, which the project sets; see its presets"},
    )
    max_error = MaxError(
        metadata={
            "description": "the error that every noisy column is to stay within at the confidence, "
            "or an object with that of each: in its own unit, a share of its magnitude, or of a "
            "quantile's rank in rows (`2% of rows`); the least loss that reaches it is charged"
        }
    )
    group_size = GroupSize(
        metadata={
            "description": "with max_error: the rows of a group for which it is meant: a number, "
            "`declared` (by the manifest's sizes; unless given) or `released` (by the project's "
            "first release of the same groups)"
        }
    )
    group_spread = Spread(
        metadata={
            "description": "with max_error: the least standard deviation in a group, as a share of "
            "the range, of what is correlated or regressed; as if values lay evenly (28.9%) unless "
            "given, or as they were released where `group_size` says so",
            "example": "10%",
        }
    )
    confidence = Number(
        validate=Range(0.5, 0.999),
        metadata={"description": "of the intervals; 0.95 unless given", "example": 0.95},
    )
    from_release = fields.String(
        validate=Length(1, 128),
        metadata={
            "description": "instead of a price: the id of a past release of this project, which "
            "`FROM release` then means; the answer is computed of it, free, or refused"
        },
    )
    block = fields.String(
        validate=Length(1, 20),
        metadata={
            "description": "the block that is read, of a dataset that grows by blocks; the newest "
            "unless given",
            "example": "2026-H1",
        },
    )
    from_earmark = fields.String(
        validate=Regexp(NAME_PATTERN),
        metadata={
            "description": "what the project keeps for later and is to pay for this, by its name; "
            "for project leads. Shares stay those of the whole budget, and `remaining_share` is of "
            "what is kept",
            "example": "final-report",
        },
    )
    blocks = Blocks(
        metadata={
            "description": "several blocks that are read as one: `all`, a list of names, or text "
            "with spans; each of them pays",
            "example": "2025-H1..2026-H2",
        }
    )
    options = fields.Nested(OptionsSchema, metadata={"description": "how to answer"})

    @validates_schema
    def one_price(self, body: Mapping[str, Any], **_: Any) -> None:
        """No price is a default, and two prices contradict each other."""
        if sum(name in body for name in WAYS) != 1:
            raise ValidationError(f"Give exactly one of {', '.join(WAYS)}.")
        if "block" in body and "blocks" in body:
            raise ValidationError("Give block or blocks.")
        for name in ("group_size", "group_spread"):
            if name in body and "max_error" not in body:
                raise ValidationError(f"{name} goes with max_error.")


class ReasonSchema(Closed):
    """Why something is done."""

    reason = fields.String(
        required=True,
        validate=[Length(1, 500), Regexp(SAID)],
        metadata={"description": "why, for the record", "example": "a key was lost"},
    )


class PageSchema(Closed):
    """Which page of a list."""

    cursor = fields.String(
        validate=Regexp(r"^[0-9]{1,18}$"), metadata={"description": "`next` of the page before"}
    )
    limit = fields.Integer(
        load_default=50,
        validate=Range(1, 200),
        strict=False,
        metadata={"description": "most entries of a page"},
    )
