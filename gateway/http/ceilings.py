"""Ceilings: what a dataset may reveal in all; read, raised, overcommitted and frozen from above."""

from __future__ import annotations

from flask import Response, jsonify
from flask.views import MethodView
from marshmallow import Schema, fields
from marshmallow.validate import Length, OneOf, Range

from gateway.http.fields import Amount, Delta, Whole
from gateway.http.resources import Blueprint, Body, administrator, house, surveyor
from gateway.http.schemas import ReasonSchema
from gateway.http.standing import LossSchema

blueprint = Blueprint("ceilings", __name__, description="What datasets may reveal in all.")


class RaisedSchema(ReasonSchema):
    """A larger ceiling, as a whole; it is never lowered.

    Of a block it is at most that of the dataset.
    """

    epsilon = Amount(required=True, metadata={"description": "epsilon of the whole ceiling"})
    delta = Delta(metadata={"description": "delta of the whole ceiling; left out: as it stands"})
    block = fields.String(
        validate=Length(1, 20),
        metadata={
            "description": "of one block of a growing dataset; left out: over all",
            "example": "2026-H1",
        },
    )


class OvercommitmentSchema(ReasonSchema):
    """How much a ceiling may promise; charging stops at the ceiling all the same."""

    per_cent = Whole(
        required=True,
        validate=Range(100, 1000),
        metadata={"description": "of the ceiling, to all projects together", "example": 150},
    )


class CeilingPairSchema(Schema):
    """A guarantee."""

    epsilon = fields.String(required=True, metadata={"description": "epsilon"})
    delta = fields.String(required=True, metadata={"description": "delta"})


class ProjectShareSchema(CeilingPairSchema):
    """One project under a ceiling."""

    project = fields.String(required=True, metadata={"description": "its name"})
    spent = fields.String(required=True, metadata={"description": "per cent of its own budget"})
    left = fields.String(required=True, metadata={"description": "per cent of its own budget"})


class BlockShareSchema(CeilingPairSchema):
    """One block under a ceiling."""

    block = fields.String(required=True, metadata={"description": "its name"})
    spent = fields.String(required=True, metadata={"description": "per cent of its own ceiling"})
    left = fields.String(required=True, metadata={"description": "per cent of its own ceiling"})


class DatasetCeilingSchema(Schema):
    """A dataset's ceiling; shares are of the whole ceiling."""

    dataset = fields.String(required=True, metadata={"description": "the dataset"})
    accountant = fields.String(
        required=True,
        validate=OneOf(["zcdp", "pure"]),
        metadata={"description": "how losses are added: rho (zcdp) or epsilon (pure)"},
    )
    frozen = fields.Boolean(required=True, metadata={"description": "true: all projects stand"})
    ceiling = fields.Nested(
        CeilingPairSchema,
        required=True,
        metadata={"description": "over all projects and deliveries"},
    )
    promises_at_most = fields.String(
        required=True, metadata={"description": "per cent of it that projects may be promised"}
    )
    allocated = fields.Nested(
        LossSchema, required=True, metadata={"description": "promised to projects"}
    )
    reserved = fields.Nested(
        LossSchema, required=True, metadata={"description": "held by queries that run now"}
    )
    spent = fields.Nested(LossSchema, required=True, metadata={"description": "gone for good"})
    remaining = fields.Nested(
        LossSchema, required=True, metadata={"description": "not spent yet, promised or not"}
    )
    blocks = fields.List(
        fields.Nested(BlockShareSchema),
        required=True,
        metadata={"description": "the ceilings of blocks, oldest first, where it grows by blocks"},
    )
    projects = fields.List(
        fields.Nested(ProjectShareSchema),
        required=True,
        metadata={"description": "those with a budget"},
    )


@blueprint.resource("/v1/datasets/<dataset>/ceiling")
class Ceiling(MethodView):
    """The ceiling of a dataset."""

    @blueprint.named("getCeiling")
    @blueprint.gives(200, DatasetCeilingSchema, "The ceiling as it stands.")
    def get(self, dataset: str) -> Response:
        """Read a dataset's ceiling: what it holds, what projects were promised, what is spent."""
        surveyor()
        return jsonify(house().steward.ceiling(dataset))

    @blueprint.named("raiseCeiling")
    @blueprint.takes(RaisedSchema)
    @blueprint.gives(200, DatasetCeilingSchema, "The ceiling as it stands afterwards.")
    def post(self, body: Body, dataset: str) -> Response:
        """Raise a dataset's ceiling, or that of one of its blocks.

        A promise to the people in the data is loosened for good.
        """
        caller = administrator()
        raised = (dataset, body["epsilon"], body.get("delta"))
        house().steward.raise_ceiling(*raised, caller.member, body["reason"], body.get("block"))
        return jsonify(house().steward.ceiling(dataset))


@blueprint.resource("/v1/datasets/<dataset>/overcommitment")
class Overcommitment(MethodView):
    """How much a ceiling may promise."""

    @blueprint.named("overcommitCeiling")
    @blueprint.takes(OvercommitmentSchema)
    @blueprint.gives(200, DatasetCeilingSchema, "The ceiling as it stands afterwards.")
    def post(self, body: Body, dataset: str) -> Response:
        """Let projects be promised more than the ceiling, at which charging stops all the same."""
        caller = administrator()
        house().steward.overcommit(dataset, body["per_cent"], caller.member, body["reason"])
        return jsonify(house().steward.ceiling(dataset))


@blueprint.resource("/v1/datasets/<dataset>/freeze")
class Freeze(MethodView):
    """Stopping a dataset."""

    @blueprint.named("freezeDataset")
    @blueprint.takes(ReasonSchema)
    @blueprint.gives(200, DatasetCeilingSchema, "The ceiling, frozen.")
    def post(self, body: Body, dataset: str) -> Response:
        """Stop all projects of a dataset at once: nothing is charged, and no member is let in."""
        caller = administrator()
        house().steward.freeze_dataset(dataset, caller.member, body["reason"])
        return jsonify(house().steward.ceiling(dataset))


@blueprint.resource("/v1/datasets/<dataset>/thaw")
class Thaw(MethodView):
    """Lifting the freeze of a dataset."""

    @blueprint.named("thawDataset")
    @blueprint.takes(ReasonSchema)
    @blueprint.gives(200, DatasetCeilingSchema, "The ceiling, no longer frozen.")
    def post(self, body: Body, dataset: str) -> Response:
        """Let the projects of a dataset ask again, but for those that are frozen themselves."""
        caller = administrator()
        house().steward.thaw_dataset(dataset, caller.member, body["reason"])
        return jsonify(house().steward.ceiling(dataset))
