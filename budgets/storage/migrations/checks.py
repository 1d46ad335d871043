"""CHECK constraints replaced in place, so that a ledger of millions of rows migrates at once.

SQLite cannot alter a constraint. Its documentation (lang_altertable.html, section 7) gives the way
for changes that leave what is on disk as it is: edit the stored text of the table, then let every
connection read it anew.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def replaced(table: str, name: str, before: str, after: str) -> None:
    """Replace one CHECK; raises if the table does not have it as it was."""
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(name, table, type_="check")
        op.create_check_constraint(name, table, sa.text(after))
        return
    bind = op.get_bind()
    where = sa.text("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = :table")
    stands = bind.execute(where, {"table": table}).scalar_one()
    old, new = (f"CONSTRAINT {name} CHECK ({rule})" for rule in (before, after))
    if stands.count(old) != 1:
        raise RuntimeError(f"table {table} has no constraint {name} as it was made")
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql("PRAGMA writable_schema = ON")
    edit = sa.text("UPDATE sqlite_schema SET sql = :sql WHERE type = 'table' AND name = :table")
    bind.execute(edit, {"sql": stands.replace(old, new), "table": table})
    bind.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema = OFF")
