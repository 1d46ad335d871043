"""Rates of keys: how often one may ask, and with which key that is counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_key", sa.Column("rate", sa.Integer(), nullable=True))
    op.add_column("api_key", sa.Column("bucket", sa.String(200), nullable=True))


def downgrade() -> None:
    for column in ("bucket", "rate"):
        op.drop_column("api_key", column)
