"""The provider: where its keys are, fetched from the configured issuer and from nowhere else.

Keys are fetched when the first token comes, again after an hour, and once a minute at most for a
token that names a key which is not known. While the provider cannot be reached the keys that are
known go on working until their age passes a limit; then nobody signs in by token.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import IO, Any
from urllib.parse import urlsplit

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from gateway.refusals import IdentityUnavailable

log = structlog.get_logger()

Key = RSAKey | ECKey | OKPKey
FRESH, PAUSE = 3600.0, 60.0
"""Seconds after which keys are fetched again, and the least between two attempts."""
SECONDS = 5.0
MOST_BYTES = 262_144
LEAST_BITS = 2048
DISCOVERY = "/.well-known/openid-configuration"


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it would lead away from the issuer."""

    def redirect_request(
        self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        """Nowhere; the answer is an error."""


class Provider:
    """The public keys of one issuer, by their ids; safe for threads. `lasts` is in seconds."""

    def __init__(
        self, issuer: str, lasts: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.issuer, self._lasts, self._clock = issuer, lasts, clock
        self._keys: Mapping[str, Key] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._lock = threading.Lock()

    def key(self, id: str) -> Key | None:
        """The key of that id, or None; IdentityUnavailable where no key can be relied on."""
        if id not in self._keys or self._age() > FRESH:
            self._renew(id)
        if self._age() > self._lasts:
            raise IdentityUnavailable()
        return self._keys.get(id)

    def _age(self) -> float:
        return float("inf") if self._fetched is None else self._clock() - self._fetched

    def _renew(self, id: str) -> None:
        """Fetch the keys, unless that was tried just now; others that know their key go on."""
        if not self._lock.acquire(blocking=id not in self._keys):
            return
        try:
            now = self._clock()
            if self._tried is not None and now - self._tried < PAUSE:
                return
            self._tried = now
            self._keys = fetched(self.issuer)
            self._fetched = self._clock()
        except (OSError, HTTPException, ValueError, TypeError, KeyError) as error:
            log.error("identity provider not reached", kind=type(error).__name__)
        finally:
            self._lock.release()


def fetched(issuer: str) -> dict[str, Key]:
    """The keys that an issuer publishes; ValueError where it is not what it should be."""
    found = _document(issuer.rstrip("/") + DISCOVERY)
    place = found["jwks_uri"]
    if found["issuer"] != issuer or _origin(place) != _origin(issuer):
        raise ValueError("the discovery document is another issuer's, or its keys are elsewhere")
    return dict(one for jwk in _document(place)["keys"] if (one := _read(jwk)) is not None)


def sound(issuer: str) -> bool:
    """Whether an issuer is an https address, or an http one of this machine."""
    parts = urlsplit(issuer)
    local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    plain = not (parts.query or parts.fragment or parts.username)
    return (
        plain
        and bool(parts.hostname)
        and (parts.scheme == "https" or (parts.scheme == "http" and local))
    )


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port


def _document(address: str) -> dict[str, Any]:
    opener = urllib.request.build_opener(_Straight())
    request = urllib.request.Request(address, headers={"Accept": "application/json"})  # noqa: S310
    with opener.open(request, timeout=SECONDS) as response:
        body = response.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise ValueError("the document is too large")
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("the document is not an object")
    return found


def _read(jwk: Any) -> tuple[str, Key] | None:
    """One key for signatures with its id; None for what cannot be used, secrets above all."""
    if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig":
        return None
    id = jwk.get("kid")
    if not isinstance(id, str) or jwk.get("kty") not in {"RSA", "EC", "OKP"}:
        return None
    try:
        key = import_key(jwk)
    except (JoseError, ValueError, TypeError):
        return None
    if isinstance(key, RSAKey) and key.public_key.key_size < LEAST_BITS:
        return None
    return (id, key) if isinstance(key, RSAKey | ECKey | OKPKey) else None
