"""Submissions: what a caller asks, as a frozen value with one canonical form and one digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from threading import Event

from gateway.errors import Wanted
from gateway.presets import Preset
from gateway.prices import Asked
from queries import codec
from queries.plan.price import Options

LATER = ("block", "blocks", "earmark", "spread")
"""What a question may name, and what questions were stored without that did not."""
CONFIDENCE = Fraction(95, 100)


@dataclass(frozen=True, slots=True)
class Question:
    """All that decides what an answer says: stored with the query, and its digest with the key.

    `fresh` asks for a new draw, newly charged, where a stored one would serve. Without a price it
    is answered free or not at all; `source` is the past release that `FROM release` then means.
    `block` is the one that is read of a growing dataset, `blocks` are several that are read as one
    (queries.catalog.blocks.chosen); neither: the newest.
    `earmark` names what the project keeps for later and is to pay for this; `spread` is the least
    standard deviation, as a share of its range, of what is correlated where an error is asked.
    """

    project: str
    sql: str = field(repr=False)
    price: Asked | Wanted | Preset | None
    confidence: Fraction = CONFIDENCE
    options: Options = Options()
    fresh: bool = False
    source: str | None = None
    block: str | None = None
    earmark: str | None = None
    blocks: str | None = None
    spread: Fraction | None = None

    @property
    def digest(self) -> str:
        """The same for the same question, and for no other."""
        return hashlib.sha256(self.stored()).hexdigest()

    def stored(self) -> bytes:
        """The bytes from which `read` makes the same question again."""
        named = codec.plain(self)
        for name in LATER:
            if named[name] is None:
                del named[name]
        return codec.dumps(named)


@dataclass(frozen=True, slots=True)
class Submission:
    """A question, who asks it, and the key under which a retry is known.

    `charged` is told once the query has been charged; `still` raises a refusal from when on its
    caller may not ask any more.
    """

    question: Question
    member: str
    key: str | None = None
    charged: Callable[[], None] = field(default=lambda: None, compare=False)
    still: Callable[[], None] = field(default=lambda: None, compare=False)

    @property
    def own_key(self) -> str | None:
        """The key as the ledger keeps it: each member has its own, and none can name another's.

        Else who guesses a colleague's key would read from a refusal, or an answer, that it is used.
        """
        return None if self.key is None else f"{self.member}:{self.key}"


@dataclass(frozen=True, slots=True)
class Progress:
    """What a query and its caller tell each other.

    `known`: it was charged, or it waits in line; `left`: its caller has gone; `still` raises where
    its caller may not ask any more.
    """

    charged: Callable[[], None] = lambda: None
    still: Callable[[], None] = lambda: None
    known: Event = field(default_factory=Event)
    left: Event = field(default_factory=Event)

    def in_line(self) -> bool:
        """It waits; says whether it shall."""
        self.known.set()
        return not self.left.is_set()


def read(stored: bytes) -> Question:
    """The question that was stored."""
    return codec.loads(Question, json.dumps(dict.fromkeys((*LATER, "source")) | json.loads(stored)))
