"""Eight gateways on one PostgreSQL, and sixty-four clients who want more than there is.

Each gateway is a server process with enclave workers of its own; the clients ask over HTTP, each
question a new draw, until the budget is refused. The test takes about a minute and a half.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy import text

from budgets.ledger import Ledger
from budgets.storage import Storage
from tests.budgets import invariants
from tests.budgets.places import looking
from tests.gateway.running import Answer, Gateway, make_home, running
from tests.gateway.test_cli import sluis
from tests.postgres import running_server

pytestmark = pytest.mark.slow

GATEWAYS, CLIENTS = 8, 64
SHARE = "1.25%"
AFFORDED = 80
"""How many questions at that share one project can pay."""


@pytest.fixture(scope="module")
def gateways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sequence[Gateway], str]]:
    """Homes that share deliveries and keys, behind servers that share a ledger."""
    place = tmp_path_factory.mktemp("hammer")
    first = place / "0"
    keys = make_home(first)
    homes = [first, *(_beside(first, place / str(n)) for n in range(1, GATEWAYS))]
    with running_server() as server, ExitStack() as stack:
        address = server.create()
        moved = sluis("ledger", "move", "--to", address, "--home", str(first))
        assert moved.returncode == 0, moved.stderr
        few = {"database": address, "workers": 1, "release_workers": 1}
        with ThreadPoolExecutor(4) as pool:
            started = pool.map(lambda home: stack.enter_context(running(home, keys, **few)), homes)
            yield list(started), address


def _beside(first: Path, home: Path) -> Path:
    home.mkdir(mode=0o700)
    for shared in ("deliveries", "keys"):
        (home / shared).symlink_to(first / shared)
    return home


def test_a_ceiling_is_spent_exactly(gateways: tuple[Sequence[Gateway], str]) -> None:
    """Spent is the sum of what was charged, to the last digit, and never above what was given."""
    servers, address = gateways
    exhausted = threading.Event()

    def client(number: int) -> list[Answer]:
        mine: list[Answer] = []
        while not exhausted.is_set() and len(mine) < 40:
            sql = f"SELECT COUNT(*) AS n FROM visits WHERE cost >= {number}.{len(mine):02d}"
            headers = {"Idempotency-Key": f"{number}-{len(mine)}"}
            answer = servers[number % GATEWAYS].query(
                sql, headers=headers, budget_share=SHARE, options={"replay": False}
            )
            mine.append(answer)
            if answer.status != 201 and answer.code == "budget-exceeded":
                exhausted.set()
        return mine

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = [one for mine in pool.map(client, range(CLIENTS)) for one in mine]
    released = [answer.json for answer in answers if answer.status == 201]
    assert len(released) > AFFORDED // 2
    assert {a.status for a in answers} <= {201, 402, 403, 409, 422, 429, 503}, _told(answers)
    _adds_up(address, released)


def _told(answers: Sequence[Answer]) -> set[tuple[int, str]]:
    return {(a.status, a.code) for a in answers if a.status != 201}


def _adds_up(address: str, released: Sequence[dict[str, object]]) -> None:
    invariants.hold(address)
    with looking(address) as tx:
        charged = tx.execute(
            text("SELECT COUNT(*), SUM(rho) FROM charge WHERE state <> 'void'")
        ).one()
        paid = tx.execute(
            text("SELECT reserved_rho + spent_rho, cap_rho FROM account WHERE name = 'p'")
        ).one()
        ceiling = tx.execute(
            text("SELECT reserved_rho + spent_rho, cap_rho FROM account WHERE kind = 'dataset'")
        ).one()
    assert paid[0] == ceiling[0] == charged[1]
    assert paid[0] <= paid[1]
    assert charged[0] <= AFFORDED
    assert len({str(one["id"]) for one in released}) == len(released) <= charged[0]
    losses = (json.loads(json.dumps(one["privacy_loss"]))["rho"] for one in released)
    assert sum(Fraction(str(loss)) for loss in losses) * 10**12 <= charged[1]
    storage = Storage.open(address)
    assert Ledger(storage).verify("visits").intact
    storage.close()
