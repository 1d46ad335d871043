"""Terms: the price and the moment for which the plan of a charge was made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("charge", sa.Column("terms", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("charge", "terms")
