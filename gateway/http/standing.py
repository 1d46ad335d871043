"""Schemas of losses and of budgets as they stand."""

from __future__ import annotations

from marshmallow import Schema, fields
from marshmallow.validate import OneOf

from gateway.http.growing import GrowingSchema


class LossSchema(Schema):
    """A privacy loss, exactly: decimal text, never a float."""

    rho = fields.String(required=True, metadata={"description": "rho, exact", "example": "0.0005"})
    delta = fields.String(
        required=True, metadata={"description": "delta for thresholding, exact", "example": "0"}
    )
    epsilon = fields.String(
        required=True,
        metadata={
            "description": "epsilon: exact in a pure project, else at the project's own delta, "
            "rounded up",
            "example": "0.2",
        },
    )
    budget_share = fields.String(
        required=True,
        metadata={"description": "per cent of the project's whole budget", "example": "1.02%"},
    )


class StandingSchema(LossSchema):
    """What an account holds, spent or has left: as amounts and in words."""

    words = fields.String(
        required=True,
        metadata={"description": "in words", "example": "about 40 more counts by area at +-25"},
    )


class BudgetSchema(Schema):
    """The privacy budget of a project."""

    project = fields.String(required=True, metadata={"description": "the project"})
    dataset = fields.String(required=True, metadata={"description": "its dataset"})
    accountant = fields.String(
        required=True,
        validate=OneOf(["zcdp", "pure"]),
        metadata={"description": "how losses are added: rho (zcdp) or epsilon (pure)"},
    )
    frozen = fields.Boolean(
        required=True,
        metadata={"description": "true until an administrator has looked at three faults"},
    )
    ends = fields.String(
        allow_none=True,
        metadata={"description": "when what is not spent goes back to the dataset; null: never"},
    )
    expired = fields.Boolean(metadata={"description": "true once that time has come"})
    guarantee = fields.Nested(
        lambda: GuaranteeSchema(), required=True, metadata={"description": "what it guarantees"}
    )
    allocated = fields.Nested(
        StandingSchema, required=True, metadata={"description": "granted in all"}
    )
    reserved = fields.Nested(
        StandingSchema, required=True, metadata={"description": "held by queries that run now"}
    )
    spent = fields.Nested(StandingSchema, required=True, metadata={"description": "gone for good"})
    kept = fields.Nested(
        StandingSchema, metadata={"description": "set aside for later: charged by name alone"}
    )
    returned = fields.Nested(
        StandingSchema, metadata={"description": "gone back to the dataset, unspent, at its end"}
    )
    remaining = fields.Nested(
        StandingSchema, required=True, metadata={"description": "still to be spent"}
    )
    earmarks = fields.List(
        fields.Nested(lambda: EarmarkSchema()),
        metadata={"description": "on the budget's own page: what is kept, by name"},
    )
    growing = fields.Nested(
        GrowingSchema,
        metadata={"description": "on the budget's own page, where the dataset grows by blocks"},
    )


class EarmarkSchema(StandingSchema):
    """What a project keeps for later under a name, and has not taken of it."""

    name = fields.String(required=True, metadata={"description": "as `from_earmark` names it"})
    says = fields.String(
        required=True,
        metadata={"description": "in a sentence", "example": "30 % is kept for `final-report`."},
    )


class GuaranteeSchema(Schema):
    """What holds about everything this project will ever release."""

    epsilon = fields.String(required=True, metadata={"description": "epsilon of the whole grant"})
    delta = fields.String(required=True, metadata={"description": "delta of the whole grant"})
    unit = fields.String(required=True, metadata={"description": "whom it protects"})
