"""Tokens: what the identity provider says of who sends a request, checked to the last claim.

A token is believed if one of the issuer's own keys signed it, by an asymmetric algorithm, for this
audience, and at this time. Nothing that it says of itself leads anywhere: no key in its header, no
address. Everything else is one refusal, the same for all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from gateway.access import Role
from gateway.oidc.provider import Provider
from gateway.refusals import NotAuthenticated

ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
LEEWAY = 30
LONGEST = 8192
TYPES = {"jwt", "at+jwt", "application/at+jwt"}
LEADING = ("jku", "jwk", "x5u", "x5c", "crit")
"""Parts of a header that name a key or demand an understanding: none is taken up."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How tokens are read: for whom they are, and which claims tell member and roles."""

    audience: str
    member: str = "sub"
    roles: str | None = None
    mapping: Mapping[str, Role] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Identified:
    """Whom a token names, until when, and to which roles it is held (None: to none)."""

    member: str
    until: int
    roles: frozenset[Role] | None


def identified(
    text: str, provider: Provider, rules: Rules, clock: Callable[[], float] = time.time
) -> Identified:
    """Whom a token names, or NotAuthenticated; IdentityUnavailable without keys to check it by."""
    claims = _signed(text, provider)
    now = clock()
    if claims.get("iss") != provider.issuer or not _meant(claims.get("aud"), rules.audience):
        raise NotAuthenticated()
    until = _moment(claims, "exp")
    begins, made = _moment(claims, "nbf", 0), _moment(claims, "iat", 0)
    if until + LEEWAY <= now or max(begins, made) - LEEWAY > now:
        raise NotAuthenticated()
    member = claims.get(rules.member)
    if not isinstance(member, str) or not member:
        raise NotAuthenticated()
    if rules.member == "email" and claims.get("email_verified") is not True:
        raise NotAuthenticated()
    return Identified(member, int(until), _roles(claims, rules))


def _signed(text: str, provider: Provider) -> Mapping[str, Any]:
    """The claims of a token that one of the issuer's keys has signed."""
    if len(text) > LONGEST or text.count(".") != 2:
        raise NotAuthenticated()
    try:
        header = extract_compact(text.encode()).headers()
        if not _plain(header):
            raise NotAuthenticated()
        key = provider.key(header["kid"])
        if key is None or key.get("alg") not in (None, header["alg"]):
            raise NotAuthenticated()
        return jwt.decode(text, key, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise NotAuthenticated() from None


def _plain(header: Mapping[str, Any]) -> bool:
    """Whether a header names an asymmetric algorithm and a key by its id, and leads nowhere."""
    type = header.get("typ", "JWT")
    return (
        header.get("alg") in ALGORITHMS
        and isinstance(header.get("kid"), str)
        and isinstance(type, str)
        and type.lower() in TYPES
        and not any(name in header for name in LEADING)
    )


def _meant(audience: object, ours: str) -> bool:
    return ours in audience if isinstance(audience, list) else audience == ours


def _moment(claims: Mapping[str, Any], name: str, default: float | None = None) -> float:
    """A claim that is a point in time, in seconds since 1970; else NotAuthenticated."""
    found = claims.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int | float) or not abs(found) < 1e12:
        raise NotAuthenticated()
    return found


def _roles(claims: Mapping[str, Any], rules: Rules) -> frozenset[Role] | None:
    """The roles that the token is held to: those of its words that the mapping has."""
    if rules.roles is None:
        return None
    words = claims.get(rules.roles, [])
    listed = words if isinstance(words, list) else [words]
    return frozenset(
        rules.mapping[word] for word in listed if isinstance(word, str) and word in rules.mapping
    )
