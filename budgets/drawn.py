"""What the stages of a charge drew, as the entry that charged them vouches for it.

A later accountant counts losses anew from the mechanisms that each stage stores beside its loss. So
the entry of a charge holds a digest of them, and so does the one that takes up a redeemed charge
again, since its stages are planned anew then. Entries from before have none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from budgets.chain import quoted

NAME = "drawn"
_BEFORE = f'"{NAME}":"'
"""How it stands in a note, which is canonical JSON: no name or word in it can look like this."""
_LENGTH = 64


def digest(stages: Iterable[tuple[str, str]]) -> str:
    """The digest of some stages: what each is called, and the text of what it drew.

    It is that of the `canonical` list of them, put together here, as verifying asks for many.
    """
    pairs = ",".join(f"[{quoted(name)},{quoted(drawn)}]" for name, drawn in sorted(stages))
    return hashlib.sha256(f"[{pairs}]".encode("ascii")).hexdigest()


def told(note: str) -> str | None:
    """The digest that the text of a note holds, if any."""
    at = note.find(_BEFORE)
    return None if at < 0 else note[at + len(_BEFORE) :][:_LENGTH]
