"""Faults: failures after private rows were read. They explain nothing, by design (P20, P22)."""

from __future__ import annotations


class Fault(Exception):
    """The query failed after it was charged; constant text, whatever happened."""

    def __init__(self) -> None:
        super().__init__("The query was charged and could not be completed.")


class ClaimMismatch(Exception):
    """OpenDP's own map disagrees with the plan's loss: found before anybody is charged."""


class WorkersUnavailable(Exception):
    """No worker process could answer; nothing was charged, so the caller may try again."""
