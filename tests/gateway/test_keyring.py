"""Keys through their lives, on both databases: rotated, held to scopes, used, ended at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from fractions import Fraction

import pytest

from budgets.ledger import Ledger
from budgets.storage import Storage
from budgets.storage.faults import StorageBusy
from budgets.storage.schema import api_key, bootstrap
from gateway.access import SCOPES, Act, Role, Scope
from gateway.bootstrap import LASTS, Bootstrap
from gateway.keyring import LONGEST_OVERLAP
from gateway.record import Record
from gateway.refusals import Conflict, Invalid, NotAuthenticated, NotFound, OutOfScope, Refused
from gateway.registry import Registry, now
from tests.budgets.conftest import place, places
from tests.budgets.places import Place
from tests.postgres import server

__all__ = ["place", "places", "server"]

HOUR = timedelta(hours=1)


@pytest.fixture
def storage(place: Place) -> Iterator[Storage]:
    found = Storage.open(place)
    ledger = Ledger(found)
    ledger.open_dataset("d", Fraction(1), Fraction(0))
    for name in ("p", "q"):
        ledger.open_project(name, "d")
    yield found
    found.close()


@pytest.fixture
def registry(storage: Storage) -> Registry:
    return Registry(storage)


@pytest.fixture
def other(place: Place, storage: Storage) -> Iterator[Registry]:
    """Another gateway on the same database."""
    found = Storage.open(place)
    yield Registry(found)
    found.close()


def made(registry: Registry, *scopes: Scope, role: Role = Role.ANALYST) -> tuple[str, str]:
    registry.give_role("ann", role, "p")
    key, text = registry.create_key("ann", role, "p", None, scopes or None)
    return key.id, text


@pytest.mark.parametrize("scope", list(Scope))
def test_a_key_does_what_its_scope_and_its_role_both_hold(registry: Registry, scope: Scope) -> None:
    _, text = made(registry, scope)
    analyst = {Act.ASK, Act.QUOTE, Act.READ}
    assert registry.authenticated(text).acts("p") == SCOPES[scope] & analyst


def test_what_a_scope_leaves_out_is_refused_as_such(registry: Registry) -> None:
    _, text = made(registry, Scope.QUOTE)
    caller = registry.authenticated(text)
    caller.require(Act.QUOTE, "p")
    with pytest.raises(OutOfScope):
        caller.require(Act.ASK, "p")
    with pytest.raises(OutOfScope):
        caller.require_scope(Act.READ)
    with pytest.raises(NotFound):
        caller.require(Act.QUOTE, "q")


def test_both_keys_work_during_the_overlap_and_then_the_new_one(registry: Registry) -> None:
    id, old = made(registry, Scope.QUOTE, Scope.READ)
    fresh, new = registry.rotate_key(id, HOUR, None)
    assert (fresh.follows, fresh.scopes) == (id, (Scope.QUOTE, Scope.READ))
    assert registry.authenticated(old).acts("p") == registry.authenticated(new).acts("p")
    ends = registry.key(id).expires
    assert ends is not None
    assert timedelta(minutes=59) < ends - now() <= HOUR
    later, newer = registry.rotate_key(fresh.id, timedelta(), None)
    assert later.follows == fresh.id
    with pytest.raises(NotAuthenticated):
        registry.authenticated(new)
    assert registry.authenticated(newer).may(Act.QUOTE, "p")


def test_rotation_does_not_lengthen_a_life(registry: Registry) -> None:
    registry.give_role("ann", Role.ANALYST, "p")
    ends = now() + HOUR
    key, _ = registry.create_key("ann", Role.ANALYST, "p", ends)
    registry.rotate_key(key.id, timedelta(days=2), ends)
    stands = registry.key(key.id).expires
    assert stands is not None
    assert stands <= ends


def test_a_key_is_rotated_once_and_while_it_lives(registry: Registry) -> None:
    id, _ = made(registry)
    for overlap in (-HOUR, LONGEST_OVERLAP + HOUR):
        with pytest.raises(Invalid):
            registry.rotate_key(id, overlap, None)
    fresh, _ = registry.rotate_key(id, HOUR, None)
    with pytest.raises(Conflict):
        registry.rotate_key(id, HOUR, None)
    registry.revoke_key(fresh.id)
    with pytest.raises(Conflict):
        registry.rotate_key(fresh.id, HOUR, None)


def test_a_rotation_changes_no_other_key_and_gives_none_that_is_over_a_new_life(
    registry: Registry,
) -> None:
    registry.give_role("bo", Role.ANALYST, "p")
    over, text = registry.create_key("bo", Role.ANALYST, "p", now() + timedelta(milliseconds=200))
    registry.create_key("bo", Role.ANALYST, "p", now() + 3 * HOUR)
    registry.create_key("bo", Role.ANALYST, "p")
    id, _ = made(registry)
    while registry.key(over.id).expires > now():  # type: ignore[operator]
        time.sleep(0.02)
    before = registry.all_keys()
    fresh, _ = registry.rotate_key(id, HOUR, None)
    assert [one for one in registry.all_keys() if one.id not in (id, fresh.id)] == [
        one for one in before if one.id != id
    ]
    with pytest.raises(Conflict):
        registry.rotate_key(over.id, HOUR, None)
    with pytest.raises(NotAuthenticated):
        registry.authenticated(text)


def test_of_many_that_rotate_a_key_one_gets_a_new_one(registry: Registry, other: Registry) -> None:
    id, _ = made(registry)

    def rotate(number: int) -> bool:
        try:
            (registry, other)[number % 2].rotate_key(id, HOUR, None)
        except (Conflict, StorageBusy):
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(rotate, range(16))) == 1
    assert len([key for key in registry.all_keys() if key.follows == id]) == 1


def test_a_key_that_is_ended_at_one_gateway_is_ended_at_all(
    registry: Registry, other: Registry
) -> None:
    for end in (
        lambda id: registry.revoke_key(id),
        lambda _id: registry.take_role("ann", Role.ANALYST, "p"),
        lambda _id: registry.end_member("ann"),
    ):
        id, text = made(registry)
        assert other.authenticated(text).may(Act.ASK, "p")
        end(id)
        with pytest.raises(NotAuthenticated):
            other.authenticated(text)


def test_a_key_of_a_member_that_left_does_not_come_back(registry: Registry) -> None:
    _, text = made(registry)
    registry.end_member("ann")
    with pytest.raises(NotFound):
        registry.end_member("ann")
    made(registry)
    with pytest.raises(NotAuthenticated):
        registry.authenticated(text)


def test_a_role_that_is_lost_ends_the_keys_of_that_project_alone(registry: Registry) -> None:
    _, here = made(registry)
    registry.give_role("ann", Role.ANALYST, "q")
    _, there = registry.create_key("ann", Role.ANALYST, "q")
    _, both = registry.create_key("ann", Role.ANALYST, None)
    registry.take_role("ann", Role.ANALYST, "p")
    with pytest.raises(NotAuthenticated):
        registry.authenticated(here)
    assert registry.authenticated(there).may(Act.ASK, "q")
    assert not registry.authenticated(both).roles("p")
    assert registry.authenticated(both).may(Act.ASK, "q")


def test_a_lesser_role_leaves_a_wider_key_nothing(registry: Registry) -> None:
    _, text = made(registry, role=Role.LEAD)
    registry.give_role("ann", Role.ANALYST, "p")
    registry.take_role("ann", Role.LEAD, "p")
    assert not registry.authenticated(text).roles("p")


def test_the_last_use_is_written_seldom_and_never_back(
    registry: Registry, other: Registry, storage: Storage
) -> None:
    id, text = made(registry)
    assert registry.key(id).used is None
    registry.authenticated(text)
    registry.write_use()
    first = registry.key(id).used
    assert first is not None
    registry.authenticated(text)
    registry.write_use()
    assert registry.key(id).used == first
    other.authenticated(text)
    other.write_use()
    second = registry.key(id).used
    assert second is not None
    assert second > first
    storage.act("", lambda tx: _ahead(tx, id), lambda _tx: None)
    ahead = registry.key(id).used
    again = Registry(storage)
    again.authenticated(text)
    again.write_use()
    assert registry.key(id).used == ahead


def _ahead(tx: object, id: str) -> bool:
    later = now() + HOUR
    tx.execute(api_key.update().where(api_key.c.id == id).values(used=later))  # type: ignore[attr-defined]
    return True


def test_the_secret_opens_the_door_once(registry: Registry, storage: Storage) -> None:
    way = Bootstrap(storage, Record(storage))
    assert way.needed()
    void = way.make()
    secret = way.make()
    for wrong in (void, secret + "x", secret[:-1] + "-", "", "once_"):
        with pytest.raises(NotAuthenticated):
            way.use(wrong, "eve")
    made, text = way.use(secret, "ada")
    assert (made.member, made.role, made.project) == ("ada", Role.ADMINISTRATOR, None)
    assert Act.ADMINISTER in registry.authenticated(text).acts()
    with pytest.raises(NotAuthenticated):
        way.use(secret, "eve")
    with pytest.raises(Conflict):
        way.make()
    registry.end_member("ada")
    with pytest.raises(Conflict):
        way.make()


def test_a_secret_is_void_after_a_day_and_once_somebody_administers(
    registry: Registry, storage: Storage
) -> None:
    way = Bootstrap(storage, Record(storage))
    secret = way.make()
    old = now() - LASTS - HOUR
    storage.act("", lambda tx: _set_back(tx, old), lambda _tx: None)
    with pytest.raises(NotAuthenticated):
        way.use(secret, "eve")
    secret = way.make()
    registry.give_role("ada", Role.ADMINISTRATOR, None)
    with pytest.raises(NotAuthenticated):
        way.use(secret, "eve")
    with pytest.raises(Conflict):
        way.make()


def _set_back(tx: object, moment: object) -> bool:
    tx.execute(bootstrap.update().values(created=moment))  # type: ignore[attr-defined]
    return True


def test_of_many_with_the_secret_one_gets_in(
    registry: Registry, other: Registry, storage: Storage, place: Place
) -> None:
    secret = Bootstrap(storage, Record(storage)).make()
    elsewhere = Storage.open(place)
    ways = [Bootstrap(one, Record(one)) for one in (storage, elsewhere)]

    def enter(number: int) -> bool:
        try:
            ways[number % 2].use(secret, f"m{number}")
        except (Refused, StorageBusy):
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(enter, range(16))) == 1
    elsewhere.close()
    administrators = [m for m in other.members() if (None, Role.ADMINISTRATOR) in m.roles]
    assert len(administrators) == len(registry.all_keys()) == 1
