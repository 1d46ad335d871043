"""Ends of allocations, the greatest time of each chain, and what projects keep for later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from budgets.storage.migrations.checks import replaced

revision = "0014"
down_revision = "0016"
branch_labels = None
depends_on = None

PARTS = ("rho", "delta", "epsilon")
KINDS = "kind IN ('dataset', 'block', 'project', 'analyst')"
MORE_KINDS = "kind IN ('dataset', 'block', 'project', 'analyst', 'earmark')"
BEFORE = "reserved_{0} + spent_{0} <= cap_{0}"
AFTER = (
    "reserved_{0} + spent_{0} + CASE WHEN kind = 'project' THEN allocated_{0} ELSE 0 END <= cap_{0}"
)


def upgrade() -> None:
    op.add_column("account", sa.Column("expires", sa.BigInteger(), nullable=True))
    op.add_column("account", sa.Column("latest", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE account SET latest = (SELECT MAX(at) FROM entry "
        "WHERE entry.dataset = account.dataset) WHERE parent IS NULL"
    )
    replaced("account", "kind_known", KINDS, MORE_KINDS)
    for part in PARTS:
        replaced("account", f"within_{part}", BEFORE.format(part), AFTER.format(part))


def downgrade() -> None:
    for part in PARTS:
        replaced("account", f"within_{part}", AFTER.format(part), BEFORE.format(part))
    replaced("account", "kind_known", MORE_KINDS, KINDS)
    op.drop_column("account", "latest")
    op.drop_column("account", "expires")
