"""What a worker process is told when it starts: where data lies and how much it may use."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_MEMORY = 512 << 20
"""Interpreter, libraries and thread stacks count as memory too: less than this serves nobody."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One worker's world. `memory` (bytes) bounds its data segment, `spill_limit` its spill.

    `parent` is the process that the worker dies with, `spill` a directory of the worker alone.
    None of these settings concerns noise: there is none that does.
    """

    deliveries: str
    memory: int
    threads: int
    spill_limit: int
    spill: str = ""
    parent: int = 0

    def __post_init__(self) -> None:
        if self.memory < LEAST_MEMORY:
            raise ValueError("a worker needs at least 512 MiB of memory")
        if self.threads < 1 or self.spill_limit < 1:
            raise ValueError("a worker needs a thread and some room to spill")
