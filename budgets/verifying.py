"""Long chains, read by several processes: each takes a part and needs no other.

An entry follows from the hash before it, which is stored: so whether entries 501 to 1,000 follow
from one another and from the 500th can be told without having read the first 500. All parts
together say what one reading of all would. Each process reads for itself, in whatever moment: what
a chain holds up to some length never changes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice, pairwise
from pathlib import Path

from budgets.chain import GENESIS, unbroken
from budgets.storage import Place, Storage, journal

LONG = 50_000
"""From so many entries on, it pays to start processes."""

COMMAND = (sys.executable, "-I", "-m", "budgets.verifying")


class Part:
    """A part of a chain, being read by a process of its own."""

    def __init__(self, place: Place, dataset: str, after: int, last: int) -> None:
        where = {"file": str(place)} if isinstance(place, Path) else {"address": place}
        asked = {"dataset": dataset, "after": after, "last": last} | where
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(COMMAND, stdin=pipe, stdout=pipe, text=True)
        if self._process.stdin is not None:
            with self._process.stdin as given:
                given.write(json.dumps(asked))

    def first_break(self) -> int | None:
        """Its first broken entry, or None, once it has been read."""
        told = self._process.stdout.read() if self._process.stdout is not None else ""
        if self._process.wait() != 0:
            raise RuntimeError("a part of the chain could not be read")
        found: int | None = json.loads(told)
        return found

    def end(self) -> None:
        """Read no further."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@contextmanager
def parts(place: Place, dataset: str, length: int) -> Iterator[Sequence[Part]]:
    """The parts of a chain, each being read elsewhere while the block runs."""
    helpers = max(2, len(os.sched_getaffinity(0)))
    ends = [length * part // helpers for part in range(helpers + 1)]
    started: list[Part] = []
    try:
        for after, last in pairwise(ends):
            started.append(Part(place, dataset, after, last))
        yield started
    finally:
        for part in started:
            part.end()


def first_break(place: Place, dataset: str, after: int, last: int) -> int | None:
    """The first entry after `after`, up to `last`, that does not follow from those before it."""
    storage = Storage.open(place)
    try:
        with storage.read() as tx:
            previous = journal.hash_of(tx, dataset, after) if after else GENESIS
            if previous is None:
                return after
            chain = islice(journal.entries(tx, dataset, after), last - after)
            _, _, following = unbroken(chain, previous, after + 1)
            return None if following == last + 1 else following
    finally:
        storage.close()


def main() -> None:
    """Read the part that standard input names; say what was found."""
    asked = json.load(sys.stdin)
    place = Path(asked["file"]) if "file" in asked else asked["address"]
    found = first_break(place, asked["dataset"], asked["after"], asked["last"])
    print(json.dumps(found))  # noqa: T201 - the other process reads it


if __name__ == "__main__":
    main()
