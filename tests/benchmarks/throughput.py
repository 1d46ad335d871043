"""Requests per second over HTTP, each with a durable charge and a new draw, on a small table."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.gateway import running
from tests.gateway.running import Gateway

PATH = "/v1/projects/p/queries"
RHO = "0.00002"


@dataclass(frozen=True, slots=True)
class Throughput:
    """What so many clients got in a while: requests a second, and the median wait in seconds."""

    clients: int
    a_second: float
    wait: float


def measured(clients: Iterable[int], seconds: float) -> list[Throughput]:
    """One server, asked by so many clients at once, each as fast as it is answered."""
    with TemporaryDirectory(prefix="benchmark-") as place:
        home = Path(place) / "home"
        keys = running.make_home(home)
        with running.running(
            home, keys, workers=3, release_workers=3, threads=512, queued_project=128, queued=256
        ) as gateway:
            _load(gateway, 2, seconds / 2)
            return [_load(gateway, count, seconds) for count in clients]


def _load(gateway: Gateway, clients: int, seconds: float) -> Throughput:
    waits: list[list[float]] = [[] for _ in range(clients)]
    end = time.perf_counter() + seconds
    threads = [threading.Thread(target=_client, args=(gateway, end, own)) for own in waits]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - start
    every = [wait for own in waits for wait in own]
    return Throughput(clients, len(every) / took, median(every))


def _client(gateway: Gateway, end: float, waits: list[float]) -> None:
    connection = HTTPConnection("127.0.0.1", gateway.port, timeout=60)
    body = json.dumps({"sql": running.COUNT, "rho": RHO, "options": {"replay": False}})
    headers = {"Authorization": f"Bearer {gateway.keys['analyst']}"}
    while (start := time.perf_counter()) < end:
        fresh = {"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(16)}
        connection.request("POST", PATH, body, headers | fresh)
        response = connection.getresponse()
        answer = response.read()
        if response.status != 201:
            raise RuntimeError(f"{response.status}: {answer.decode()}")
        waits.append(time.perf_counter() - start)
    connection.close()


def table(found: Iterable[Throughput]) -> Iterator[str]:
    """Lines of a markdown table."""
    yield "| clients | charged answers a second | median wait ms |"
    yield "|--:|--:|--:|"
    for one in found:
        yield f"| {one.clients} | {one.a_second:.0f} | {one.wait * 1000:.0f} |"
