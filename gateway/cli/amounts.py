"""Amounts on the command line, read exactly."""

from __future__ import annotations

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
