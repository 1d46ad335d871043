"""Idempotency keys are each member's own: a query keeps its key after its member's name."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE query SET key = member || ':' || key WHERE key IS NOT NULL")


def downgrade() -> None:
    op.execute("UPDATE query SET key = substr(key, length(member) + 2) WHERE key IS NOT NULL")
