"""Steps that wait for the database at the same time are committed in one transaction.

A durable commit costs the same for one step as for twenty. So the first caller who finds nobody at
work leads: it takes all that wait, and does them one after another, each as if it were alone,
within one transaction. Every caller returns after that commit, none before it. What goes wrong with
one step is undone to where the step began and told to its caller alone; what goes wrong with the
transaction ends it for all of them, and each is then done by itself.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from budgets.storage.prepared import Prepared

MOST = 32
"""The most steps in one transaction, which bounds how long it keeps its locks."""


_BEGIN, _UNDO, _END = (
    Prepared(text(words))
    for words in ("SAVEPOINT step", "ROLLBACK TO SAVEPOINT step", "RELEASE SAVEPOINT step")
)


class Apart(Exception):
    """The transaction that a step was part of has ended without it: it is to be done by itself."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step returned, or what it raised."""

    result: Any = None
    error: Exception | None = None

    def told(self) -> Any:
        """The same to its caller."""
        if self.error is not None:
            raise self.error
        return self.result


class Step:
    """One caller's step; its outcome is set once it is committed."""

    def __init__(self, do: Callable[[Connection], Any]) -> None:
        self.outcome = Outcome(error=Apart())
        self.leads = False
        self._do = do
        self._woken = threading.Event()

    def within(self, tx: Connection, several: bool) -> Outcome:
        """Do it; among several, a refusal undoes what this step alone has done."""
        if not several:
            return Outcome(self._do(tx))
        _BEGIN.run(tx, {})
        try:
            outcome = Outcome(self._do(tx))
        except DBAPIError:
            raise
        except Exception as error:  # noqa: BLE001  told to its caller
            _UNDO.run(tx, {})
            outcome = Outcome(error=error)
        _END.run(tx, {})
        return outcome

    def wait(self) -> None:
        """Until the step is done, or leads."""
        self._woken.wait()

    def wake(self) -> None:
        """Whoever waits goes on."""
        self._woken.set()


class Together:
    """Queues of steps, a queue for each name; `run` does steps in one transaction.

    Steps of one name lock the same row first, so that two queues never wait for each other.
    """

    def __init__(self, run: Callable[[Sequence[Step]], None]) -> None:
        self._run = run
        self._guard = threading.Lock()
        self._waiting: defaultdict[str, list[Step]] = defaultdict(list)
        self._led: set[str] = set()

    def waiting(self, name: str) -> int:
        """How many steps wait to be led."""
        with self._guard:
            return len(self._waiting.get(name, ()))

    def do(self, name: str, do: Callable[[Connection], Any]) -> Any:
        """Do a step with all that wait under this name; returns once it is committed."""
        step = Step(do)
        with self._guard:
            if name in self._led:
                self._waiting[name].append(step)
            else:
                self._led.add(name)
                step.leads = True
        if not step.leads:
            step.wait()
        if step.leads:
            self._lead(name, step)
        return step.outcome.told()

    def _lead(self, name: str, first: Step) -> None:
        with self._guard:
            waiting = self._waiting[name]
            others, self._waiting[name] = waiting[: MOST - 1], waiting[MOST - 1 :]
        try:
            self._run([first, *others])
        finally:
            for step in others:
                step.wake()
            self._pass_on(name)

    def _pass_on(self, name: str) -> None:
        """Let the next one lead that has come meanwhile."""
        with self._guard:
            waiting = self._waiting[name]
            if not waiting:
                self._led.remove(name)
                del self._waiting[name]
                return
            following = waiting.pop(0)
        following.leads = True
        following.wake()
