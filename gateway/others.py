"""The row of what was held back, as people read it: labelled, as the last line of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

LABEL = "(other)"


def labelled(columns: Sequence[Mapping[str, Any]], values: Sequence[Any]) -> list[Any]:
    """The row's values, with its label in the first column of a key."""
    keys = [place for place, column in enumerate(columns) if column["role"] == "key"]
    return [LABEL if [place] == keys[:1] else value for place, value in enumerate(values)]
