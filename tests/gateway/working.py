"""What a server does for one request, counted: its own functions, and what it asks of the ledger.

A clock tells of load as much as of work. Two answers between which a caller must not be able to
tell are made by the same steps: each function of ours is called as often, each statement sent as
often and with as many rows read.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from gateway.access import Role
from gateway.home import Home
from gateway.house import House
from gateway.http.app import create
from gateway.settings import Settings
from tests.house.tree import ROOT

OURS = tuple(str(ROOT / name) for name in ("gateway", "budgets", "queries"))
LEDGER, WORKERS = {"execute", "executemany"}, {"sendall", "sendmsg"}
FETCHED = {"fetchone", "fetchall", "fetchmany"}
TURNS = "fairness."
"""The line in which a project waits looks back on its own turns, however they ended."""
Work = Counter[str]


class Seen:
    """A house in this process, asked by a client of its own; `work` counts a request's."""

    def __init__(self, house: House, app: Flask, keys: dict[str, str]) -> None:
        self.house = house
        self._client: FlaskClient = app.test_client()
        self._keys = keys

    def joins(self, member: str, project: str) -> str:
        """A new analyst of a project, and the key's name."""
        registry = self.house.registry
        registry.give_role(member, Role.ANALYST, project)
        self._keys[member] = registry.create_key(member, Role.ANALYST, project)[1]
        return member

    def id_of(self, holder: str) -> str:
        """The id of a member's key."""
        return next(key.id for key in self.house.registry.all_keys() if key.member == holder)

    def ask(self, method: str, path: str, key: str, body: Any = None) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self._keys.get(key, key)}"}
        answer = self._client.open(path, method=method, json=body, headers=headers)
        return answer.status_code, answer.data

    def work(self, method: str, path: str, key: str, body: Any = None) -> tuple[Work, Any]:
        """The work of a request, and its answer; what is kept from before is warm by then."""
        self.ask(method, path, key, body)
        counted: Work = Counter()
        sys.setprofile(_counting(counted))
        try:
            answer = self.ask(method, path, key, body)
        finally:
            sys.setprofile(None)
        return counted, answer


def _counting(counted: Work) -> Callable[[FrameType, str, Any], None]:
    def each(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(OURS):
            name = f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_qualname}"
            if not name.startswith(TURNS):
                counted[name] += 1
        elif event == "c_call":
            called = argument.__name__
            counted["sent to the ledger"] += called in LEDGER
            counted["fetched from the ledger"] += called in FETCHED
            counted["sent to workers"] += called in WORKERS

    return each


@contextmanager
def seen(home: Path, keys: dict[str, str]) -> Iterator[Seen]:
    """A house on the home, in this process."""
    settings = Settings(home=Home(home).root, rate=0, workers=1, release_workers=1)
    house = House(settings)
    try:
        yield Seen(house, create(settings, house), keys)
    finally:
        house.close()
