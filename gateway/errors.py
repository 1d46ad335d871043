"""Errors asked for: how far off an answer may be, as its caller names it.

A relative error is a share of a magnitude that is declared, released before, or named with the
question: never of the private one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from gateway.refusals import ErrorNotOffered
from queries.plan.post import Output


class Size(StrEnum):
    """Whence the size of a group is taken for which an error is meant."""

    DECLARED = "declared"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Margin:
    """How far off a value may be: in its own unit, or as a share of its magnitude.

    Of a quantile it is its rank that may be off: by so many rows, or a share of its group's rows.
    """

    amount: Fraction
    relative: bool = False
    rows: bool = False

    @property
    def text(self) -> str:
        """As people write it."""
        share = f"{float(self.amount * 100):g}%" if self.relative else f"{float(self.amount):g}"
        return share + (" of rows" if self.relative else " rows") * self.rows


@dataclass(frozen=True, slots=True)
class Wanted:
    """The errors that an answer is to stay within, by column; that of None is for all of them.

    `size` is how many rows the groups have for which they are meant.
    """

    margins: tuple[tuple[str | None, Margin], ...]
    size: Fraction | Size = Size.DECLARED

    def of(self, outputs: Sequence[Output]) -> tuple[Margin, ...]:
        """The margin of each output; raises ErrorNotOffered where names and columns differ."""
        named = dict(self.margins)
        if None in named:
            return (named[None],) * len(outputs)
        columns = {output.name for output in outputs}
        unknown = [name for name in named if name not in columns]
        missing = [name for name in columns if name not in named]
        if unknown or missing:
            raise ErrorNotOffered(
                "max_error names each noisy column of the answer once, or is one error for all.",
                hint=f"The noisy columns are: {', '.join(sorted(columns)) or 'none'}.",
            )
        return tuple(named[output.name] for output in outputs)
