"""Migrations: every revision of the schema, applied by the program itself when it opens."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

HEAD = "0001"


def upgrade(connection: Connection) -> None:
    """Bring the database to the latest revision, within the connection's own transaction."""
    from alembic import command  # opened once in a database's life: not paid at every start
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
