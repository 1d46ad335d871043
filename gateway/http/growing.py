"""Schemas of a growing dataset: its blocks, and what is promised to somebody who is in many."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields


class CeilingSchema(Schema):
    """The most that may be revealed of one unit."""

    epsilon = fields.String(required=True, metadata={"description": "epsilon", "example": "4"})
    delta = fields.String(required=True, metadata={"description": "delta", "example": "1e-07"})


def blocks_read() -> fields.Field[Any]:
    """The field that says which blocks an answer is of."""
    words = "the blocks that are read and pay, oldest first; none where there are no blocks"
    return fields.List(fields.String(), required=True, metadata={"description": words})


class PromiseSchema(Schema):
    """What is promised to a person who is in some number of blocks."""

    blocks = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "in how many; null: however many there will be"},
    )
    cases = fields.Integer(
        required=True, metadata={"description": "of 100 in which they are found out, at most"}
    )
    says = fields.String(required=True, metadata={"description": "the same as a sentence"})


class GrowingSchema(Schema):
    """A dataset that grows by blocks."""

    every = fields.String(
        required=True, metadata={"description": "how long a block is", "example": "half-year"}
    )
    blocks = fields.List(
        fields.String(), required=True, metadata={"description": "those delivered, oldest first"}
    )
    ceiling = fields.Nested(
        CeilingSchema, required=True, metadata={"description": "of each block, over all projects"}
    )
    ceiling_over_all = fields.Nested(
        CeilingSchema, required=True, metadata={"description": "of all blocks together, for ever"}
    )
    promises = fields.List(
        fields.Nested(PromiseSchema),
        required=True,
        metadata={"description": "for a person in one block, in all, and in ever so many"},
    )
    lasting = fields.List(
        fields.String(),
        required=True,
        metadata={
            "description": "tables whose rows stand in every block: of these the last promise holds"
        },
    )
