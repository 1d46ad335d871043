"""A small identity provider: a real HTTP server with discovery, rotating keys and signed tokens."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

AUDIENCE = "sluis-tests"
DISCOVERY = "/.well-known/openid-configuration"


class IdentityProvider:
    """Publishes its keys under an address of this machine; what it was asked for is kept."""

    def __init__(self) -> None:
        self.keys: list[RSAKey | ECKey] = []
        self.asked: list[str] = []
        self.published: dict[str, Any] = {}
        self.redirects = False
        self._server: ThreadingHTTPServer | None = None
        self._port = 0
        self.rotate()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Answer, at the same address as before if there was one."""
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(self.path)
                if provider.redirects and self.path == "/jwks":
                    self.send_response(302)
                    self.send_header("Location", f"{provider.issuer}/elsewhere")
                    self.end_headers()
                    return
                body = json.dumps(provider.answer(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def answer(self, path: str) -> dict[str, Any]:
        if path == DISCOVERY:
            return {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/jwks"} | self.published
        return {"keys": [key.as_dict(private=False) | {"use": "sig"} for key in self.keys]}

    def rotate(self, elliptic: bool = False) -> None:
        """A new key in the place of the old ones."""
        named = {"kid": f"key-{time.monotonic_ns()}"}
        made = ECKey.generate_key("P-256", named) if elliptic else RSAKey.generate_key(2048, named)
        self.keys = [made]

    def claims(self, member: str, **more: object) -> dict[str, Any]:
        """What a token of that member says, but for what is told otherwise; None leaves it out."""
        now = int(time.time())
        usual = {
            "iss": self.issuer, "aud": AUDIENCE, "sub": member, "iat": now, "nbf": now,
            "exp": now + 300,
        }  # fmt: skip
        return {name: value for name, value in (usual | more).items() if value is not None}

    def token(self, member: str, header: dict[str, Any] | None = None, **more: object) -> str:
        """A token of that member, signed with the present key."""
        key = self.keys[0]
        algorithm = "ES256" if isinstance(key, ECKey) else "RS256"
        told = {"alg": algorithm, "kid": key.kid} | (header or {})
        return jwt.encode(told, self.claims(member, **more), key, algorithms=[told["alg"]])


@contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    """A provider that runs while the block does."""
    made = IdentityProvider()
    made.start()
    try:
        yield made
    finally:
        made.stop()
