"""Several blocks in one question: which deliveries a charge reads, which stages are partial."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0019"
branch_labels = None
depends_on = None

COUNTED = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column(
        "stage", sa.Column("partial", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "charge_reads",
        sa.Column("charge", COUNTED, sa.ForeignKey("charge.id"), nullable=False),
        sa.Column("delivery", sa.String(200), sa.ForeignKey("delivery.id"), nullable=False),
        sa.PrimaryKeyConstraint("charge", "delivery"),
    )


def downgrade() -> None:
    op.drop_table("charge_reads")
    op.drop_column("stage", "partial")
