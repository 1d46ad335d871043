"""Freezing of datasets and of access, and ceilings that may promise more than they hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from budgets.storage.migrations.checks import replaced

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

PARTS = ("rho", "delta", "epsilon")
BEFORE = "allocated_{0} <= cap_{0}"
AFTER = "allocated_{0} <= cap_{0} OR overcommit > 100"


def upgrade() -> None:
    op.add_column("project", _flag("locked"))
    op.add_column("account", _flag("frozen"))
    op.add_column(
        "account", sa.Column("overcommit", sa.Integer(), nullable=False, server_default="100")
    )
    for part in PARTS:
        replaced("account", f"promised_{part}", BEFORE.format(part), AFTER.format(part))


def downgrade() -> None:
    for part in PARTS:
        replaced("account", f"promised_{part}", AFTER.format(part), BEFORE.format(part))
    op.drop_column("account", "overcommit")
    op.drop_column("account", "frozen")
    op.drop_column("project", "locked")


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
