"""The books of one running gateway: record, signing key and checkpoints, kept together."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from budgets.storage import Storage
from budgets.storage.faults import StorageBusy, StorageUnusable
from gateway.audit.checkpoints import Checkpoints
from gateway.audit.succession import kept
from gateway.home import Home
from gateway.record import Record


class Books:
    """Opened with the house: LedgerForgets if the database lacks what was signed for."""

    def __init__(self, home: Home, storage: Storage, keep_every: float) -> None:
        self.record = Record(storage)
        self.signer, self._held = kept(home, storage)
        self.checkpoints = Checkpoints(home, storage, self.signer)
        self.checkpoints.check()
        self._keep_every, self._kept = keep_every, time.monotonic()

    def write(self) -> None:
        """Write what was counted, and sign for it; kept for supervisors when it is due."""
        self.record.write()
        due = time.monotonic() - self._kept >= self._keep_every
        self.checkpoints.take(keep=due)
        self._kept = time.monotonic() if due else self._kept

    def close(self) -> None:
        """The last lines and the last checkpoint; where they fail, only counts are lost."""
        with suppress(StorageBusy, StorageUnusable, OSError):
            self.record.write()
            self.checkpoints.take(keep=True)
        os.close(self._held)
