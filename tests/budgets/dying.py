"""A process that dies by SIGKILL at a chosen moment of one step of the ledger.

The fault is injected from outside: the child is killed before its driver gets the n-th statement,
or before its commit. Nothing in the product knows about it.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable
from multiprocessing import get_context

from sqlalchemy import Engine, event

from budgets.ledger import Ledger
from budgets.storage import Storage
from tests.budgets.books import NOON, opened
from tests.budgets.driven import watched
from tests.budgets.places import Place, until_quiet

Step = Callable[[Ledger, Callable[[], None]], None]
"""Gets a ledger and `arm`, calls `arm` right before the step that must not survive."""

BEFORE_COMMIT = -1
AFTER = -2
NEVER = -3
"""The step itself sees to it."""


def apart(look: Callable[[str, Place], None], name: str, place: Place) -> None:
    """Look in a new process: a fork of a small one is cheap, and here there are thousands."""
    child = get_context("spawn").Process(target=look, args=(name, place))
    child.start()
    child.join()
    assert child.exitcode == 0, "what it saw stands in its own trace"


class Inherited:
    """A ledger that children inherit, with all that it has done before and no connection.

    It does not write a statement anew that it has written once, so that a child is little more
    than its own connection and the step.
    """

    def __init__(self, place: Place) -> None:
        self._storage = Storage.open(place)
        self.ledger = Ledger(self._storage, clock=lambda: NOON)

    def rest(self) -> None:
        """Close every connection: none may be shared by parent and child."""
        self._storage.close()

    def wake(self) -> Ledger:
        """The ledger in a child, connected, so that only the step's own statements are to come."""
        with self._storage.read():
            return self.ledger


def dies(place: Place, step: Step, moment: int, inherited: Inherited | None = None) -> bool:
    """Run the step in a child that is killed at `moment`; says whether it was killed.

    `moment` is a statement's number from 0 (the first one is BEGIN), BEFORE_COMMIT, or AFTER,
    which is when the step has returned. The child opens the place unless it inherits a ledger.
    """
    child = os.fork()
    if child == 0:
        _child(place, step, moment, inherited)
    _, status = os.waitpid(child, 0)
    until_quiet(place)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the child failed before it could be killed"
    return False


def _child(place: Place, step: Step, moment: int, inherited: Inherited | None) -> None:
    code = 1
    gc.disable()  # it would write to all memory that the child shares with its parent
    try:
        seen = Seen()
        with watched(seen.statement):
            ledger = inherited.wake() if inherited else opened(place)
            step(ledger, lambda: seen.arm(moment))
        if moment == AFTER:
            _kill()
        code = 0
    finally:
        os._exit(code)


class Seen:
    """Counts statements from when it is armed, and kills at the moment it is told."""

    def __init__(self) -> None:
        self._moment, self._count = NEVER, 0

    def arm(self, moment: int) -> None:
        """From the next statement on, count."""
        self._moment, self._count = moment, 0
        if moment == BEFORE_COMMIT:
            event.listen(Engine, "commit", lambda connection: _kill())

    def statement(self, _: object) -> None:
        """A statement is about to be given to the driver."""
        if self._count == self._moment:
            _kill()
        self._count += 1


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
