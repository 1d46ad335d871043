"""Redeeming: which failed charge a query may be run under once more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

WAITING = sa.text("state = 'queued' AND redeems IS NOT NULL")


def upgrade() -> None:
    op.add_column("query", sa.Column("redeems", sa.BigInteger(), nullable=True))
    op.create_index(
        "query_redeemed",
        "query",
        ["project", "digest"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )


def downgrade() -> None:
    op.drop_index("query_redeemed", table_name="query")
    op.drop_column("query", "redeems")
