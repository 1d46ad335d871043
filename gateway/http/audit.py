"""The record, for auditors: page by page, as a signed export, and as checkpoints to keep."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response, jsonify, stream_with_context
from flask.views import MethodView
from marshmallow import Schema, fields
from marshmallow.validate import Length, Range, Regexp

from gateway.access import Act
from gateway.audit import exporting, shown
from gateway.http import guard
from gateway.http.answers import SignedSchema
from gateway.http.resources import Blueprint, Body, house
from gateway.http.schemas import Closed
from gateway.record import Deed
from gateway.refusals import NotFound

blueprint = Blueprint("audit", __name__, description="Everything that was done and charged.")

LINES = "application/x-ndjson"


class AuditPageSchema(Closed):
    """Which entries."""

    chain = fields.String(
        load_default="record",
        validate=Length(1, 200),
        metadata={"description": "`record`, or `dataset:` and a dataset's name"},
    )
    cursor = fields.String(
        load_default="0",
        validate=Regexp(r"^[0-9]{1,18}$"),
        metadata={"description": "`next` of the page before"},
    )
    limit = fields.Integer(
        load_default=100,
        validate=Range(1, 1000),
        strict=False,
        metadata={"description": "most entries of a page"},
    )
    act = fields.String(validate=Length(1, 60), metadata={"description": "only this act"})
    by = fields.String(validate=Length(1, 200), metadata={"description": "only this member's"})
    project = fields.String(validate=Length(1, 63), metadata={"description": "only this project's"})


class HeadSchema(Schema):
    """Where a chain ends."""

    chain = fields.String(required=True, metadata={"description": "its name"})
    entries = fields.Integer(required=True, metadata={"description": "how many it has"})
    head = fields.String(required=True, metadata={"description": "the hash of the last"})


class AuditLossSchema(Schema):
    """What an entry posts."""

    rho = fields.String(required=True, metadata={"description": "of zCDP"})
    delta = fields.String(required=True, metadata={"description": "of thresholds"})
    epsilon = fields.String(required=True, metadata={"description": "where the account is pure"})


class AuditEntrySchema(Schema):
    """One act, charge or count."""

    number = fields.Integer(required=True, metadata={"description": "its place in the chain"})
    at = fields.String(required=True, metadata={"description": "when, in UTC"})
    by = fields.String(required=True, allow_none=True, metadata={"description": "who"})
    act = fields.String(required=True, metadata={"description": "what"})
    project = fields.String(required=True, allow_none=True, metadata={"description": "in which"})
    outcome = fields.String(
        required=True, metadata={"description": "`done`, or the code of the refusal"}
    )
    about = fields.Dict(
        keys=fields.String(),
        values=fields.Raw(allow_none=True),
        required=True,
        metadata={"description": "names, ids, hashes and counts that belong to it"},
    )
    loss = fields.Nested(
        AuditLossSchema, required=True, allow_none=True, metadata={"description": "what it posts"}
    )
    hash = fields.String(required=True, metadata={"description": "vouches for all before it"})


class AuditSchema(Schema):
    """A page of one chain, and where all chains end."""

    chains = fields.List(
        fields.Nested(HeadSchema), required=True, metadata={"description": "every chain"}
    )
    chain = fields.String(required=True, metadata={"description": "the one shown"})
    entries = fields.List(
        fields.Nested(AuditEntrySchema), required=True, metadata={"description": "oldest first"}
    )
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "cursor of the next page"}
    )


class CheckpointSchema(SignedSchema):
    """How long every chain is and where it ends."""

    public_key = fields.String(
        required=True, metadata={"description": "checks it; get it once by another way, too"}
    )


class ExportSchema(Schema):
    """One line of the export; `sluis audit verify` checks them all."""


@blueprint.resource("/v1/audit")
class Audit(MethodView):
    """The record, page by page."""

    @blueprint.named("readAudit")
    @blueprint.takes(AuditPageSchema, location="query")
    @blueprint.gives(200, AuditSchema, "A page of entries, oldest first.")
    def get(self, page: Body) -> Response:
        """Read what was done and charged, by whom and with what outcome; for auditors."""
        _auditor()
        house().record.write()
        wanted = shown.Wanted(
            page["chain"], int(page["cursor"]), page["limit"],
            page.get("act"), page.get("by"), page.get("project"),
        )  # fmt: skip
        found = shown.page(house().storage, wanted)
        if found is None:
            raise NotFound()
        return jsonify(found)


@blueprint.resource("/v1/audit/checkpoint")
class Checkpoint(MethodView):
    """A signed sentence about every chain."""

    @blueprint.named("takeCheckpoint")
    @blueprint.gives(
        200, CheckpointSchema, "How long every chain is now and where it ends, signed."
    )
    def get(self) -> Response:
        """Get a checkpoint of this moment, to be kept where the office cannot take it back."""
        _auditor()
        books = house().books
        taken = books.checkpoints.now().document()
        return jsonify(taken | {"public_key": books.signer.public})


@blueprint.resource("/v1/audit/export")
class Export(MethodView):
    """Every line of every chain."""

    @blueprint.named("exportAudit")
    @blueprint.gives(200, ExportSchema, "JSON, one line an entry, closed by a signature.")
    def get(self) -> Response:
        """Get all that was done, asked and charged, with the text of questions; for auditors."""
        _auditor()
        books = house().books
        books.record.write()
        books.record.told(Deed.AUDIT_EXPORTED, texts="yes")

        def lines() -> Iterator[str]:
            for line in exporting.lines(house().home, house().storage, books.signer, texts=True):
                yield line + "\n"

        return Response(stream_with_context(lines()), content_type=LINES)


def _auditor() -> None:
    guard.caller().require_overall(Act.AUDIT)
