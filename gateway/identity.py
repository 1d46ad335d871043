"""Identity: from a credential to a caller, one method for each kind of credential.

An API key is looked up; a token of the identity provider is checked, and its member looked up. Both
carry what the member may do at this moment and no more. A token of somebody who is no member here
is refused like one that is not valid.
"""

from __future__ import annotations

from datetime import UTC, datetime

from gateway import keys
from gateway.access import Caller, Role, narrowed
from gateway.oidc.provider import Provider, sound
from gateway.oidc.tokens import Identified, Rules, identified
from gateway.refusals import NotAuthenticated
from gateway.registry import Registry
from gateway.settings import BadSettings, Settings


class Identity:
    """Who sends a request; tokens are taken only where a provider is configured."""

    def __init__(self, registry: Registry, settings: Settings) -> None:
        self._registry = registry
        self._provider = provider(settings)
        self._rules = rules(settings)

    def caller(self, text: str) -> Caller:
        """Who holds this credential at this moment, or NotAuthenticated."""
        if self._provider is None or keys.is_key(text):
            return self._registry.authenticated(text)
        return self._named(identified(text, self._provider, self._rules))

    def _named(self, found: Identified) -> Caller:
        """The member that a token names, with the roles that both of them have."""
        held = self._registry.roles(found.member)
        if not held:  # unknown, or a member no longer
            raise NotAuthenticated()
        overall = _carried(frozenset(role for where, role in held if where is None), found.roles)
        places = {where for where, _ in held if where is not None}
        within = {
            place: carried
            for place in places
            if (carried := _carried(frozenset(r for w, r in held if w == place), found.roles))
        }
        until = datetime.fromtimestamp(found.until, UTC)
        key = f"oidc:{found.member}"
        return Caller(found.member, key, overall, within, None, until, bucket=key)


def provider(settings: Settings) -> Provider | None:
    """The configured provider; BadSettings where its address or the audience does not do."""
    if not settings.oidc_issuer:
        return None
    if not sound(settings.oidc_issuer):
        raise BadSettings("SLUIS_OIDC_ISSUER has to be an https address.")
    if not settings.oidc_audience:
        raise BadSettings("SLUIS_OIDC_AUDIENCE has to be set beside SLUIS_OIDC_ISSUER.")
    return Provider(settings.oidc_issuer, settings.oidc_keys_last)


def rules(settings: Settings) -> Rules:
    """How tokens are read; BadSettings where the mapping of roles cannot be read."""
    pairs = [pair.partition("=") for pair in settings.oidc_roles.split(",") if pair.strip()]
    try:
        mapping = {word.strip(): Role(role.strip()) for word, _, role in pairs}
    except ValueError:
        raise BadSettings("SLUIS_OIDC_ROLES reads `word=role, ...` with known roles.") from None
    claim = settings.oidc_role_claim or None
    return Rules(settings.oidc_audience, settings.oidc_member_claim, claim, mapping)


def _carried(held: frozenset[Role], limits: frozenset[Role] | None) -> frozenset[Role]:
    """What a token carries of some roles: all, or those of its limits that they cover."""
    if limits is None:
        return held
    return frozenset(role for limit in limits for role in narrowed(held, limit))
