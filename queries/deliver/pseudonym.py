"""Pseudonyms of units: a keyed HMAC takes the place of every id on the way in.

HMAC-SHA256 is spelled out in SQL (RFC 2104: two hashes over a padded key), so that millions of ids
are never carried through Python one by one. The keys travel as session variables, bound as
parameters, never as SQL text.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a delivery's private file holds no unit's id, and whoever lacks the key cannot tell
                which pseudonym an id has, unless a public table tells the unit apart by its other
                columns; two ids never share a pseudonym.
    Requires    keys of 32 random bytes that stay with the operator; ids normalised first, so that
                one unit has one id ("007" and 7, P14).
    Why         HMAC-SHA256 is a pseudorandom function. The first 63 bits are kept; should two ids
                meet there, the registration fails rather than joining two units into one, because
                which rows are kept of the joined unit would depend on both (P2, P14).
    Tried by    tests/deliver/test_pseudonym.py
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import duckdb

_BLOCK = 64
LEAST_KEY = 32


@dataclass(frozen=True, slots=True)
class PseudonymKeys:
    """The secrets of a unit domain: `unit` makes pseudonyms, `cap` picks rows above the cap."""

    unit: bytes = field(repr=False)
    cap: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if min(len(self.unit), len(self.cap)) < LEAST_KEY or self.unit == self.cap:
            raise ValueError(f"two different keys of at least {LEAST_KEY} bytes are needed")

    def give(self, engine: duckdb.DuckDBPyConnection) -> None:
        """Hand the padded keys to the session whose SQL is made by `hmac_hex`."""
        for name, key in (("unit", self.unit), ("cap", self.cap)):
            for side, byte in (("inner", 0x36), ("outer", 0x5C)):
                engine.execute(f"SET VARIABLE {name}_{side} = ?", [_padded(key, byte)])


def _padded(key: bytes, byte: int) -> bytes:
    short = hashlib.sha256(key).digest() if len(key) > _BLOCK else key
    return bytes(value ^ byte for value in short.ljust(_BLOCK, b"\0"))


def hmac_hex(name: str, message: str) -> str:
    """SQL: the HMAC-SHA256 of a text expression under the key `name`, in hexadecimal."""
    inner = f"sha256(getvariable('{name}_inner') || encode({message}))"
    return f"sha256(getvariable('{name}_outer') || unhex({inner}))"


def pseudonym(message: str) -> str:
    """SQL: the first 63 bits of the HMAC of a normalised id, as a BIGINT that is never negative."""
    first = f"substr({hmac_hex('unit', message)}, 1, 16)"
    return f"CAST(CAST('0x' || {first} AS UBIGINT) >> 1 AS BIGINT)"
