"""Long chains, read by several processes: each takes a part and needs no other.

All parts together say what one reading of all would (`reading.py`). Each process reads for itself,
in whatever moment: what a chain holds up to some length never changes, nor what it settled.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from budgets import reading
from budgets.storage import Place, Storage

LONG = 200_000
"""From so many entries on, it pays to start processes: each takes a second to do so."""

PATIENCE = 10.0
"""Seconds for which a session may be silent; a server ends it after a minute."""

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
            self._process.stdin = None

    def found(self, meanwhile: Callable[[], object]) -> reading.Found:
        """What it says, once it has been read; `meanwhile` is called every so often until then."""
        told = None
        while told is None:
            try:
                told, _ = self._process.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                meanwhile()
        if self._process.returncode != 0:
            raise RuntimeError("a part of the chain could not be read")
        return reading.understood(told)

    def end(self) -> None:
        """Read no further."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@contextmanager
def parts(place: Place, dataset: str, last: int) -> Iterator[Sequence[Part]]:
    """The parts of a chain up to an entry, each being read elsewhere while the block runs."""
    helpers = max(2, len(os.sched_getaffinity(0)))
    ends = [last * part // helpers for part in range(helpers + 1)]
    started: list[Part] = []
    try:
        for after, until in pairwise(ends):
            started.append(Part(place, dataset, after, until))
        yield started
    finally:
        for part in started:
            part.end()


def found(place: Place, dataset: str, after: int, last: int) -> reading.Found:
    """What the entries after `after`, up to `last`, say."""
    storage = Storage.open(place)
    try:
        with storage.read() as tx:
            return reading.read(tx, dataset, after, last)
    finally:
        storage.close()


def main() -> None:
    """Read the part that standard input names; say what was found."""
    asked = json.load(sys.stdin)
    place = Path(asked["file"]) if "file" in asked else asked["address"]
    part = found(place, asked["dataset"], asked["after"], asked["last"])
    print(reading.written(part))  # noqa: T201 - the other process reads it


if __name__ == "__main__":
    main()
