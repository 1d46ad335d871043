"""Growing datasets: which block a delivery holds, and the rule that cuts a dataset into blocks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dataset", sa.Column("blocks", sa.Text(), nullable=True))
    op.add_column("delivery", sa.Column("block", sa.String(200), nullable=False, server_default=""))
    op.drop_index("delivery_active", table_name="delivery")
    _active("dataset", "block")


def downgrade() -> None:
    op.drop_index("delivery_active", table_name="delivery")
    _active("dataset")
    op.drop_column("delivery", "block")
    op.drop_column("dataset", "blocks")


def _active(*columns: str) -> None:
    op.create_index(
        "delivery_active",
        "delivery",
        list(columns),
        unique=True,
        sqlite_where=sa.text("active"),
        postgresql_where=sa.text("active"),
    )
