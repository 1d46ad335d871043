"""Names: which may be declared, and which must be quoted in SQL."""

from __future__ import annotations

import re
from functools import lru_cache

import duckdb

MOST_CHARACTERS = 63
_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_DATASET = re.compile(r"[a-z][a-z0-9_-]{0,62}")


def dataset_name(text: str) -> str:
    """The name of a dataset: it stands in addresses and folders."""
    if not _DATASET.fullmatch(text):
        raise ValueError("not a name of small letters, digits, - and _ that begins with a letter")
    return text


def fault_of_name(name: str) -> str | None:
    """Why a table or column cannot have this name, or None."""
    if name.startswith("_"):
        return "names that begin with _ are the gateway's own"
    if not 0 < len(name) <= MOST_CHARACTERS:
        return f"a name has 1 to {MOST_CHARACTERS} characters"
    if name != name.strip() or not name.isprintable():
        return "a name has no control characters, nor blanks at its ends"
    return None


@lru_cache(maxsize=4096)
def is_bare(name: str) -> bool:
    """Whether SQL may use the name as it is, without double quotes."""
    if not _BARE.fullmatch(name):
        return False
    try:
        return len(duckdb.extract_statements(f"SELECT {name} FROM t")) == 1
    except duckdb.Error:
        return False


@lru_cache(maxsize=1)
def time_zones() -> frozenset[str]:
    """The names of time zones that the engine knows."""
    with duckdb.connect(":memory:") as engine:
        rows = engine.execute("SELECT name FROM pg_timezone_names()").fetchall()
    return frozenset(str(name) for (name,) in rows)
