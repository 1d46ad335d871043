"""Names that come near to one that is unknown: the way out of a slip of the pen.

Only names that the caller may see are ever compared, so a suggestion tells nothing new.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

CLOSE = 0.7


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The visible name nearest to this one, or None where none is near."""
    folded = {other.lower(): other for other in known}
    near = get_close_matches(name.lower(), folded, n=1, cutoff=CLOSE)
    return folded[near[0]] if near else None


def suggestion(name: str, known: Iterable[str]) -> str | None:
    """A hint that names the visible name nearest to this one, or None where none is near."""
    near = nearest(name, known)
    return f"Did you mean {near}?" if near else None
