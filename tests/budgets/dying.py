"""A process that dies by SIGKILL at a chosen moment of one step of the ledger.

The fault is injected from outside: SQLAlchemy's own events kill the child before its n-th
statement or before its commit. Nothing in the product knows about it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

from budgets.ledger import Ledger
from tests.budgets.books import opened
from tests.budgets.places import Place, until_quiet

Step = Callable[[Ledger, Callable[[], None]], None]
"""Gets a ledger and `arm`, calls `arm` right before the step that must not survive."""

BEFORE_COMMIT = -1
AFTER = -2


def dies(place: Place, step: Step, moment: int) -> bool:
    """Run the step in a child that is killed at `moment`; says whether it was killed.

    `moment` is a statement's number from 0 (the first one is BEGIN), BEFORE_COMMIT, or AFTER,
    which is when the step has returned.
    """
    child = os.fork()
    if child == 0:
        _child(place, step, moment)
    _, status = os.waitpid(child, 0)
    until_quiet(place)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the child failed before it could be killed"
    return False


def _child(place: Place, step: Step, moment: int) -> None:
    code = 1
    try:
        step(opened(place), lambda: _arm(moment))
        if moment == AFTER:
            _kill()
        code = 0
    finally:
        os._exit(code)


def _arm(moment: int) -> None:
    if moment == BEFORE_COMMIT:
        event.listen(Engine, "commit", lambda connection: _kill())
        return
    seen = 0

    def count(*_: Any) -> None:
        nonlocal seen
        if seen == moment:
            _kill()
        seen += 1

    if moment >= 0:
        event.listen(Engine, "before_cursor_execute", count)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
