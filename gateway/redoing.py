"""Planning once more what was charged: on its delivery, at its price and for its moment.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a question that is run under a redeemed charge is planned as it was charged: the
                same stages under the same digests, whatever was delivered, spent or has passed
                since (P20).
    Requires    what a plan depends on beside the question, what the project may see and the
                deliveries: its price and its minute, kept with the charge.
    Why         both are written when the plan is claimed and read here; the ledger compares the
                digests, mechanisms and losses before it runs anything, and refuses others.
    Tried by    tests/gateway/test_redeemed.py
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from budgets.charge import Ground
from budgets.ledger import Ledger
from gateway.refusals import DeliveryGone
from gateway.registry import Delivery, Registry
from gateway.submission import Question
from queries import codec
from queries.plan.price import Price


@dataclass(frozen=True, slots=True)
class Terms:
    """For what a plan was made beside its question: the price, and what the clock showed."""

    price: Price
    moment: datetime | None = None

    def written(self) -> str:
        """As it is kept with the charge."""
        moment = None if self.moment is None else self.moment.isoformat()
        return json.dumps({"moment": moment, "price": codec.plain(self.price)}, sort_keys=True)


def read(text: str) -> Terms:
    """The terms as they were kept."""
    kept = json.loads(text)
    moment = None if kept["moment"] is None else datetime.fromisoformat(kept["moment"])
    return Terms(codec.loads(Price, json.dumps(kept["price"]).encode()), moment)


@dataclass(frozen=True, slots=True)
class Past:
    """On what a failed run was planned: its deliveries, oldest first, and its terms if known.

    Charges of earlier versions have no terms: they are planned for now, at the present price.
    """

    deliveries: tuple[Delivery, ...]
    terms: Terms | None


class Redone:
    """The grounds of failed runs that may be run once more, in one home."""

    def __init__(self, registry: Registry, ledger: Ledger, deliveries: Path) -> None:
        self._registry, self._ledger, self._deliveries = registry, ledger, deliveries

    def of(self, question: Question, key: str | None) -> Past | None:
        """On what a submission would be run once more, or None; raises DeliveryGone.

        A question that can be run no more is a question of its own from then on.
        """
        fresh = question.fresh
        found = self._ledger.ground_of(question.project, key, question.digest, fresh=fresh)
        if found is None:
            return None
        try:
            return self.past(found)
        except DeliveryGone:
            self._ledger.lapse(question.project, found.query)
            raise

    def past(self, ground: Ground) -> Past | None:
        """The ground of a charge, if its deliveries are still there; raises DeliveryGone."""
        if ground.delivery is None:
            return None
        found = [self._registry.delivery(one) for one in (*ground.others, ground.delivery)]
        if not all((self._deliveries / one.directory).is_dir() for one in found):
            raise DeliveryGone()
        oldest_first = sorted(found, key=lambda one: one.block or "")
        return Past(tuple(oldest_first), None if ground.terms is None else read(ground.terms))
