"""Amounts on the command line, read exactly."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import click


def amount(text: str, option: str) -> Fraction:
    """The exact value of a decimal; a usage error for anything else."""
    from budgets.amounts import parse

    try:
        return parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def share(text: str, option: str) -> Fraction:
    """The exact share that a text such as `1%` names; a usage error for anything else."""
    from budgets.amounts import share

    try:
        return share(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def moment(text: str, option: str) -> datetime:
    """A point in time: a day, which begins in UTC, or a time with its zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("Give 2027-01-01 or a time.", param_hint=option) from None
    if found.tzinfo is None and len(text) > len("2027-01-01"):
        raise click.BadParameter("Give the zone: 2027-01-01T00:00+00:00.", param_hint=option)
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError:
        raise click.BadParameter("Give a year before 9999.", param_hint=option) from None
