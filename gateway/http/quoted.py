"""Schemas of a quote: what an answer would cost, and how far off it would be."""

from __future__ import annotations

from marshmallow import Schema, fields
from marshmallow.validate import OneOf

from gateway.http.growing import blocks_read
from gateway.http.left_out import QuotedEffectsSchema
from gateway.http.standing import LossSchema


class AskedErrorSchema(Schema):
    """An error that was asked for, as it was resolved."""

    max_error = fields.String(required=True, metadata={"description": "as asked", "example": "5%"})
    margin = fields.Float(
        required=True,
        metadata={"description": "what it stays within: in the column's own unit, a rank in rows"},
    )
    magnitude = fields.Float(
        required=True, allow_none=True, metadata={"description": "what a share was taken of"}
    )
    group_size = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "rows of the group for which it holds, where that matters"},
    )
    source = fields.String(
        required=True,
        allow_none=True,
        validate=OneOf(["declared", "released", "given"]),
        metadata={"description": "whence these were taken"},
    )


class ExpectedErrorSchema(Schema):
    """The expected error of one column of an answer, from public facts alone."""

    name = fields.String(required=True, metadata={"description": "column of the answer"})
    mechanism = fields.String(required=True, allow_none=True, metadata={"description": "of OpenDP"})
    scale = fields.Float(
        required=True, allow_none=True, metadata={"description": "of the noise, column's own unit"}
    )
    margin = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "at the confidence asked, either way"},
    )
    rank_margin = fields.Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "of a quantile: rows by which its rank may be off, of an extreme from "
            "the very end; of a mode: rows by which another value may be more frequent"
        },
    )
    reason = fields.String(
        required=True, allow_none=True, metadata={"description": "why no margin can be told"}
    )
    asked = fields.Nested(
        AskedErrorSchema,
        required=True,
        allow_none=True,
        metadata={"description": "what max_error asked of it"},
    )


class ColumnPriceSchema(Schema):
    """One noisy column of a stage and its part of the loss."""

    name = fields.String(required=True, metadata={"description": "in the stage's own table"})
    read_by = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "the columns of the answer that are it or follow from it"},
    )
    rho = fields.String(required=True, metadata={"description": "its part of the loss"})
    epsilon = fields.String(
        required=True, allow_none=True, metadata={"description": "its part, in pure projects"}
    )
    share = fields.String(
        required=True, metadata={"description": "per cent of the whole query", "example": "50%"}
    )


class StagePriceSchema(Schema):
    """One stage of an answer: a noisy table, which later stages may read."""

    about = fields.String(required=True, metadata={"description": "what is measured"})
    reads = fields.List(
        fields.Integer(),
        required=True,
        metadata={"description": "the stages that are released first and read here, from 1"},
    )
    rho = fields.String(required=True, metadata={"description": "its part of the loss"})
    delta = fields.String(required=True, metadata={"description": "its part, where keys are found"})
    columns = fields.List(
        fields.Nested(ColumnPriceSchema),
        required=True,
        metadata={"description": "how its part is split over its noisy columns"},
    )


class QuoteSchema(Schema):
    """What an answer would cost, and how far off it would be; free, reads no data."""

    block = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "the block that would be read and pay, where it is one"},
    )
    blocks = blocks_read()
    privacy_loss = fields.Nested(
        LossSchema, required=True, metadata={"description": "the exact loss of a fresh answer"}
    )
    affordable = fields.Boolean(
        required=True, metadata={"description": "whether the project could pay it now"}
    )
    expected_error = fields.List(
        fields.Nested(ExpectedErrorSchema),
        required=True,
        metadata={"description": "column by column"},
    )
    other = fields.List(
        fields.Nested(ExpectedErrorSchema),
        required=True,
        allow_none=True,
        metadata={"description": "the same of the row of what is held back, where it is asked for"},
    )
    effects = fields.Nested(
        QuotedEffectsSchema,
        required=True,
        allow_none=True,
        metadata={"description": "what bounds leave out, where it is asked for"},
    )
    confidence = fields.Float(required=True, metadata={"description": "of the margins"})
    thresholding_delta = fields.String(
        required=True,
        metadata={"description": "delta that keys may be released at: the policy's share"},
    )
    held_back = fields.String(
        required=True,
        validate=OneOf(["none", "possible"]),
        metadata={"description": "whether groups may be missing"},
    )
    slot = fields.Float(
        required=True, metadata={"description": "seconds after which the answer leaves; 0: at once"}
    )
    stages = fields.List(
        fields.Nested(StagePriceSchema),
        required=True,
        metadata={"description": "what each stage of the answer costs, drawn anew"},
    )
    plan = fields.List(
        fields.String(), required=True, metadata={"description": "what would be done"}
    )
    warnings = fields.List(
        fields.String(), required=True, metadata={"description": "what to mind beforehand"}
    )
