"""The tables of deliveries: which there are, from which sources, and which a charge reads."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    UniqueConstraint,
)

from budgets.storage.columns import DIGEST, NAME, Moment, metadata, partial

delivery = Table(
    "delivery",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("number", BigInteger, nullable=False, comment="1, 2, ... within the dataset"),
    Column("dataset", NAME, ForeignKey("dataset.name"), nullable=False),
    Column("manifest_hash", DIGEST, nullable=False),
    Column("directory", Text, nullable=False),
    Column("registered_at", Moment, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("block", NAME, nullable=False, server_default="", comment="'': the dataset has none"),
    UniqueConstraint("dataset", "number", name="delivery_counted"),
    partial("delivery_active", "dataset", "block", where="active", unique=True),
)

delivery_source = Table(
    "delivery_source",
    metadata,
    Column("delivery", NAME, primary_key=True),
    Column("source", NAME, primary_key=True, comment="the table of the manifest"),
    Column("hash", DIGEST, nullable=False),
    ForeignKeyConstraint(["delivery"], ["delivery.id"]),
    Index("source_by_hash", "hash"),
)

# Of a charge that reads several deliveries, all but the newest.
charge_reads = Table(
    "charge_reads",
    metadata,
    Column("charge", ForeignKey("charge.id"), primary_key=True),
    Column("delivery", NAME, ForeignKey("delivery.id"), primary_key=True),
)
