"""The kinds of values a manifest holds: marshmallow fields that read text, and text alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from marshmallow import ValidationError, fields

MISSING = "a value is missing"
WORDS: dict[str, str | list[Any] | dict[Any, Any]] = {
    "required": "is missing",
    "null": MISSING,
    "scalar": "not one value",
    "invalid": "not a list: write [a, b]",
}
_WHOLE = re.compile(r"[+-]?[0-9]{1,40}")
_NUMBER = re.compile(r"[+-]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][+-]?[0-9]{1,3})?")
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m)")
_SECONDS = {"ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60)}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Scalar(fields.Field[Any]):
    """Text turned into a value by `read`, which raises ValueError with the words of the fault."""

    default_error_messages = WORDS

    def __init__(self, read: Callable[[str], Any] = str, **rest: Any) -> None:
        super().__init__(**rest)
        self._read = read

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise self.make_error("scalar")
        try:
            return self._read(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class Texts(fields.List[Any]):
    """A list of values, `[a, b]`."""

    default_error_messages = WORDS

    def __init__(self, read: Callable[[str], Any] = str, **rest: Any) -> None:
        super().__init__(Scalar(read), **rest)


def whole(least: int, most: int) -> Callable[[str], int]:
    """A reader of whole numbers from `least` to `most`."""

    def read(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not least <= int(text) <= most:
            raise ValueError(f"not a whole number from {least:,} to {most:,}")
        return int(text)

    return read


def number(text: str) -> Decimal:
    """A decimal number, exactly as written."""
    if not _NUMBER.fullmatch(text):
        raise ValueError("not a number")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("not a number") from None


def positive(most: int) -> Callable[[str], Fraction]:
    """A reader of amounts above 0, at most `most`, exact."""

    def read(text: str) -> Fraction:
        amount = Fraction(number(text))
        if not 0 < amount <= most:
            raise ValueError(f"not a number above 0 and at most {most}")
        return amount

    return read


def probability(text: str) -> Fraction:
    """A number from 0 to below 1, exact."""
    amount = Fraction(number(text))
    if not 0 <= amount < 1:
        raise ValueError("not a number from 0 to below 1")
    return amount


def flag(text: str) -> bool:
    """true or false."""
    if text not in ("true", "false"):
        raise ValueError("not true or false")
    return text == "true"


def duration(text: str) -> Fraction:
    """Seconds, from `500ms`, `1s` or `2m`."""
    match = _DURATION.fullmatch(text)
    seconds = Fraction(match[1]) * _SECONDS[match[2]] if match else Fraction(0)
    if not Fraction(1, 100) <= seconds <= 3600:
        raise ValueError("not a duration from 10ms to 60m, such as 500ms, 1s or 2m")
    return seconds


def one_of(*words: str) -> Callable[[str], str]:
    """A reader of one of these words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"not one of {', '.join(words)}")
        return text

    return read


def line_of_text(most: int) -> Callable[[str], str]:
    """A reader of text without control characters, from 1 to `most` characters."""

    def read(text: str) -> str:
        if not text.strip() or len(text) > most or _CONTROL.search(text):
            raise ValueError(f"not 1 to {most} characters on one line")
        return text

    return read


def day(text: str) -> str:
    """A date, kept as ISO 8601 text."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("not a date such as 2026-03-01") from None
