"""Schemas of the effect of bounding: what a query's own bounds left out, and what it costs."""

from __future__ import annotations

from marshmallow import Schema, fields
from marshmallow.validate import OneOf

KINDS = ("units", "rows", "total", "units-in-groups", "distinct-values", "distinct-total")


class LeftOutSchema(Schema):
    """Of what a share is."""

    of = fields.String(
        required=True,
        validate=OneOf(KINDS),
        metadata={"description": "of units that have more than was kept, of rows, of a total, ..."},
    )
    about = fields.String(required=True, metadata={"description": "the same in plain words"})
    columns = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "columns of the answer that are computed from it"},
    )


class ShareSchema(LeftOutSchema):
    """Which share of one statistic bounds left out, over all groups together."""

    share = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "1 is all of it, below 0 where ranges add; null where untold"},
    )
    lower = fields.Float(required=True, allow_none=True, metadata={"description": "lower bound"})
    upper = fields.Float(required=True, allow_none=True, metadata={"description": "upper bound"})


class EffectsSchema(Schema):
    """What a query's own bounds left out of its answer."""

    note = fields.String(required=True, metadata={"description": "what is told, and what is not"})
    shares = fields.List(
        fields.Nested(ShareSchema),
        required=True,
        metadata={"description": "empty where bounds touch nothing"},
    )


class ShareErrorSchema(LeftOutSchema):
    """How far off a share would be, from public facts alone."""

    margin = fields.Float(
        required=True,
        metadata={
            "description": "at the confidence asked, either way, in the unit of what is counted or "
            "summed; divided by all there is of it, the margin of a small share"
        },
    )


class QuotedEffectsSchema(Schema):
    """What it would cost to know what bounds leave out."""

    note = fields.String(required=True, metadata={"description": "what is told, and what is not"})
    rho = fields.String(required=True, metadata={"description": "its part of the loss"})
    shares = fields.List(
        fields.Nested(ShareErrorSchema), required=True, metadata={"description": "share by share"}
    )
