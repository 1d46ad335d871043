"""Running gateways: one for all tests that leave no trace, one for a test alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.gateway.running import Gateway, make_home, running

ENOUGH = 60
"""Per cent of a project's budget that a module's tests find left at least."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A server of its own costs a test three seconds of processor time before it begins."""
    here = (item for item in items if item.path.parent == Path(__file__).parent)
    for item in here:
        if isinstance(item, pytest.Function) and "own" in item.fixturenames:
            item.add_marker(pytest.mark.slow)


class Shared:
    """A server whose dataset has slots off, so that tests are quick: another one once it is spent.

    How many tests a process runs on it, and in which order, is not known before.
    """

    def __init__(self, folder: Path, ends: ExitStack) -> None:
        self._folder, self._ends = folder, ends
        self._running: list[Gateway] = []

    def unspent(self) -> Gateway:
        """The server, with budgets that are enough for a module's tests."""
        if not self._running or self._left(self._running[-1]) < ENOUGH:
            home = self._folder / str(len(self._running)) / "home"
            home.parent.mkdir()
            self._running.append(self._ends.enter_context(running(home, make_home(home))))
        return self._running[-1]

    def _left(self, found: Gateway) -> float:
        whose = (("p", "analyst"), ("other", "outsider"), ("pure", "purist"))
        shares = [found.budget(*one)["remaining"]["budget_share"] for one in whose]
        return min(float(share.rstrip("%")) for share in shares)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    with ExitStack() as ends:
        yield Shared(tmp_path_factory.mktemp("gateway"), ends)


@pytest.fixture(scope="module")
def gateway(shared: Shared) -> Gateway:
    """A running server that other tests have asked before."""
    return shared.unspent()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Gateway]:
    """A server of the test's own."""
    home = tmp_path / "home"
    with running(home, make_home(home)) as found:
        yield found
