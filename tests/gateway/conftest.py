"""Running gateways: one for all tests that leave no trace, one for a test alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.running import Gateway, make_home, running


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A server whose dataset has slots off, so that tests are quick."""
    home = tmp_path_factory.mktemp("gateway") / "home"
    with running(home, make_home(home)) as found:
        yield found


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Gateway]:
    """A server of the test's own."""
    home = tmp_path / "home"
    with running(home, make_home(home)) as found:
        yield found
