"""The first schema: accounts, charges, queries, and the gateway's registry.

A revision is a fixed record of what was done: it imports nothing that may change later.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LARGE = sa.BigInteger()
MOMENT = sa.BigInteger()
COUNTED = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.String(200)
DIGEST = sa.String(64)
WORD = sa.String(20)
TEXT = sa.Text()
PARTS = ("rho", "delta", "epsilon")


def upgrade() -> None:
    _dataset()
    _member()
    _account()
    _delivery()
    _project()
    _api_key()
    _delivery_source()
    _membership()
    _query()
    _charge()
    _release()
    _entry()
    _stage()


def downgrade() -> None:
    for table in (
        "stage",
        "entry",
        "release",
        "charge",
        "query",
        "membership",
        "delivery_source",
        "api_key",
        "project",
        "delivery",
        "account",
        "member",
        "dataset",
    ):
        op.drop_table(table)


def _amounts(prefix: str) -> list[sa.Column[int]]:
    return [
        sa.Column(f"{prefix}_{part}", LARGE, nullable=False, server_default="0") for part in PARTS
    ]


def _bounds() -> list[sa.CheckConstraint]:
    rules = {
        "within": "reserved_{0} + spent_{0} <= cap_{0}",
        "promised": "allocated_{0} <= cap_{0}",
        "signs": "allocated_{0} >= 0 AND reserved_{0} >= 0 AND spent_{0} >= 0",
    }
    return [
        sa.CheckConstraint(rule.format(part), name=f"{name}_{part}")
        for name, rule in rules.items()
        for part in PARTS
    ]


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _dataset() -> None:
    op.create_table(
        "dataset",
        sa.Column("name", NAME, nullable=False),
        sa.Column("title", TEXT, server_default="", nullable=False),
        sa.Column("unit", NAME, server_default="", nullable=False),
        sa.Column("manifest_hash", DIGEST, nullable=True),
        sa.Column("created", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _member() -> None:
    op.create_table(
        "member",
        sa.Column("id", NAME, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _account() -> None:
    op.create_table(
        "account",
        sa.Column("id", COUNTED, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("owner", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("dataset", NAME, nullable=False),
        sa.Column("parent", COUNTED, nullable=True),
        sa.Column("epsilon", LARGE, nullable=False),
        sa.Column("delta", LARGE, nullable=False),
        *_amounts("cap"),
        *_amounts("allocated"),
        *_amounts("reserved"),
        *_amounts("spent"),
        sa.Column("head", DIGEST, nullable=True),
        sa.Column("length", LARGE, server_default="0", nullable=False),
        sa.CheckConstraint("kind IN ('dataset', 'block', 'project', 'analyst')", name="kind_known"),
        sa.CheckConstraint("(parent IS NULL) = (head IS NOT NULL)", name="head_on_root"),
        *_bounds(),
        sa.ForeignKeyConstraint(["dataset"], ["dataset.name"]),
        sa.ForeignKeyConstraint(["parent"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "owner", "name", name="account_named_once"),
    )


def _delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", NAME, nullable=False),
        sa.Column("number", LARGE, nullable=False),
        sa.Column("dataset", NAME, nullable=False),
        sa.Column("manifest_hash", DIGEST, nullable=False),
        sa.Column("directory", TEXT, nullable=False),
        sa.Column("registered_at", MOMENT, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["dataset"], ["dataset.name"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dataset", "number", name="delivery_counted"),
    )
    op.create_index("delivery_active", "delivery", ["dataset"], unique=True, **_where("active"))


def _project() -> None:
    op.create_table(
        "project",
        sa.Column("name", NAME, nullable=False),
        sa.Column("dataset", NAME, nullable=False),
        sa.Column("title", TEXT, server_default="", nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("frozen", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("faults", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("faults >= 0", name="faults_counted"),
        sa.ForeignKeyConstraint(["dataset"], ["dataset.name"]),
        sa.PrimaryKeyConstraint("name"),
    )


def _api_key() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", NAME, nullable=False),
        sa.Column("member", NAME, nullable=False),
        sa.Column("prefix", WORD, nullable=False),
        sa.Column("hash", DIGEST, nullable=False),
        sa.Column("project", NAME, nullable=True),
        sa.Column("role", WORD, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("expires", MOMENT, nullable=True),
        sa.Column("revoked", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.ForeignKeyConstraint(["project"], ["project.name"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
    )
    op.create_index("api_key_of_member", "api_key", ["member"])


def _delivery_source() -> None:
    op.create_table(
        "delivery_source",
        sa.Column("delivery", NAME, nullable=False),
        sa.Column("source", NAME, nullable=False),
        sa.Column("hash", DIGEST, nullable=False),
        sa.ForeignKeyConstraint(["delivery"], ["delivery.id"]),
        sa.PrimaryKeyConstraint("delivery", "source"),
    )
    op.create_index("source_by_hash", "delivery_source", ["hash"])


def _membership() -> None:
    op.create_table(
        "membership",
        sa.Column("id", COUNTED, nullable=False),
        sa.Column("member", NAME, nullable=False),
        sa.Column("project", NAME, nullable=True),
        sa.Column("role", WORD, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.ForeignKeyConstraint(["project"], ["project.name"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "membership_in_project",
        "membership",
        ["member", "project", "role"],
        unique=True,
        **_where("project IS NOT NULL"),
    )
    op.create_index(
        "membership_overall",
        "membership",
        ["member", "role"],
        unique=True,
        **_where("project IS NULL"),
    )


def _query() -> None:
    op.create_table(
        "query",
        sa.Column("number", COUNTED, nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("project", NAME, nullable=False),
        sa.Column("member", NAME, nullable=False),
        sa.Column("key", NAME, nullable=True),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("incident", NAME, nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'released', 'faulted')", name="state_known"
        ),
        sa.ForeignKeyConstraint(["project"], ["project.name"]),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("project", "key", name="query_key_used_once"),
    )
    op.create_index("query_of_project", "query", ["project", "number"])


def _charge() -> None:
    op.create_table(
        "charge",
        sa.Column("id", COUNTED, nullable=False),
        sa.Column("query", COUNTED, nullable=False),
        sa.Column("delivery", NAME, nullable=True),
        sa.Column("state", WORD, nullable=False),
        sa.Column("deadline", MOMENT, nullable=False),
        sa.Column("rho", LARGE, nullable=False),
        sa.Column("delta", LARGE, nullable=False),
        sa.Column("epsilon", LARGE, nullable=True),
        sa.CheckConstraint(
            "state IN ('reserved', 'settled', 'void', 'faulted', 'lost')", name="state_known"
        ),
        sa.ForeignKeyConstraint(["delivery"], ["delivery.id"]),
        sa.ForeignKeyConstraint(["query"], ["query.number"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "charge_of_query", "charge", ["query"], unique=True, **_where("state <> 'void'")
    )
    op.create_index(
        "charge_open", "charge", ["deadline", "delivery"], **_where("state = 'reserved'")
    )


def _release() -> None:
    op.create_table(
        "release",
        sa.Column("query", COUNTED, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["query"], ["query.number"]),
        sa.PrimaryKeyConstraint("query"),
    )


def _entry() -> None:
    op.create_table(
        "entry",
        sa.Column("dataset", NAME, nullable=False),
        sa.Column("number", LARGE, autoincrement=False, nullable=False),
        sa.Column("event", WORD, nullable=False),
        sa.Column("account", COUNTED, nullable=False),
        sa.Column("charge", COUNTED, nullable=True),
        sa.Column("rho", LARGE, nullable=False),
        sa.Column("delta", LARGE, nullable=False),
        sa.Column("epsilon", LARGE, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("hash", DIGEST, nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"]),
        sa.ForeignKeyConstraint(["charge"], ["charge.id"]),
        sa.ForeignKeyConstraint(["dataset"], ["dataset.name"]),
        sa.PrimaryKeyConstraint("dataset", "number"),
    )
    op.create_index("entry_of_charge", "entry", ["charge"])


def _stage() -> None:
    op.create_table(
        "stage",
        sa.Column("id", COUNTED, nullable=False),
        sa.Column("project", NAME, nullable=False),
        sa.Column("digest", NAME, nullable=False),
        sa.Column("charge", COUNTED, nullable=False),
        sa.Column("scales", TEXT, nullable=False),
        sa.Column("family", TEXT, nullable=False),
        sa.Column("delta", LARGE, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "(state = 'settled') = (document IS NOT NULL)", name="stored_when_settled"
        ),
        sa.CheckConstraint(
            "state IN ('reserved', 'settled', 'void', 'faulted', 'lost')", name="state_known"
        ),
        sa.ForeignKeyConstraint(["charge"], ["charge.id"]),
        sa.ForeignKeyConstraint(["project"], ["project.name"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "stage_in_flight",
        "stage",
        ["project", "digest"],
        unique=True,
        **_where("state = 'reserved'"),
    )
    op.create_index("stage_known", "stage", ["project", "digest"])
    op.create_index("stage_of_charge", "stage", ["charge"])
