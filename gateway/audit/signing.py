"""Signatures: the gateway's key, made in its home, and statements that anybody can check.

A statement is canonical JSON that names its kind, so that none can be taken for another. The
signature is Ed25519 over that text (RFC 8032): deterministic, and checked with 32 public bytes. The
secret never leaves the home; whoever reads the home can sign in the gateway's name, so what is
signed binds the office from the moment somebody else keeps it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from budgets.chain import canonical
from gateway.home import Home, kept_secret

NAME = "signing"


class NotAKey(ValueError):
    """The text or file is no public key of a gateway."""

    code = "not-a-public-key"
    hint = "`sluis audit key` prints it: 44 characters of base64."

    def __init__(self) -> None:
        super().__init__("This is no public key.")


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement with its signature, as it travels: {"statement": ..., "signature": ...}."""

    statement: Mapping[str, Any]
    signature: str

    def document(self) -> dict[str, Any]:
        return {"signature": self.signature, "statement": dict(self.statement)}


class Signer:
    """Signs in the name of one home."""

    def __init__(self, home: Home, name: str = NAME) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(kept_secret(home.keys / name))

    @property
    def public(self) -> str:
        """The key by which everybody can check: base64 of its 32 bytes."""
        return shown(self._key.public_key())

    def sign(self, kind: str, **statement: object) -> Signed:
        """A statement of that kind."""
        whole = {"kind": kind, "version": 1} | statement
        return Signed(whole, _text(self._key.sign(canonical(whole).encode("ascii"))))


def public_key(given: str) -> Ed25519PublicKey:
    """The key of that text, or in the file of that name; NotAKey if it is none."""
    text = given.strip()
    if len(text) != 44 and Path(given).is_file():
        text = Path(given).read_text(encoding="utf-8").strip()
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error):
        raise NotAKey from None


def shown(key: Ed25519PublicKey) -> str:
    """The text of a public key: base64 of its 32 bytes."""
    return _text(key.public_bytes_raw())


def read(document: object, kind: str) -> Signed | None:
    """A signed statement of that kind as it travels, unchecked; None if it has not the form."""
    match document:
        case {"statement": dict(statement), "signature": str(signature)}:
            return Signed(statement, signature) if statement.get("kind") == kind else None
    return None


def holds(signed: Signed, keys: Sequence[Ed25519PublicKey]) -> bool:
    """Whether one of these keys signed the statement."""
    text = canonical(dict(signed.statement)).encode("ascii")
    try:
        signature = base64.b64decode(signed.signature, validate=True)
    except (ValueError, binascii.Error):
        return False
    return any(_verified(key, signature, text) for key in keys)


def _verified(key: Ed25519PublicKey, signature: bytes, text: bytes) -> bool:
    try:
        key.verify(signature, text)
    except InvalidSignature:
        return False
    return True


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
