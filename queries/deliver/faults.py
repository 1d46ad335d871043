"""Faults of a registration: why a delivery was not made, for the provider's terminal alone (P18).

They name tables, columns and counts, so they never leave over HTTP; they never hold a value of the
data or the engine's own words, which quote values.
"""

from __future__ import annotations


class RegistrationFailed(Exception):
    """No delivery was made and nothing was changed; `faults` holds every reason found."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class RegistrationBusy(Exception):
    """Another registration is at work in the same folder."""

    def __init__(self) -> None:
        super().__init__("Another registration is at work here; wait for it to end.")
