"""Budget plans: what typical questions would need of a dataset's ceiling; free, reads no data."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from flask import Response, jsonify
from flask.views import MethodView
from marshmallow import Schema, ValidationError, fields, validates_schema
from marshmallow.validate import Length, OneOf, Range

from gateway.http.fields import Amount, Blocks, Delta, GroupSize, MaxError, Number, Spread, Whole
from gateway.http.queries import question
from gateway.http.quoted import ExpectedErrorSchema
from gateway.http.resources import Blueprint, Body, administrator, house
from gateway.http.schemas import MAX_SQL, Closed
from gateway.provision import Expected

blueprint = Blueprint("plans", __name__, description="How much budget is enough.")

WAYS = ("max_error", "epsilon", "rho")


class ExpectedSchema(Closed):
    """A question that is expected, how exact it is to be, and how often it will be asked."""

    title = fields.String(
        load_default="", validate=Length(max=200), metadata={"description": "for people"}
    )
    sql = fields.String(
        required=True,
        validate=Length(1, MAX_SQL),
        metadata={"description": "one SELECT statement", "example": "SELECT COUNT(*) FROM pings"},
    )
    max_error = MaxError(metadata={"description": "as in a query: the error it is to stay within"})
    group_size = GroupSize(metadata={"description": "as in a query: a number, or `declared`"})
    group_spread = Spread(metadata={"description": "as in a query: a share of ranges"})
    epsilon = Amount(metadata={"description": "as in a query: epsilon of one answer"})
    rho = Amount(metadata={"description": "as in a query: rho of one answer"})
    confidence = Number(
        validate=Range(0.5, 0.999), metadata={"description": "of the errors; 0.95 unless given"}
    )
    block = fields.String(
        validate=Length(1, 20),
        metadata={
            "description": "as in a query: the block that is read; the newest unless given",
            "example": "2026-H1",
        },
    )
    blocks = Blocks(
        metadata={"description": "as in a query: several that are read as one", "example": "all"}
    )
    times = Whole(
        load_default=1,
        validate=Range(1, 10**6),
        metadata={"description": "how often, each time about something else", "example": 12},
    )

    @validates_schema
    def one_price(self, body: Mapping[str, Any], **_: Any) -> None:
        """One way to say how exact."""
        if sum(name in body for name in WAYS) != 1:
            raise ValidationError(f"Give exactly one of {', '.join(WAYS)}.")
        if "block" in body and "blocks" in body:
            raise ValidationError("Give block or blocks.")


class NewPlanSchema(Closed):
    """Questions that a project is expected to ask of a dataset."""

    delta = Delta(
        metadata={"description": "delta of the project's guarantee; the ceiling's unless given"}
    )
    questions = fields.List(
        fields.Nested(ExpectedSchema),
        required=True,
        validate=Length(1, 100),
        metadata={"description": "what will be asked"},
    )


class PricedSchema(Schema):
    """One question with its price."""

    title = fields.String(required=True, metadata={"description": "as given"})
    times = fields.Integer(required=True, metadata={"description": "how often"})
    blocks = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "the blocks that it reads, each of which pays; none without any"},
    )
    epsilon = fields.String(required=True, metadata={"description": "of one answer alone"})
    expected_error = fields.List(
        fields.Nested(ExpectedErrorSchema),
        required=True,
        metadata={"description": "how far off one answer may be"},
    )
    warnings = fields.List(
        fields.String(), required=True, metadata={"description": "why it may not be useful"}
    )


class EnoughSchema(Schema):
    """An allocation, and how exact the same questions are with it."""

    epsilon = fields.String(required=True, metadata={"description": "to be allocated"})
    errors = fields.Float(
        required=True, metadata={"description": "times the errors of `questions`; 1: the same"}
    )
    ceiling_share = fields.String(
        required=True, metadata={"description": "per cent of the dataset's ceiling"}
    )
    block_epsilon = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "the ceiling that the block needs which pays most, if any does"},
    )


class PayingSchema(Schema):
    """What the questions take of one block."""

    name = fields.String(required=True, metadata={"description": "the block"})
    epsilon = fields.String(
        required=True, metadata={"description": "what all of them take of it, at its own delta"}
    )
    ceiling = fields.String(required=True, metadata={"description": "its ceiling as it stands"})
    ceiling_share = fields.String(
        required=True, metadata={"description": "per cent of that; above 100 they do not fit"}
    )


class PlanSchema(Schema):
    """What the questions need, and what other allocations would give."""

    dataset = fields.String(required=True, metadata={"description": "the dataset"})
    accountant = fields.String(
        required=True,
        validate=OneOf(["zcdp", "pure"]),
        metadata={"description": "how losses are added"},
    )
    delta = fields.String(required=True, metadata={"description": "of the guarantee"})
    questions = fields.List(
        fields.Nested(PricedSchema), required=True, metadata={"description": "in their order"}
    )
    allocations = fields.List(
        fields.Nested(EnoughSchema),
        required=True,
        metadata={"description": "a quarter to four times of what is needed, the least first"},
    )
    blocks = fields.List(
        fields.Nested(PayingSchema),
        required=True,
        metadata={"description": "the blocks of a growing dataset, by name; none without any"},
    )


@blueprint.resource("/v1/datasets/<dataset>/budget-plans")
class Plans(MethodView):
    """Plans of budgets; nothing is kept of them."""

    @blueprint.named("planBudget")
    @blueprint.takes(NewPlanSchema)
    @blueprint.gives(200, PlanSchema, "What is enough.")
    def post(self, body: Body, dataset: str) -> Response:
        """Learn what allocation gives typical questions what accuracy; free, reads no data."""
        administrator()
        asks = [
            Expected(one["title"], question("", one), one["times"]) for one in body["questions"]
        ]
        delta: Fraction | None = body.get("delta")
        return jsonify(house().provision.planned(dataset, delta, asks))
