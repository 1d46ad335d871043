"""Schemas of what goes out: releases and queries."""

from __future__ import annotations

from marshmallow import Schema, fields
from marshmallow.validate import OneOf

from gateway.http.growing import blocks_read
from gateway.http.left_out import EffectsSchema
from gateway.http.standing import BudgetSchema, LossSchema


class ColumnSchema(Schema):
    """One column of an answer."""

    name = fields.String(required=True, metadata={"description": "as DuckDB names it"})
    type = fields.String(
        required=True,
        metadata={
            "description": "integer, decimal, real, text, boolean, date, timestamp, list or map; "
            "a map is a list of its entries, each a key and a value, and so are its intervals"
        },
    )
    role = fields.String(
        required=True,
        validate=OneOf(["key", "measure", "derived"]),
        metadata={"description": "a group key, a noisy measure, or computed from such"},
    )
    mechanism = fields.String(
        allow_none=True,
        required=True,
        metadata={"description": "of the noise; null where none was added to this column"},
    )
    scale = fields.Float(
        allow_none=True, required=True, metadata={"description": "of the noise, in its own unit"}
    )
    reason = fields.String(
        allow_none=True, metadata={"description": "why the column carries no interval"}
    )


class IntervalsSchema(Schema):
    """Confidence intervals, cell by cell; null where there is none."""

    confidence = fields.Float(required=True, metadata={"description": "of each interval"})
    lower = fields.List(
        fields.List(fields.Raw(allow_none=True)),
        required=True,
        metadata={"description": "lower bounds, row by row"},
    )
    upper = fields.List(
        fields.List(fields.Raw(allow_none=True)),
        required=True,
        metadata={"description": "upper bounds, row by row"},
    )


class OtherSchema(Schema):
    """What a threshold held back, as one row; null where a column tells of single groups."""

    values = fields.List(
        fields.Raw(allow_none=True), required=True, metadata={"description": "column by column"}
    )
    lower = fields.List(
        fields.Raw(allow_none=True), required=True, metadata={"description": "lower bounds"}
    )
    upper = fields.List(
        fields.Raw(allow_none=True), required=True, metadata={"description": "upper bounds"}
    )


class SignedSchema(Schema):
    """A statement of the gateway, signed with Ed25519 over its canonical JSON."""

    statement = fields.Dict(
        keys=fields.String(),
        values=fields.Raw(allow_none=True),
        required=True,
        metadata={"description": "what is said"},
    )
    signature = fields.String(required=True, metadata={"description": "64 bytes in base64"})


class ReceiptSchema(SignedSchema):
    """What a release rests on and what it cost, signed; `sluis receipt verify` derives it again."""

    originals = fields.List(
        fields.Nested(SignedSchema),
        required=True,
        metadata={"description": "receipts of the releases that paid for stages served again"},
    )


class ReleaseSchema(Schema):
    """A release: what left, how noisy it is, and what it cost."""

    id = fields.String(required=True, metadata={"description": "random id of the query"})
    project = fields.String(required=True, metadata={"description": "the project charged"})
    dataset = fields.String(required=True, metadata={"description": "the dataset asked"})
    delivery = fields.String(required=True, metadata={"description": "the delivery it was run on"})
    block = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "the block it was run on and that paid, where it is one"},
    )
    blocks = blocks_read()
    sql = fields.String(required=True, metadata={"description": "the question as it was asked"})
    translation = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "what was answered, where the question is of another dialect"},
    )
    columns = fields.List(
        fields.Nested(ColumnSchema), required=True, metadata={"description": "in DuckDB's order"}
    )
    rows = fields.List(
        fields.List(fields.Raw(allow_none=True)),
        required=True,
        metadata={"description": "rows; dates and timestamps travel as ISO 8601 text"},
    )
    intervals = fields.Nested(
        IntervalsSchema, required=True, metadata={"description": "how far off each value may be"}
    )
    other = fields.Nested(
        OtherSchema,
        required=True,
        allow_none=True,
        metadata={"description": "all groups held back together; null unless options.other"},
    )
    effects = fields.Nested(
        EffectsSchema,
        required=True,
        allow_none=True,
        metadata={"description": "what the query's own bounds left out; null unless asked for"},
    )
    privacy_loss = fields.Nested(
        LossSchema, required=True, metadata={"description": "what this answer cost"}
    )
    budget = fields.Nested(
        lambda: BudgetSchema(),
        required=True,
        metadata={"description": "the budget right after this answer"},
    )
    held_back = fields.String(
        required=True,
        validate=OneOf(["none", "possible"]),
        metadata={"description": "whether groups may be missing; a fact of the plan, no number"},
    )
    replayed = fields.Boolean(
        required=True, metadata={"description": "true when nothing new was drawn or charged"}
    )
    plan = fields.List(
        fields.String(), required=True, metadata={"description": "what was done, in plain words"}
    )
    warnings = fields.List(
        fields.String(), required=True, metadata={"description": "what to mind when reading it"}
    )
    stages = fields.List(
        fields.Nested(lambda: StageSchema()),
        required=True,
        metadata={"description": "the noisy tables behind the answer, for later checks"},
    )
    created_at = fields.String(required=True, metadata={"description": "when it left, in UTC"})
    receipt = fields.Nested(
        ReceiptSchema, required=True, metadata={"description": "to be checked by anybody"}
    )


class StageSchema(Schema):
    """One noisy table: mechanisms, scales and loss, column by column."""

    digest = fields.String(required=True, metadata={"description": "names the bound question"})
    about = fields.String(required=True, metadata={"description": "what is measured"})
    reads = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "digests of the stages that were released first and read here"},
    )
    stored = fields.Boolean(
        required=True, metadata={"description": "true when an earlier draw served again, free"}
    )
    columns = fields.List(
        fields.Nested(lambda: NoiseSchema()),
        required=True,
        metadata={"description": "noise of each measure"},
    )
    other = fields.List(
        fields.Nested(lambda: NoiseSchema()),
        required=True,
        metadata={"description": "noise of the row of what is held back; empty without one"},
    )
    threshold = fields.Integer(
        allow_none=True,
        required=True,
        metadata={"description": "least noisy count of units that lets a key leave"},
    )


class NoiseSchema(Schema):
    """The noise of one measure column, as a vector over all groups."""

    name = fields.String(required=True, metadata={"description": "column of the stage"})
    mechanism = fields.String(required=True, metadata={"description": "of OpenDP"})
    l1 = fields.Integer(required=True, metadata={"description": "L1 sensitivity, in steps"})
    l2_squared = fields.Integer(
        required=True, metadata={"description": "square of the L2 sensitivity, in steps"}
    )
    scale = fields.Float(required=True, metadata={"description": "scale, in steps"})
    rho = fields.String(required=True, metadata={"description": "loss as rho"})
    epsilon = fields.String(
        allow_none=True, required=True, metadata={"description": "loss as epsilon, where pure"}
    )


class ListedQuerySchema(Schema):
    """A past query: its question and its state."""

    id = fields.String(required=True, metadata={"description": "random id"})
    project = fields.String(required=True, metadata={"description": "the project"})
    member = fields.String(required=True, metadata={"description": "who asked"})
    sql = fields.String(required=True, metadata={"description": "the question"})
    state = fields.String(
        required=True,
        validate=OneOf(["queued", "running", "released", "faulted", "refused"]),
        metadata={
            "description": "queued: waits for a worker, nothing is charged; running: charged; "
            "released, faulted or refused: it has ended"
        },
    )
    privacy_loss = fields.Nested(
        LossSchema,
        required=True,
        allow_none=True,
        metadata={"description": "charged; null while nothing is"},
    )
    incident = fields.String(required=True, allow_none=True, metadata={"description": "of a fault"})
    refusal = fields.Nested(
        lambda: RefusalSchema(),
        required=True,
        allow_none=True,
        metadata={"description": "why a refused query was not charged"},
    )
    created_at = fields.String(required=True, metadata={"description": "when it was asked, in UTC"})


class RefusalSchema(Schema):
    """Why a query that waited was not charged."""

    code = fields.String(required=True, metadata={"description": "as in problems"})
    detail = fields.String(required=True, metadata={"description": "in a sentence"})
    hint = fields.String(required=True, allow_none=True, metadata={"description": "the way out"})


class QuerySchema(ListedQuerySchema):
    """A past query: its question, its state, and its release once there is one."""

    release = fields.Nested(
        ReleaseSchema, required=True, allow_none=True, metadata={"description": "once released"}
    )
    not_composed = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "code, where the noisy tables are stored but nothing follows"},
    )


class QueriesSchema(Schema):
    """A page of past queries, newest first."""

    queries = fields.List(
        fields.Nested(ListedQuerySchema),
        required=True,
        metadata={"description": "without their releases"},
    )
    next = fields.String(
        allow_none=True,
        required=True,
        metadata={"description": "cursor of the next page; null on the last"},
    )
