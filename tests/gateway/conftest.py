"""One running gateway for the tests that need no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway.running import Gateway, make_home, running


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A server whose dataset has slots off, so that tests are quick."""
    home = tmp_path_factory.mktemp("gateway") / "home"
    with running(home, make_home(home)) as found:
        yield found
