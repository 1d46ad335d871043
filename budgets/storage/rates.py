"""Buckets of tokens, shared by all gateways of a database: how often a key may ask.

A bucket is one moment, at which it will be full again (the generic cell rate algorithm, ITU-T
I.371): taking tokens moves it on by the time in which they come back, and they are there as long as
it stays within a bucket's worth of time. So taking is one conditional UPDATE. Times are in whole
microseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, bindparam, case, insert, select, update

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


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether tokens were taken, and when the bucket will be full again."""

    taken: bool
    full: int


def take(tx: Connection, name: str, now: int, costs: int, holds: int) -> Taken:
    """Take what comes back in `costs` from a bucket that fills in `holds`, or nothing.

    The clocks of several gateways need not agree: one that is behind takes what others left.
    """
    words = {"named": name, "now": now, "costs": costs, "latest": now + holds - costs}
    done = tx.execute(_TAKE, words).rowcount == 1
    full = tx.execute(_FULL, {"named": name}).scalar()
    if full is None:
        full = now + costs
        tx.execute(insert(bucket).values(name=name, full=full))
        done = True
    return Taken(done, full)
