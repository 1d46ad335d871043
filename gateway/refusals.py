"""Refusals of the gateway: decided before anything is read, so each one explains itself.

    Refused
        NotAuthenticated   no valid key
        NotPermitted       the role does not carry this act
        OutOfScope         the key is held to other acts
        NotFound           it does not exist, or not for this caller: the two look the same
        Invalid            the request itself is not well formed
        Conflict           it contradicts what stands
        BlocksDiffer       blocks that are to be read as one were not delivered alike

None knows an HTTP status: `gateway.http.problems` maps classes to statuses.
"""

from __future__ import annotations

from collections.abc import Mapping


class Refused(Exception):
    """The request is refused; `hint` says what to do about it, `members` what else to tell.

    Without a hint of its own a refusal tells its class's `way_out`.
    """

    code = "refused"
    way_out: str | None = None

    def __init__(self, message: str, *, hint: str | None = None, **members: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.way_out
        self.members: Mapping[str, object] = members


class BlocksDiffer(Refused):
    """Deliveries of several blocks were sealed with manifests or public tables that differ."""

    code = "blocks-differ"
    way_out = "Ask each block by itself, or have the older one registered again as the newest was."

    def __init__(self, block: str) -> None:
        super().__init__(f"Block {block} was delivered otherwise than the newest that is named.")


class NotAuthenticated(Refused):
    """The request carries no valid API key: none, an unknown, an expired or a revoked one."""

    code = "not-authenticated"
    way_out = "Send the header `Authorization: Bearer sluis_...`, with a key that still works."

    def __init__(self) -> None:
        super().__init__("This needs a valid API key.")


class NotPermitted(Refused):
    """The caller is known, but its role does not carry this act."""

    code = "not-permitted"
    way_out = "Use a key with that role, or ask an administrator for it."

    def __init__(self, needed: str) -> None:
        super().__init__(f"Your role does not permit this: it needs the role of {needed}.")


class OutOfScope(Refused):
    """The caller's role carries this act, but its key is held to other scopes."""

    code = "out-of-scope"
    way_out = "Use a key with that scope; `sluis key create --scope` makes one."

    def __init__(self, act: str) -> None:
        super().__init__(f"Your key is held to scopes that do not hold this: {act}.")


class KeyTooWide(Refused):
    """The key would do or last more than the one that makes it."""

    code = "key-too-wide"
    way_out = "Hold it to fewer scopes, days or requests a minute, or ask an administrator."

    def __init__(self) -> None:
        super().__init__("A project lead makes keys that do and last no more than its own.")


class NotFound(Refused):
    """There is no such thing, or this caller may not know of it."""

    code = "not-found"
    way_out = "Check the names in the address, or ask an administrator for a role there."

    def __init__(self) -> None:
        super().__init__("There is nothing here, or nothing that you may see.")


class DeliveryGone(Refused):
    """The delivery that a failed run was charged for has been replaced, and its file removed."""

    code = "delivery-gone"
    way_out = "Ask anew, of the present delivery: it is charged as any other question."

    def __init__(self) -> None:
        super().__init__("What this charge was to read is not kept any more.")


class Invalid(Refused):
    """The request is well-formed JSON, but its content is not what this resource takes."""

    code = "invalid-request"
    way_out = "See `errors`: each says where and what; /openapi.yaml has the whole form."


class MalformedBody(Refused):
    """The body is not JSON in UTF-8 with one value for each name, or not an object."""

    code = "malformed-body"
    way_out = "Send one JSON object in UTF-8 that gives each name once."


class PriceNotOffered(Refused):
    """This way to name a price does not exist in this project."""

    code = "price-not-offered"
    way_out = "Name the price in one of the other ways."


class ErrorNotOffered(Refused):
    """No loss can be told, or counted, that keeps the error asked for."""

    code = "max-error-not-offered"
    way_out = "Name a price instead: epsilon, rho, budget_share or remaining_share."


class NotReleased(Refused):
    """The question, which is to be answered from a past release, reads private tables too."""

    code = "not-released"
    way_out = "Read nothing but the release and public tables, or name a price."

    def __init__(self) -> None:
        super().__init__("This reads more than what was released, so it is not free.")


class PriceUnderFloor(Refused):
    """The price lies under the least that an executed query costs."""

    code = "price-under-floor"
    way_out = "Offer more; the hint of such a refusal names the least."


class PriceTooLarge(Refused):
    """The price is more than one query may cost in this project."""

    code = "price-too-large"
    way_out = "Offer less, or ask an administrator."


class IdempotencyKeyNeeded(Refused):
    """A fresh draw (`replay: false`) was asked without an Idempotency-Key."""

    code = "idempotency-key-needed"
    way_out = "Send a header such as `Idempotency-Key: 6f1b0c1e`; repeat it when you retry."

    def __init__(self) -> None:
        super().__init__("A fresh, newly charged draw (replay: false) needs an Idempotency-Key.")


class BadIdempotencyKey(Refused):
    """The Idempotency-Key is not 1 to 128 visible ASCII characters."""

    code = "bad-idempotency-key"
    way_out = "Send a random word, such as a UUID."

    def __init__(self) -> None:
        super().__init__("An Idempotency-Key is 1 to 128 visible ASCII characters.")


class NotAcceptable(Refused):
    """The caller accepts none of the formats offered."""

    code = "not-acceptable"
    way_out = "Send `Accept: application/json` or `Accept: text/csv`."

    def __init__(self) -> None:
        super().__init__("Answers are offered as application/json and text/csv.")


class Conflict(Refused):
    """The request contradicts what already stands."""

    code = "conflict"


class NotComposed(Refused):
    """What is computed from the released tables fails; they are stored, so asking again is free."""

    code = "not-composed"
    way_out = "Ask again with a simpler or guarded expression over the same groups: it is free."

    def __init__(self, cause: str) -> None:
        super().__init__(
            "The query was charged and its noisy tables are stored, but what is computed from them "
            "fails or takes too long.",
            cause=cause,
        )


class Busy(Refused):
    """No worker came free in time, or too many wait for one already; nothing was charged.

    `again` is in how many seconds what waits now may have had its turn.
    """

    code = "busy"
    way_out = "Try again after the seconds of Retry-After."

    def __init__(self, again: int = 30) -> None:
        super().__init__("All workers are taken; nothing was charged.")
        self.again = again


class IdentityUnavailable(Refused):
    """The identity provider cannot be reached, and no key of its is known that is young enough."""

    code = "identity-unavailable"
    way_out = "Try again in a minute, or use an API key."

    def __init__(self) -> None:
        super().__init__("Tokens cannot be checked at this moment.")
        self.again = 60


class RateLimited(Refused):
    """The key asks more often than it may, or sign-ins from this address failed too often.

    `again` is in how many seconds the next request may come.
    """

    code = "rate-limited"
    way_out = "Wait the seconds of Retry-After; questions that were answered before count least."

    def __init__(self, again: int, standing: object = None) -> None:
        super().__init__("Too many requests in too short a time; nothing was charged.")
        self.again, self.standing = again, standing


class Withdrawn(Refused):
    """Who asked went away while the query waited for a worker; nothing was charged."""

    code = "withdrawn"
    way_out = "Ask again; `Prefer: respond-async` lets a query wait without its caller."

    def __init__(self) -> None:
        super().__init__("The caller went away while the query waited; nothing was charged.")


class Stopping(Refused):
    """The server is stopping and starts no new query; nothing was charged."""

    code = "stopping"
    way_out = "Try again in a minute."

    def __init__(self) -> None:
        super().__init__("The server is stopping; nothing was charged.")


class PlanUnsound(Refused):
    """OpenDP's own map disagrees with the plan's loss; found before anybody was charged."""

    code = "plan-unsound"
    way_out = "Tell the operator: this is a fault of the gateway, not of the question."

    def __init__(self) -> None:
        super().__init__("The plan's privacy loss could not be confirmed; nothing was charged.")
