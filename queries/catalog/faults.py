"""Faults of a manifest: what does not fit, where it stands, and what to write instead.

A manifest is public, so a fault says all it knows. All faults of a file are told at once.
"""

from __future__ import annotations

from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Where a value stands in a manifest: the keys and list positions that lead to it."""


@dataclass(frozen=True, slots=True, order=True)
class ManifestFault:
    """One thing that does not fit; `line` is counted from 1, `path` reads `tables.pings.key`."""

    line: int
    path: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        place = f"line {self.line}: " + (f"{self.path}: " if self.path else "")
        return place + self.message + (f" ({self.hint})" if self.hint else "")


class ManifestRefused(Exception):
    """The manifest cannot be used; `faults` holds every reason, in the order of the file."""

    def __init__(self, faults: tuple[ManifestFault, ...]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults
