"""Preferences: how long a caller is willing to wait for an answer (RFC 7240).

`respond-async` asks for a 202 at once, `wait=N` for one after N seconds; both together for one
after N seconds. A preference that cannot be read is one that was not sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.http import parse_list_header

LONGEST = 3600


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a request prefers; `wait` in seconds."""

    at_once: bool = False
    wait: int | None = None

    @property
    def patience(self) -> float | None:
        """Seconds to wait before a 202; None: until the answer is there."""
        if self.wait is None:
            return 0.0 if self.at_once else None
        return float(self.wait)

    def applied(self, accepted: bool) -> dict[str, str]:
        """The header that says which of them were honoured, if any was."""
        names = ["respond-async"] if self.at_once and accepted else []
        names += [] if self.wait is None else [f"wait={self.wait}"]
        return {"Preference-Applied": ", ".join(names)} if names else {}


def read(header: str, body: Mapping[str, Any]) -> Preferences:
    """The preferences of a request: its Prefer header, or `options.wait` of its body."""
    found: dict[str, str] = {}
    for item in parse_list_header(header):
        name, _, value = item.partition(";")[0].partition("=")
        found.setdefault(name.strip().lower(), value.strip().strip('"'))
    waits = _seconds(found.get("wait", ""))
    if waits is None:
        waits = body.get("options", {}).get("wait")
    return Preferences("respond-async" in found, waits)


def _seconds(text: str) -> int | None:
    """Whole seconds, at most an hour; None for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        return None
    return min(int(text), LONGEST)
