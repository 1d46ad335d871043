"""From a credential to a caller: what a token carries of its member's roles, and what a caller is.

In this process, on a real database and a real provider; `test_oidc` asks a whole gateway.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from budgets.ledger import Ledger
from budgets.storage import Storage
from gateway.access import Act, Caller, Role
from gateway.identity import Identity
from gateway.refusals import NotAuthenticated, NotFound, NotPermitted, OutOfScope
from gateway.registry import Registry
from gateway.settings import Settings
from tests.gateway.provider import AUDIENCE, IdentityProvider, identity_provider


@pytest.fixture(scope="module")
def idp() -> Iterator[IdentityProvider]:
    with identity_provider() as made:
        yield made


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    storage = Storage.open(tmp_path / "sluis.db")
    ledger = Ledger(storage)
    ledger.open_dataset("d", Fraction(1), Fraction(0))
    for name in ("p", "q", "r"):
        ledger.open_project(name, "d")
    made = Registry(storage)
    made.give_role("ann", Role.LEAD, "p")
    made.give_role("ann", Role.ANALYST, "q")
    made.give_role("eve", Role.ADMINISTRATOR, None)
    return made


def places(caller: Caller) -> dict[str, set[Role]]:
    return {name: set(roles) for name, roles in (caller.within or {}).items()}


def identity(registry: Registry, idp: IdentityProvider, **more: str) -> Identity:
    chosen = {"oidc_issuer": idp.issuer, "oidc_audience": AUDIENCE} | more
    return Identity(registry, Settings(**chosen))  # type: ignore[arg-type]


ROLES = {
    "oidc_role_claim": "groups",
    "oidc_roles": " asks = analyst , leads=lead, reads=reviewer, all=administrator,",
}


def test_a_token_carries_the_roles_of_its_member_each_where_it_is_held(
    registry: Registry, idp: IdentityProvider
) -> None:
    until = int(time.time()) + 200
    asks = identity(registry, idp)
    ann = asks.caller(idp.token("ann", exp=until))
    assert (ann.member, ann.key, ann.overall, ann.scope) == ("ann", "oidc:ann", frozenset(), None)
    assert places(ann) == {"p": {Role.LEAD}, "q": {Role.ANALYST}}
    assert ann.until == datetime.fromtimestamp(until, UTC)
    eve = asks.caller(idp.token("eve"))
    assert (set(eve.overall), places(eve)) == ({Role.ADMINISTRATOR}, {})
    assert asks.caller(idp.token("ann", groups=["reads"])).roles("p") == {Role.LEAD}


def test_a_token_is_held_to_the_roles_that_it_names(
    registry: Registry, idp: IdentityProvider
) -> None:
    """To those that the member covers where they are held, and to none where it names none."""
    asks = identity(registry, idp, **ROLES)

    def carried(member: str, groups: object) -> tuple[object, object]:
        found = asks.caller(idp.token(member, groups=groups))
        return found.overall, places(found)

    none: frozenset[Role] = frozenset()
    assert carried("ann", ["asks"]) == (none, {"p": {Role.ANALYST}, "q": {Role.ANALYST}})
    assert carried("ann", ["leads"]) == (none, {"p": {Role.LEAD}})
    assert carried("ann", "leads") == (none, {"p": {Role.LEAD}})
    assert carried("ann", ["all"]) == (none, {})
    assert carried("ann", ["nothing"]) == carried("ann", None) == (none, {})
    assert carried("eve", ["reads"]) == ({Role.REVIEWER}, {})
    assert carried("eve", ["asks", "all"]) == ({Role.ADMINISTRATOR}, {})


def test_whoever_is_no_member_here_is_nobody(registry: Registry, idp: IdentityProvider) -> None:
    asks = identity(registry, idp)
    with pytest.raises(NotAuthenticated):
        asks.caller(idp.token("bob"))
    registry.take_role("ann", Role.LEAD, "p")
    registry.take_role("ann", Role.ANALYST, "q")
    with pytest.raises(NotAuthenticated):
        asks.caller(idp.token("ann"))


def test_keys_are_looked_up_beside_a_provider_and_tokens_are_nothing_without_one(
    registry: Registry, idp: IdentityProvider
) -> None:
    made, text = registry.create_key("ann", Role.ANALYST, "q")
    for asks in (identity(registry, idp), Identity(registry, Settings())):
        found = asks.caller(text)
        assert (found.key, places(found)) == (made.id, {"q": {Role.ANALYST}})
    with pytest.raises(NotAuthenticated):
        Identity(registry, Settings()).caller(idp.token("ann"))


@pytest.mark.parametrize("role", Role)
def test_a_caller_sees_and_does_what_its_roles_hold_where_they_are(role: Role) -> None:
    nobody, inside = Caller("m", "k"), Caller("m", "k", within={"p": frozenset({role})})
    everywhere = Caller("m", "k", frozenset({role}))
    whole = role in (Role.ADMINISTRATOR, Role.AUDITOR)
    seen = [(one.sees_whole, one.sees_all) for one in (nobody, inside, everywhere)]
    assert seen == [(False, False), (False, False), (whole, True)]
    for caller, project in ((inside, "q"), (nobody, "p")):
        with pytest.raises(NotFound):
            caller.require(Act.READ, project)
    for act in Act:
        held = act in everywhere.acts("q")
        assert held == (act in inside.acts("p")) == (act in everywhere.acts())
        assert act not in inside.acts() | inside.acts("q")
        with pytest.raises(NotPermitted):
            inside.require_overall(act)
        if held:
            everywhere.require_overall(act)
            inside.require(act, "p")
        else:
            with pytest.raises(NotPermitted):
                everywhere.require_overall(act)
            with pytest.raises(NotPermitted):
                inside.require(act, "p")


def test_a_scope_takes_away_and_adds_nothing() -> None:
    held = Caller("m", "k", frozenset({Role.LEAD}), scope=frozenset({Act.QUOTE, Act.AUDIT}))
    assert held.acts("p") == held.acts() == {Act.QUOTE}
    held.require_scope(Act.QUOTE)
    with pytest.raises(OutOfScope):
        held.require_scope(Act.ASK)
    with pytest.raises(OutOfScope):
        held.require(Act.ASK, "p")
    with pytest.raises(OutOfScope):
        held.require_overall(Act.ASK)
    with pytest.raises(NotPermitted):
        held.require(Act.AUDIT, "p")
    Caller("m", "k").require_scope(Act.ASK)
