"""When the slot of a running query ends, so that who asks meanwhile is told when to come back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("query", sa.Column("due", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("query", "due")
