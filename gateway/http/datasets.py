"""Datasets: the public manifests of those that this caller may ask about."""

from __future__ import annotations

from flask import Response, jsonify
from flask.views import MethodView
from marshmallow import Schema, fields

from gateway.access import Act
from gateway.http import guard
from gateway.http.growing import GrowingSchema
from gateway.http.resources import Blueprint, house

blueprint = Blueprint("datasets", __name__, description="What there is to ask about.")


class DatasetSchema(Schema):
    """A dataset in short."""

    dataset = fields.String(required=True, metadata={"description": "its name"})
    title = fields.String(required=True, metadata={"description": "its title"})
    unit = fields.String(required=True, metadata={"description": "whom noise protects"})
    delivery = fields.String(required=True, metadata={"description": "the present delivery"})
    block = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "the newest block, where there are blocks"},
    )
    manifest_hash = fields.String(
        required=True, metadata={"description": "SHA-256 of the sealed manifest"}
    )


class ManifestSchema(DatasetSchema):
    """A dataset with its whole manifest: tables, columns, ranges, bounds, timing."""

    manifest = fields.Dict(
        keys=fields.String(),
        values=fields.Raw(allow_none=True),
        required=True,
        metadata={"description": "everything declared; nothing in it is read from the data"},
    )
    notes = fields.List(
        fields.String(), required=True, metadata={"description": "what to know before asking"}
    )
    growing = fields.Nested(
        GrowingSchema, metadata={"description": "its blocks, where it grows by blocks"}
    )


class DatasetsSchema(Schema):
    """All datasets that the caller may see."""

    datasets = fields.List(
        fields.Nested(DatasetSchema), required=True, metadata={"description": "by name"}
    )


@blueprint.resource("/v1/datasets")
class Datasets(MethodView):
    """The datasets of the house."""

    @blueprint.named("listDatasets")
    @blueprint.gives(200, DatasetsSchema, "Those of the caller's projects.")
    def get(self) -> Response:
        """List the datasets of the caller's projects."""
        caller = guard.caller()
        caller.require_scope(Act.READ)
        return jsonify({"datasets": house().catalog.datasets(caller)})


@blueprint.resource("/v1/datasets/<dataset>")
class Dataset(MethodView):
    """One dataset."""

    @blueprint.named("getDataset")
    @blueprint.gives(200, ManifestSchema, "The public manifest.")
    def get(self, dataset: str) -> Response:
        """Read a dataset's public manifest."""
        caller = guard.caller()
        caller.require_scope(Act.READ)
        return jsonify(house().catalog.dataset(caller, dataset))
