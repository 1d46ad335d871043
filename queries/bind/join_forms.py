"""The kinds of join that the text may ask for beside private rows; every other is refused."""

from __future__ import annotations

from enum import Enum

from sqlglot import exp

from queries.bind import forms
from queries.language.parse import place
from queries.language.refusals import UnsupportedSql


class Kind(Enum):
    """What a join keeps: COMMA is an inner join that binds more loosely than the rest."""

    COMMA = "COMMA"
    INNER = "INNER"
    CROSS = "CROSS"
    LEFT = "LEFT"
    RIGHT = "RIGHT"
    FULL = "FULL"
    SEMI = "SEMI"
    ANTI = "ANTI"


CONDITIONED = frozenset({Kind.LEFT, Kind.RIGHT, Kind.FULL, Kind.SEMI, Kind.ANTI})
HINTS = {
    "ASOF": (
        "Give the public table the start and the end of each span, and join with "
        "ON t.moment >= s.starts AND t.moment < s.ends."
    ),
    "POSITIONAL": "Rows have no position that means something: join with ON and an equality.",
}


def natural(join: exp.Join) -> bool:
    """Whether all columns of the same name are equated."""
    return join.method.upper() == "NATURAL"


def kind_of(join: exp.Join | None) -> Kind:
    """The kind of a join; raises UnsupportedSql for kinds that have no case."""
    if join is None:
        return Kind.INNER
    forms.check(join)
    method, side, word = join.method.upper(), join.side.upper(), join.kind.upper()
    if method not in ("", "NATURAL"):
        raise _refused(method, join)
    if word in ("SEMI", "ANTI") and not side:
        found = Kind(word)
    elif word in ("", "INNER", "OUTER") and side in ("LEFT", "RIGHT", "FULL"):
        found = Kind(side)
    elif word in ("INNER", "CROSS") and not side:
        found = Kind(word)
    elif not word and not side:
        found = Kind.INNER if method or _conditioned(join) else Kind.COMMA
    else:
        raise _refused(f"{side} {word}".strip(), join)
    _check_condition(found, join)
    return found


def _conditioned(join: exp.Join) -> bool:
    return join.args.get("on") is not None or bool(join.args.get("using"))


def _check_condition(kind: Kind, join: exp.Join) -> None:
    said = _conditioned(join)
    if kind is Kind.CROSS and (said or natural(join)):
        raise UnsupportedSql("CROSS JOIN takes no condition.", position=place(join))
    if kind in CONDITIONED and not said and not natural(join):
        raise UnsupportedSql(f"{kind.value} JOIN needs ON, USING or NATURAL.", position=place(join))


def _refused(word: str, join: exp.Join) -> UnsupportedSql:
    hint = HINTS.get(word, "Write INNER, LEFT, RIGHT, FULL, SEMI or ANTI JOIN with a condition.")
    return UnsupportedSql(
        f"{word} JOIN is not answered beside private rows.", position=place(join), hint=hint
    )
