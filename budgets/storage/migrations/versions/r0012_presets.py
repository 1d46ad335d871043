"""The prices by words that a project sets for itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("project", sa.Column("presets", sa.Text()))


def downgrade() -> None:
    op.drop_column("project", "presets")
