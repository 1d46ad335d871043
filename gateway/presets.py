"""Presets: prices by the words that people use, which each project sets for itself.

A preset is a share of the project's whole allocation. What a question costs at one follows when it
is planned, so that a question which is sent again after a change is the same question.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from budgets.storage.schema import project
from gateway.refusals import Invalid, NotFound


class Preset(StrEnum):
    """How exact an answer is to be, in a word."""

    ROUGH = "rough"
    NORMAL = "normal"
    PRECISE = "precise"


@dataclass(frozen=True, slots=True)
class Presets:
    """The share of a project's whole allocation that a question costs at each preset."""

    rough: Fraction = Fraction(2, 1000)
    normal: Fraction = Fraction(1, 100)
    precise: Fraction = Fraction(5, 100)

    def share(self, preset: Preset) -> Fraction:
        """The share of one preset."""
        return self.shares()[preset]

    def shares(self) -> Mapping[Preset, Fraction]:
        """The share of each, the least first."""
        return {
            Preset.ROUGH: self.rough,
            Preset.NORMAL: self.normal,
            Preset.PRECISE: self.precise,
        }


def read(stored: str | None) -> Presets:
    """The presets as a project stores them; those that every project begins with, without any."""
    if stored is None:
        return Presets()
    return Presets(**{name: Fraction(share) for name, share in json.loads(stored).items()})


def checked(presets: Presets, most: Fraction) -> Presets:
    """The presets, if they ascend and one question may cost as much as each; raises Invalid."""
    shares = list(presets.shares().values())
    if not (0 < shares[0] <= shares[1] <= shares[2]):
        raise Invalid("Presets ascend: rough costs no more than normal, normal than precise.")
    if shares[2] > most:
        raise Invalid(f"One query may cost at most {float(most):.1%} of a project's budget.")
    return presets


def write(tx: Any, to: str, presets: Presets) -> None:
    """Set the presets of a project; NotFound without it."""
    text = json.dumps({name.value: str(share) for name, share in presets.shares().items()})
    changed = tx.execute(project.update().where(project.c.name == to).values(presets=text))
    if changed.rowcount != 1:
        raise NotFound()
