"""API keys: 256 random bits, shown once; only a prefix and a SHA-256 hash are kept.

A fast hash is enough, because a key is random and long: there is nothing to guess. The prefix finds
the row, the hash decides, compared in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

SCHEME = "sluis_"
PREFIX_LENGTH = len(SCHEME) + 8
_FORM = re.compile(SCHEME + r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A fresh key: the text for its holder, and what may be kept of it."""

    text: str
    prefix: str
    digest: str


def fresh() -> NewKey:
    """A key that nobody has seen yet."""
    text = SCHEME + secrets.token_urlsafe(32)
    return NewKey(text, prefix(text), digest(text))


def is_key(text: str) -> bool:
    """Whether the text has the form of a key; everything else is not even looked up."""
    return _FORM.fullmatch(text) is not None


def prefix(text: str) -> str:
    """The part of a key by which it is found and named in logs."""
    return text[:PREFIX_LENGTH]


def digest(text: str) -> str:
    """What is kept instead of the key."""
    return hashlib.sha256(text.encode()).hexdigest()


def matches(text: str, kept: str) -> bool:
    """Whether the text is the key whose digest was kept, in constant time."""
    return hmac.compare_digest(digest(text), kept)
