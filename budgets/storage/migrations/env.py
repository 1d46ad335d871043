"""Alembic's entry: it migrates the connection that it is handed, and no other."""

from alembic import context

from budgets.storage.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
