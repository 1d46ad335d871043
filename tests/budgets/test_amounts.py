"""Amounts: exact in, exact out, rounded against the spender."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgets.amounts import ATTO, PICO, charged, granted, parse, written


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", Fraction(1, 10)),
        ("1e-7", Fraction(1, 10**7)),
        ("8", Fraction(8)),
        ("2.50E+1", Fraction(25)),
    ],
)
def test_decimal_text_is_read_exactly(text: str, value: Fraction) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "-1",
        "+1",
        "nan",
        "inf",
        "1/3",
        "1_000",
        ".5",
        "5.",
        "1e999",
        "٣",
        "0x1",
        "1\n",
        "9" * 21,
    ],
)
def test_anything_else_is_not_an_amount(text: str) -> None:
    with pytest.raises(ValueError, match="An amount is"):
        parse(text)


@given(st.fractions(min_value=0, max_value=10**6), st.sampled_from([PICO, ATTO]))
def test_charges_round_up_and_grants_round_down(amount: Fraction, unit: int) -> None:
    up, down = charged(amount, unit), granted(amount, unit)
    assert Fraction(down, unit) <= amount <= Fraction(up, unit)
    assert up - down == (0 if (amount * unit).denominator == 1 else 1)


def test_a_float_is_charged_as_the_fraction_that_it_is() -> None:
    assert charged(0.1) == 10**11 + 1
    assert granted(0.3) == 3 * 10**11 - 1


@given(st.integers(0, 10**18), st.sampled_from([PICO, ATTO]))
def test_written_amounts_read_back_the_same(amount: int, unit: int) -> None:
    text = written(amount, unit)
    assert parse(text) * unit == amount
    assert "." not in text or not text.endswith("0")
    assert Decimal(text) >= 0


def test_what_is_taken_back_is_written_with_a_sign() -> None:
    assert written(-1_500_000_000_000) == "-1.5"
