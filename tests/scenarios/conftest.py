"""The demonstration's datasets behind a running gateway, as the scenarios need them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest

from budgets.ledger import Ledger
from budgets.storage import Storage
from gateway.access import Role
from gateway.cli.demo import prepared
from gateway.registry import Registry
from tests.gateway.running import Gateway, running


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Both datasets of `sluis demo`, with an administrator and an auditor beside the analyst."""
    home = tmp_path_factory.mktemp("demonstration") / "home"
    keys = {"analyst": prepared(home, lambda _text: None)}
    storage = Storage.open(home / "sluis.db")
    registry = Registry(storage)
    ledger = Ledger(storage)
    ledger.open_project("elsewhere", "mobility")
    ledger.allocate("elsewhere", Fraction(1, 2), None, "test", "another project")
    for name, role, project in (
        ("root", Role.ADMINISTRATOR, None),
        ("auditor", Role.AUDITOR, None),
        ("stranger", Role.ANALYST, "elsewhere"),
    ):
        registry.give_role(name, role, project)
        keys[name] = registry.create_key(name, role, project)[1]
    storage.close()
    with running(home, keys) as gateway:
        yield gateway
