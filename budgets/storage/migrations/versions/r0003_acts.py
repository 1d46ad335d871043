"""The record of acts: one line for each act of a person, a program or the gateway itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "act",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("key", sa.String(200), nullable=True),
        sa.Column("act", sa.String(40), nullable=False),
        sa.Column("project", sa.String(200), nullable=True),
        sa.Column("outcome", sa.String(60), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("act_of_project", "act", ["project", "number"])


def downgrade() -> None:
    op.drop_table("act")
