"""Why a query that waited was not charged, and an index by which forgotten ones are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_WAITING = sa.text("state = 'queued' AND refusal IS NULL")


def upgrade() -> None:
    op.add_column("query", sa.Column("refusal", sa.Text(), nullable=True))
    op.create_index(
        "query_waiting", "query", ["due"], sqlite_where=_WAITING, postgresql_where=_WAITING
    )


def downgrade() -> None:
    op.drop_index("query_waiting", "query")
    op.drop_column("query", "refusal")
