"""Buckets of tokens, shared by all gateways of a database: how often a key may ask.

A bucket is one moment, at which it will be full again (the generic cell rate algorithm, ITU-T
I.371): taking tokens moves it on by the time in which they come back, and they are there as long as
it stays within a bucket's worth of time. So taking is one conditional UPDATE. Times are in whole
microseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, bindparam, case, select, text, update

from budgets.storage.schema import bucket


def _number(name: str) -> object:
    return bindparam(name, type_=BigInteger)


_STARTS = case((bucket.c.full > _number("now"), bucket.c.full), else_=_number("now"))
_TAKE = (
    update(bucket)
    .where(bucket.c.name == bindparam("named"), _number("latest") >= _STARTS)
    .values(full=_STARTS + _number("costs"))
)
_FULL = select(bucket.c.full).where(bucket.c.name == bindparam("named"))
_ADD = text('INSERT INTO bucket (name, "full") VALUES (:named, 0) ON CONFLICT DO NOTHING')


@dataclass(frozen=True, slots=True)
class Taken:
    """The microseconds' worth of tokens that were taken, and when the bucket is full again."""

    worth: int
    full: int


def take(tx: Connection, name: str, now: int, costs: int, holds: int, ahead: int = 0) -> Taken:
    """Take what comes back in `costs` from a bucket that fills in `holds`, or nothing.

    As much as `ahead` is taken besides, where that leaves the bucket half full. The clocks of
    several gateways need not agree: one that is behind takes what others left.
    """
    full = tx.execute(_FULL, {"named": name}).scalar()
    if full is None:
        tx.execute(_ADD, {"named": name})
    worth = 0
    if ahead and _moved(tx, name, now, costs + ahead, holds // 2):
        worth = costs + ahead
    elif _moved(tx, name, now, costs, holds):
        worth = costs
    return Taken(worth, int(tx.execute(_FULL, {"named": name}).scalar_one()))


def _moved(tx: Connection, name: str, now: int, costs: int, holds: int) -> bool:
    words = {"named": name, "now": now, "costs": costs, "latest": now + holds - costs}
    return tx.execute(_TAKE, words).rowcount == 1
