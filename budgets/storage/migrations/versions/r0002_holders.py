"""Who holds a charge, and where the ledger stands: for servers that break in the midst of a commit.

`charge.holder` tells the call that reserved whether its commit arrived; `standing` has one row, on
which the readiness of the database is tried, and which says where a ledger has been moved.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("charge", sa.Column("holder", sa.String(32), nullable=True))
    standing = op.create_table(
        "standing",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("beats", sa.BigInteger(), nullable=False),
        sa.Column("moved", sa.Text(), nullable=True),
        sa.CheckConstraint("id = 1", name="standing_once"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(standing, [{"id": 1, "beats": 0, "moved": None}])


def downgrade() -> None:
    op.drop_table("standing")
    op.drop_column("charge", "holder")
