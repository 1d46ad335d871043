"""Migrations: every revision of the schema, and whether a database stands at one of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0015"


def upgrade(connection: Connection) -> None:
    """Bring the database to the latest revision, within the connection's own transaction."""
    from alembic import command  # opened once in a database's life: not paid at every start

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def known(revision: str) -> bool:
    """Whether this version of the program has that revision among its own."""
    from alembic.script import ScriptDirectory

    found = ScriptDirectory.from_config(_config()).walk_revisions()
    return revision in {one.revision for one in found}


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
