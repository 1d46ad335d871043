"""API keys: long, random, kept as a hash, compared whole."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from budgets.ledger import Ledger
from budgets.storage import Storage
from gateway import keys
from gateway.access import Act, Role
from gateway.refusals import Conflict, Invalid, NotAuthenticated
from gateway.registry import Registry, now


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    storage = Storage.open(tmp_path / "sluis.db")
    ledger = Ledger(storage)
    from fractions import Fraction

    ledger.open_dataset("d", Fraction(1), Fraction(0))
    ledger.open_project("p", "d")
    ledger.open_project("q", "d")
    return Registry(storage)


def test_a_key_holds_256_bits_and_is_kept_as_a_hash() -> None:
    one, other = keys.fresh(), keys.fresh()
    assert keys.is_key(one.text)
    assert len(one.text) == len("sluis_") + 43
    assert one.text != other.text
    assert one.text not in (one.digest, one.prefix)
    assert one.prefix == one.text[: len("sluis_") + 8]
    assert keys.matches(one.text, one.digest)
    assert not keys.matches(other.text, one.digest)


@pytest.mark.parametrize("text", ["", "sluis_", "sluis_" + "a" * 42, "x" * 49, "sluis_" + "é" * 43])
def test_what_does_not_look_like_a_key_is_refused(registry: Registry, text: str) -> None:
    with pytest.raises(NotAuthenticated):
        registry.authenticated(text)


def test_revocation_counts_from_the_next_request(registry: Registry) -> None:
    registry.give_role("ann", Role.ANALYST, "p")
    made, text = registry.create_key("ann", Role.ANALYST, "p")
    assert registry.authenticated(text).may(Act.ASK, "p")
    registry.revoke_key(made.id)
    with pytest.raises(NotAuthenticated):
        registry.authenticated(text)


def test_a_key_expires(registry: Registry) -> None:
    registry.give_role("ann", Role.ANALYST, "p")
    _, text = registry.create_key("ann", Role.ANALYST, "p", now() + timedelta(milliseconds=300))
    registry.authenticated(text)
    import time

    time.sleep(0.4)
    with pytest.raises(NotAuthenticated):
        registry.authenticated(text)
    with pytest.raises(Invalid):
        registry.create_key("ann", Role.ANALYST, "p", now() - timedelta(seconds=1))


def test_a_key_carries_no_more_than_its_member(registry: Registry) -> None:
    registry.give_role("ann", Role.ANALYST, "p")
    with pytest.raises(Conflict):
        registry.create_key("ann", Role.LEAD, "p")
    with pytest.raises(Conflict):
        registry.create_key("ann", Role.ANALYST, "q")
    _, text = registry.create_key("ann", Role.ANALYST, "p")
    registry.take_role("ann", Role.ANALYST, "p")
    with pytest.raises(NotAuthenticated):
        registry.authenticated(text)


def test_a_key_can_be_narrower_than_its_member(registry: Registry) -> None:
    registry.give_role("ann", Role.LEAD, "p")
    registry.give_role("ann", Role.LEAD, "q")
    _, text = registry.create_key("ann", Role.ANALYST, "p")
    caller = registry.authenticated(text)
    assert caller.may(Act.ASK, "p")
    assert not caller.may(Act.MANAGE, "p")
    assert not caller.roles("q")


def test_a_key_carries_its_role_where_its_member_has_as_much_and_nowhere_else(
    registry: Registry,
) -> None:
    registry.give_role("ann", Role.LEAD, "p")
    registry.give_role("ann", Role.REVIEWER, "q")
    registry.give_role("eve", Role.ADMINISTRATOR, None)

    def carried(member: str, role: Role, project: str | None) -> tuple[set[Role], dict[str, Role]]:
        found = registry.authenticated(registry.create_key(member, role, project)[1])
        return set(found.overall), {
            where: one for where, roles in (found.within or {}).items() for one in roles
        }

    assert carried("ann", Role.LEAD, None) == (set(), {"p": Role.LEAD})
    assert carried("ann", Role.ANALYST, None) == (set(), {"p": Role.ANALYST})
    assert carried("ann", Role.REVIEWER, None) == (set(), {"p": Role.REVIEWER, "q": Role.REVIEWER})
    assert carried("ann", Role.REVIEWER, "q") == (set(), {"q": Role.REVIEWER})
    assert carried("eve", Role.REVIEWER, None) == ({Role.REVIEWER}, {})
    assert carried("eve", Role.REVIEWER, "p") == (set(), {"p": Role.REVIEWER})
    with pytest.raises(Conflict):
        carried("ann", Role.LEAD, "q")
    with pytest.raises(Conflict):
        carried("eve", Role.ANALYST, None)


def test_no_text_of_a_key_is_stored(registry: Registry, tmp_path: Path) -> None:
    registry.give_role("ann", Role.ANALYST, "p")
    _, text = registry.create_key("ann", Role.ANALYST, "p")
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert text.encode() not in kept
    assert text[len("sluis_") + 8 :].encode() not in kept
