"""A real gateway for tests: a home with a small dataset, and a server in a process of its own."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from budgets.ledger import Ledger
from budgets.storage import Storage
from gateway.access import Role
from gateway.deliveries import Deliveries
from gateway.home import Home
from gateway.http.schemas import WAYS
from gateway.registry import Registry

MANIFEST = """\
dataset: {name}
title: Visits to areas (made up for tests)
unit: {{name: person, at_most: 500, most_per_person: 1}}
ceiling: {{epsilon: 900, delta: 1e-4}}
timing: {timing}
tables:
  visits:
    source: visits.csv
    unit_key: person_id
    rows_per_unit: 4
    columns:
      person_id: {{type: integer}}
      area: {{type: text, references: areas.area}}
      cost: {{type: decimal, lower: 0, upper: 100, step: 0.01}}
      note: {{type: text, length: 20}}
  areas:
    public: true
    source: areas.csv
    origin: made up for tests
    key: [area]
    columns:
      area: {{type: text}}
      residents: {{type: integer}}
"""
AREAS = ("=cmd", "east", "north", "south", "west")
COUNT = "SELECT area, COUNT(DISTINCT person_id) AS people FROM visits GROUP BY area ORDER BY area"
PEOPLE = 200


@dataclass
class Answer:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json.get("code"))


@dataclass
class Gateway:
    """A running server, with keys by name."""

    home: Path
    port: int
    metrics: int
    process: subprocess.Popen[bytes]
    keys: dict[str, str] = field(default_factory=dict)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        key: str | None = "analyst",
        headers: Mapping[str, str] | None = None,
        timeout: float = 60,
        port: int | None = None,
    ) -> Answer:
        """One request; a body that is bytes is sent as it is."""
        sent = {"Content-Type": "application/json"} if body is not None else {}
        if key is not None:
            sent["Authorization"] = f"Bearer {self.keys.get(key, key)}"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = HTTPConnection("127.0.0.1", port or self.port, timeout=timeout)
        try:
            connection.request(method, path, data, {**sent, **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def query(self, sql: str = COUNT, project: str = "p", **more: Any) -> Answer:
        """Ask a query, for 1 % of the budget unless a price is given."""
        headers = more.pop("headers", None)
        key = more.pop("key", "analyst")
        price = {} if more.keys() & set(WAYS) else {"budget_share": "1%"}
        path = f"/v1/projects/{project}/queries"
        return self.ask("POST", path, {"sql": sql, **price, **more}, key, headers)

    def budget(self, project: str = "p", key: str = "analyst") -> Any:
        """The budget of a project."""
        return self.ask("GET", f"/v1/projects/{project}/budget", key=key).json

    def log(self) -> list[dict[str, Any]]:
        """The lines of the server's log."""
        lines = (self.home / "serve.log").read_text().splitlines()
        return [json.loads(line) for line in lines]


def make_sources(sources: Path, timing: str = "off", name: str = "visits") -> Path:
    """A folder with what one dataset is made from; its manifest."""
    sources.mkdir(parents=True, exist_ok=True)
    (sources / "areas.csv").write_text(
        "area,residents\n" + "".join(f"{area},{100 + i}\n" for i, area in enumerate(AREAS))
    )
    rows = [
        f"{person},{AREAS[(person + visit) % 5]},{visit * 7.25},n{person % 3}\n"
        for person in range(PEOPLE)
        for visit in range(1 + person % 4)
    ]
    (sources / "visits.csv").write_text("person_id,area,cost,note\n" + "".join(rows))
    manifest = sources / "visits.yaml"
    manifest.write_text(MANIFEST.format(name=name, timing=timing))
    return manifest


def make_home(place: Path, timing: str = "off", name: str = "visits") -> dict[str, str]:
    """A home with one dataset, three projects and their keys; the keys by name."""
    manifest = make_sources(place.parent / f"{place.name}-sources-{name}", timing, name)
    home = Home(place).prepare()
    storage = Storage.open(home.database)
    try:
        Deliveries(home, storage).register(manifest)
        return _populate(Ledger(storage), Registry(storage), name)
    finally:
        storage.close()


def _populate(ledger: Ledger, registry: Registry, dataset: str) -> dict[str, str]:
    budgets = {"p": ("40", "1e-6"), "other": ("1", "1e-8"), "pure": ("5", "0")}
    for project, (epsilon, delta) in budgets.items():
        ledger.open_project(project, dataset)
        ledger.allocate(project, Fraction(epsilon), Fraction(delta), "test", "test")
    ledger.open_project("empty", dataset)
    holders = {
        "analyst": (Role.ANALYST, "p"),
        "lead": (Role.LEAD, "p"),
        "reviewer": (Role.REVIEWER, "p"),
        "outsider": (Role.ANALYST, "other"),
        "purist": (Role.ANALYST, "pure"),
        "newcomer": (Role.ANALYST, "empty"),
        "root": (Role.ADMINISTRATOR, None),
        "auditor": (Role.AUDITOR, None),
    }
    keys = {}
    for name, (role, project) in holders.items():
        registry.give_role(name, role, project)
        keys[name] = registry.create_key(name, role, project)[1]
    return keys


def free_port() -> int:
    """One on which nobody listens, below those that the system gives to connections meanwhile."""
    while True:
        port = 12_000 + secrets.randbelow(20_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def running(home: Path, keys: dict[str, str], **settings: object) -> Iterator[Gateway]:
    """A server on the home, ready; terminated at the end if it still runs."""
    gateway = start(home, keys, **settings)
    try:
        yield gateway
    finally:
        if gateway.process.poll() is None:
            gateway.process.terminate()
        gateway.process.wait(30)


def start(home: Path, keys: dict[str, str], **settings: object) -> Gateway:
    """Start a server and wait until it is ready."""
    ports = free_port(), free_port()
    chosen = {
        "HOME": home, "PORT": ports[0], "METRICS_PORT": ports[1], "WORKERS": 2,
        "WORKER_THREADS": 1, "WORKER_MEMORY": 600, "RELEASE_WORKERS": 1, "WAIT": 2, "RATE": 0,
    } | {name.upper(): value for name, value in settings.items()}  # fmt: skip
    variables = {f"SLUIS_{name}": str(value) for name, value in chosen.items()}
    with (home / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway.cli.run", "serve"],
            env=os.environ | variables, stdout=log, stderr=log,
        )  # fmt: skip
    gateway = Gateway(home, ports[0], ports[1], process, keys)
    _await_ready(gateway)
    return gateway


def _await_ready(gateway: Gateway) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if gateway.process.poll() is not None:
            raise RuntimeError((gateway.home / "serve.log").read_text())
        try:
            if gateway.ask("GET", "/readyz", key=None, timeout=2).status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server did not become ready")


def quickest(ask: Callable[[], Answer]) -> tuple[Answer, float]:
    """The last answer and the least time of up to five tries: load delays some, never all."""
    least = float("inf")
    for _ in range(5):
        began = time.monotonic()
        answer = ask()
        least = min(least, time.monotonic() - began)
        if least < 1:
            break
    return answer, least
