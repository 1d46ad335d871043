"""Keys that are held to scopes, tell their last use and follow one another; the first of all keys.

`bootstrap` has one row at most: the secret by which the first administrator enters, once.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_key", sa.Column("scopes", sa.Text(), nullable=True))
    op.add_column("api_key", sa.Column("used", sa.BigInteger(), nullable=True))
    op.add_column("api_key", sa.Column("follows", sa.String(200), nullable=True))
    op.create_index("api_key_follows", "api_key", ["follows"], unique=True)
    op.create_table(
        "bootstrap",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("id = 1", name="bootstrap_once"),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("bootstrap")
    op.drop_index("api_key_follows", "api_key")
    for column in ("follows", "used", "scopes"):
        op.drop_column("api_key", column)
