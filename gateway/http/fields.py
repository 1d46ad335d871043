"""Fields of the JSON that comes in: stricter than marshmallow's own, exact where a price is meant.

`"1"` is no number, `1` is no boolean, `NaN` is nothing at all; a price is kept as the decimal that
its author wrote.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import ValidationError, fields

from budgets.amounts import parse, share
from gateway.errors import Margin, Size

Margins = tuple[tuple[str | None, Margin], ...]

LARGEST_PRICE = Fraction(1000)
SMALLEST, LARGEST_SIZE = Fraction(1, 10**12), Fraction(10**15)
MOST_ERRORS, LONGEST_NAME = 100, 255
WIDEST = Fraction(1, 2)
NO_ERROR = "An error is a number, its decimal text, or text such as `5%` or `2% of rows`."
NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,62}$"
AMOUNT_PATTERN = r"^[0-9]{1,20}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?$"
POSITIVE_PATTERN = AMOUNT_PATTERN.replace("^", "^(?=[^eE]*[1-9])")
ERROR_PATTERN = POSITIVE_PATTERN.replace("$", "( ?%| ?% of rows| rows)?$")
MOST_BLOCKS = 60
ONE_BLOCK = r"[0-9]{4}(-[HQ][1-4]|-[0-9]{2})?"
BLOCKS_PATTERN = rf"^(all|{ONE_BLOCK}(\.\.{ONE_BLOCK})?(,{ONE_BLOCK}(\.\.{ONE_BLOCK})?){{0,59}})$"
_POSITIVE = {"type": "number", "exclusiveMinimum": 0, "maximum": 10**15}


class Amount(fields.Field[Fraction]):
    """An amount of privacy loss: a positive number, or its decimal text; at most 1000."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> Fraction:
        if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
            raise ValidationError("An amount is a number, or its decimal text.")
        try:
            amount = parse(str(value))
        except ValueError as error:
            raise ValidationError(str(error)) from None
        return within(amount)


class Delta(fields.Field[Fraction]):
    """A delta: a number from 0 to below 1, or its decimal text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> Fraction:
        if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
            raise ValidationError("A delta is a number, or its decimal text.")
        try:
            delta = parse(str(value))
        except ValueError as error:
            raise ValidationError(str(error)) from None
        if delta >= 1:
            raise ValidationError("A delta lies below 1.")
        return delta


class Share(fields.Field[Fraction]):
    """A share of the budget, as text with a per cent sign: `1%`, `0.25%`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> Fraction:
        try:
            return share(value if isinstance(value, str) else "")
        except ValueError as error:
            raise ValidationError(str(error)) from None


class Spread(Share):
    """A standard deviation as a share of a range, of which it is at most half: `10%`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> Fraction:
        found = super()._deserialize(value, attr, data, **rest)
        if found > WIDEST:
            raise ValidationError("A standard deviation is at most 50% of a range.")
        return found


class Error(fields.Field[Margin]):
    """An error: a positive number in the column's own unit, or a share as text: `5%`.

    Of a quantile's rank it is text such as `2% of rows` or `50 rows`.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> Margin:
        return _error(value)


class MaxError(fields.Field[Margins]):
    """One error for every noisy column, or an object with that of each."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> Margins:
        if not isinstance(value, dict):
            return ((None, _error(value)),)
        if not 0 < len(value) <= MOST_ERRORS or any(len(name) > LONGEST_NAME for name in value):
            raise ValidationError("Name from 1 to 100 columns, each in at most 255 characters.")
        return tuple((name, _error(error)) for name, error in sorted(value.items()))


class GroupSize(fields.Field[Fraction | Size]):
    """How many rows a group has: a number, `declared` or `released`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> Fraction | Size:
        if value in (Size.DECLARED.value, Size.RELEASED.value):
            return Size(value)
        return _positive(value, "A size is a number of rows, `declared` or `released`.")


class Blocks(fields.Field[str]):
    """Blocks of a growing dataset: `all`, a list of names, or text: `2025-H1..2026-H1,2027-H1`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> str:
        names = value if isinstance(value, list) else [value]
        if not 0 < len(names) <= MOST_BLOCKS or not all(isinstance(one, str) for one in names):
            raise ValidationError("Name blocks in a list, or in text.")
        if isinstance(value, list) and any(re.fullmatch(ONE_BLOCK, one) is None for one in names):
            raise ValidationError("A block has the name of its interval, such as 2026-H1.")
        text = ",".join(names)
        if re.fullmatch(BLOCKS_PATTERN, text) is None:
            raise ValidationError("Write `all`, or names and spans as 2025-H1..2026-H1.")
        return text


def _error(value: Any) -> Margin:
    text = value if isinstance(value, str) else ""
    if text.endswith(" rows") and "%" not in text:
        return Margin(_positive(text.removesuffix(" rows"), NO_ERROR), rows=True)
    of_rows = text.endswith("% of rows")
    if of_rows or text.endswith("%"):
        number = text.partition("%")[0].removesuffix(" ")
        share = _positive(number, "A share is text such as `5%` or `2% of rows`.") / 100
        if share > 1:
            raise ValidationError("A share of a magnitude is at most 100%.")
        return Margin(share, relative=True, rows=of_rows)
    return Margin(_positive(value, NO_ERROR))


def _positive(value: Any, message: str) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValidationError(message)
    try:
        amount = parse(str(value))
    except ValueError:
        raise ValidationError(message) from None
    if not SMALLEST <= amount <= LARGEST_SIZE:
        raise ValidationError("It lies above 0, and not beyond 1e-12 and 1e15.")
    return amount


class Instant(fields.DateTime):
    """A point in time with its zone, as ISO 8601 text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> datetime:
        found: datetime = super()._deserialize(value, attr, data, **rest)
        if found.tzinfo is None:
            raise ValidationError("Give the zone as well: 2027-01-01T00:00:00+00:00.")
        try:
            return found.astimezone(UTC)
        except OverflowError:  # the last hours of the year 9999 west of UTC, the first of 1 east
            raise ValidationError("In UTC it lies in no year from 1 to 9999.") from None


class Number(fields.Field[Decimal]):
    """A plain JSON number, kept exactly."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise ValidationError("Not a number.")
        return Decimal(value)


class Bound(fields.Field[Fraction]):
    """A bound of a column: a number, or its decimal text with an optional sign."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> Fraction:
        if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
            raise ValidationError("A bound is a number, or its decimal text.")
        text = str(value)
        try:
            size = parse(text.removeprefix("-"))
        except ValueError as error:
            raise ValidationError(str(error)) from None
        return -size if text.startswith("-") else size


class Whole(fields.Integer):
    """A whole JSON number: no text, no boolean, no fraction."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError("Not a whole number.")
        return value


class Flag(fields.Boolean):
    """true or false, and nothing that looks like them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Not true or false.")
        return value


def within(amount: Fraction) -> Fraction:
    """The amount, if it is a price that anybody could mean."""
    if not 0 < amount <= LARGEST_PRICE:
        raise ValidationError("An amount lies above 0 and is at most 1000.")
    return amount


def described(plugin: MarshmallowPlugin) -> None:
    """Tell the OpenAPI generator what our fields look like."""
    if plugin.converter is None:
        raise RuntimeError("the plugin has not been attached to a specification yet")
    plugin.converter.add_attribute_function(_properties)  # type: ignore[no-untyped-call]


def _properties(_converter: Any, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
    text = {"type": "string", "pattern": AMOUNT_PATTERN}
    positive = {"type": "string", "pattern": POSITIVE_PATTERN}
    error = {"anyOf": [_POSITIVE, {"type": "string", "pattern": ERROR_PATTERN}]}
    match field:
        case Error():
            return error
        case MaxError():
            each = {"type": "object", "additionalProperties": error, "minProperties": 1}
            return {"anyOf": [*error["anyOf"], each | {"maxProperties": MOST_ERRORS}]}
        case Blocks():
            names = {"type": "array", "minItems": 1, "maxItems": MOST_BLOCKS}
            each = {"type": "string", "pattern": f"^{ONE_BLOCK}$"}
            return {"anyOf": [{"type": "string", "pattern": BLOCKS_PATTERN},
                              names | {"items": each}]}  # fmt: skip
        case GroupSize():
            words = {"type": "string", "enum": [one.value for one in Size]}
            return {"anyOf": [_POSITIVE, words]}
        case Amount():
            number = {"type": "number", "exclusiveMinimum": 0, "maximum": 1000}
            return {"anyOf": [number, positive]}
        case Delta():
            return {"anyOf": [{"type": "number", "minimum": 0, "exclusiveMaximum": 1}, text]}
        case Share():
            return {"type": "string", "pattern": POSITIVE_PATTERN.replace("$", " ?%$")}
        case Number():
            return {"type": "number"}
        case Bound():
            signed = {"type": "string", "pattern": AMOUNT_PATTERN.replace("^", "^-?")}
            return {"anyOf": [{"type": "number"}, signed]}
    return {}
